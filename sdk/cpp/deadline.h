// A point on the machine's monotonic clock until which something may take.
#pragma once
#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace dray::detail {

// The SDK waits for sockets in real time, so it reads the machine's clock.
inline base::MonoTime mono_now() {
  return base::SystemClock{}.mono();
}

class Deadline {
 public:
  static constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 3'650);

  static Deadline never() { return Deadline(base::MonoTime{std::numeric_limits<int64_t>::max()}); }
  static Deadline at(base::MonoTime time) { return Deadline(time); }
  // Beyond the longest it is the longest: a caller's "for ever" must not wrap around.
  static Deadline in(std::chrono::milliseconds duration) {
    return Deadline(mono_now() + std::min(duration, kLongest));
  }
  // Requires: this is not never().
  Deadline later(std::chrono::milliseconds duration) const {
    return Deadline(time_ + std::min(duration, kLongest));
  }
  static Deadline earlier(Deadline a, Deadline b) { return a.time_ < b.time_ ? a : b; }

  base::MonoTime time() const { return time_; }
  bool is_never() const { return *this == never(); }
  bool is_over() const { return left().count() <= 0; }
  // Rounded up, so that waiting for it never ends a little early and spins. Bounded, so that a
  // library may add it to its own clock: wait in a loop.
  std::chrono::milliseconds left() const {
    return std::min(std::chrono::ceil<std::chrono::milliseconds>(time_ - mono_now()), kLongest);
  }
  // For poll(): -1 waits for ever.
  int poll_timeout() const {
    if (is_never()) return -1;
    return static_cast<int>(std::clamp<int64_t>(left().count(), 0, INT_MAX));
  }

  friend bool operator==(Deadline, Deadline) = default;

 private:
  explicit Deadline(base::MonoTime time) : time_(time) {}
  base::MonoTime time_;
};

}  // namespace dray::detail
