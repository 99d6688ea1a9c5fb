// What is asked of a server: decides the next requests of each channel and counts the replies.
#pragma once
#include <cstdint>
#include <limits>

#include "bench/load/channel.h"
#include "bench/load/json_line.h"

namespace load {

inline constexpr int64_t kNeverNs = std::numeric_limits<int64_t>::max();

// Sees no socket and no clock: times are arguments, in nanoseconds of the monotonic clock.
// Threading: the loop's thread only.
class Workload {
 public:
  virtual ~Workload() = default;

  // Called once, when all channels are connected and before any `fill`.
  virtual void begin(int64_t now_ns) { static_cast<void>(now_ns); }

  // Appends the requests that the channel may send now. Called after its replies, for every channel
  // after each turn of the loop, and when `wake_ns` has come.
  virtual void fill(Channel& channel, int64_t now_ns) = 0;

  // Takes one reply that did not fail.
  virtual void on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) = 0;

  // Takes one reply that failed. Returns false when it ends the run, as it does by default.
  virtual bool on_failure(Channel& /*channel*/, OpKind /*op*/, const Reply& /*reply*/,
                          int64_t /*received_ns*/) {
    return false;
  }

  // Returns when `fill` must be called even if no reply comes.
  virtual int64_t wake_ns() const { return kNeverNs; }

  virtual bool finished() const = 0;

  // Returns the number of jobs that went the workload's whole way.
  virtual uint64_t jobs_done() const = 0;

  // Adds what only this workload knows.
  virtual void report(JsonLine& line) const { static_cast<void>(line); }
};

}  // namespace load
