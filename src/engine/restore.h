// The start from the tables: what they have becomes the state, before the journal goes on from it.
#pragma once

#include <functional>

#include "core/state.h"
#include "engine/flush.h"
#include "store/tables.h"

namespace engine {

// What a start from the tables found.
struct Restored {
  base::Now now;              // Of the last flush.
  uint64_t damaged_rows = 0;  // Jobs that were set aside.
};

// Fills `state`. Requires: begin_recovery(true). Errors: CORRUPT for side records and lanes.
base::Result<Restored> restore(store::TablesReader& reader, core::State& state, Flush& flush);

// Whether a journal goes on where the tables end. CORRUPT: one of them is older than the other.
base::Status tables_fit(uint64_t applied_seq, uint64_t journal_first_seq,
                        uint64_t journal_last_seq);

}  // namespace engine
