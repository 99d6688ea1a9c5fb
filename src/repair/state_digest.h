// A number for all that a server holds: two data directories with the same one hold the same jobs,
// queues, counters and remembered answers, however their journals are laid out.
#pragma once
#include <cstdint>

#include "core/state.h"

namespace repair {

// Returns the digest of the state as it stands at `now`.
uint64_t digest_of(const core::State& state, base::Now now);

}  // namespace repair
