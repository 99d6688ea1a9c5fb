// How a run of a job ended, and the command that tells the server.
#pragma once
#include <optional>
#include <string>

#include "dray/errors.h"
#include "sdk/cpp/held.h"
#include "sdk/cpp/request.h"

namespace dray::detail {

struct Outcome {
  enum class Kind : uint8_t { kAck, kFail, kRelease };

  Kind kind = Kind::kAck;
  std::optional<std::string> result = {};  // Of kAck.
  Failure failure = {};                    // Of kFail.
  milliseconds delay{0};                   // Of kRelease.
};

// What a run is that went beyond its time limit.
Outcome timed_out(const LeasedJob& job);
// What an ack is whose result the server does not take. The work is done, so it is not run again.
Outcome result_refused(const std::string& why);
// What an outcome is whose words the server does not take, though the lease is ours.
Outcome answer_refused(const std::string& why);
bool is_answer_refused(const Outcome& outcome);

// The same within what a server reads at all: a larger word would end the connection, for all other
// answers too. A result beyond it is refused here, texts are cut, times are brought into their
// range.
Outcome sendable(Outcome outcome);
// The same of a line of a log.
std::string sendable_text(std::string text);

Request outcome_request(const LeasedJob& job, const Outcome& outcome);

}  // namespace dray::detail
