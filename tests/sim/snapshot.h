// The core's state in the words of the model, and as bytes that tell every field.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/state.h"
#include "model/view.h"

namespace sim {

model::State state_of(core::JobState state);
model::DeadReason reason_of(core::DeadReason reason);
model::Outcome outcome_named(std::string_view name);

// Returns a job's record, also when it is not in memory. It lives until the next call.
using RecordOf = std::function<const core::JobRecord&(const core::Job&)>;

// All jobs, queues and keys that are not over.
model::Snapshot snapshot_of(const core::State& state, base::Now now, const RecordOf& record_of);

// What the state's own sums and indexes say against a recount: a line that says what is wrong, or
// nothing.
std::string find_disorder(const core::State& state, const RecordOf& record_of);

// All that must survive a restart, by name: every field of every job, tokens, producers, queues,
// keys, answers to repeated commands. Without what time has ended at `now`; leases without their
// deadlines, which a restart moves.
std::map<std::string, std::string> durable_parts(const core::State& state, base::Now now,
                                                 const RecordOf& record_of);

}  // namespace sim
