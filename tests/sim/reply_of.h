// What the server answered, in the words of the model.
#pragma once

#include <string_view>

#include "base/time.h"
#include "core/state.h"
#include "model/op.h"
#include "model/view.h"
#include "protocol/resp_encoder.h"
#include "protocol/resp_reply_parser.h"

namespace sim {

// The tape as the value that a client reads: turned over by hand, or written as RESP and read
// again.
protocol::RespValue value_of(std::string_view tape);
protocol::RespValue value_over_wire(std::string_view tape, protocol::RespVersion version);

// Returns the reply to `verb`. A JOB.GET does not show all that the model compares (which clock
// run_at is on, times of the engine's clock): that is taken from `state`, as of the same step.
// Asserts that the reply has the fields that its command promises.
model::Reply reply_of(const model::Verb& verb, const protocol::RespValue& value,
                      const core::State& state, base::Now now);

// An error as a reply, without the protocol.
model::Reply reply_of_error(std::string_view code, std::string_view message);

}  // namespace sim
