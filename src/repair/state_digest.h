// A number for all that a server holds: two data directories with the same one hold the same jobs,
// queues, counters and remembered answers, however they are laid out in journal and tables.
#pragma once
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "core/state.h"
#include "store/tables.h"

namespace repair {

// A job whose row cannot be read, and so no part of the digest.
using UnreadVisitor = std::function<void(core::JobId, const base::Error&)>;

// Returns the digest of the state. Records that are not in memory are read
// from `tables`; null if all are. Errors: what `tables` answers.
base::Result<uint64_t> digest_of(const core::State& state, store::TablesReader* tables,
                                 const UnreadVisitor& unread);

}  // namespace repair
