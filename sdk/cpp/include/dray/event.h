// What happens to the jobs of a worker, for logs, metrics and traces.
#pragma once
#include <cstdint>
#include <string_view>

#include "dray/context.h"
#include "dray/errors.h"

namespace dray {

struct WorkerEvent {
  enum class Kind : uint8_t {
    kStarted,    // A handler is about to run.
    kSucceeded,  // From here on: the server has taken the answer.
    kFailed,
    kReleased,  // Snoozed, or given back at the stop.
    kLost,      // The lease was over before we were: cancelled, or taken.
  };

  Kind kind;
  const Context& job;                // Valid during the call.
  milliseconds elapsed{0};           // Since the handler's start.
  const Failure* failure = nullptr;  // Of kFailed.
};

// Returns the kind's name, such as "succeeded".
std::string_view event_name(WorkerEvent::Kind kind);

}  // namespace dray
