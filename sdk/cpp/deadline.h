// A point on the machine's monotonic clock until which something may take.
#pragma once
#include <algorithm>
#include <chrono>
#include <climits>

#include "base/clock.h"

namespace dray::detail {

// The SDK waits for sockets in real time, so it reads the machine's clock.
inline base::MonoTime mono_now() {
  return base::SystemClock{}.mono();
}

class Deadline {
 public:
  static Deadline never() { return Deadline(base::MonoTime{std::numeric_limits<int64_t>::max()}); }
  static Deadline at(base::MonoTime time) { return Deadline(time); }
  static Deadline in(std::chrono::nanoseconds duration) { return Deadline(mono_now() + duration); }
  static Deadline earlier(Deadline a, Deadline b) { return a.time_ < b.time_ ? a : b; }

  base::MonoTime time() const { return time_; }
  bool is_never() const { return *this == never(); }
  bool is_over() const { return left().count() <= 0; }
  // Rounded up, so that waiting for it never ends a little early and spins.
  std::chrono::milliseconds left() const {
    return std::chrono::ceil<std::chrono::milliseconds>(time_ - mono_now());
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
