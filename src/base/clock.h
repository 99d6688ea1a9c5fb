// The only door to the machine's clocks. Everything else is given a Clock, or a time.
#pragma once
#include <atomic>

#include "base/time.h"

namespace base {

// Two clocks that know nothing of each other. Threading: any thread may read.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  // Returns nanoseconds since an arbitrary start; never steps back, stands still in suspend.
  virtual MonoTime mono() const = 0;
  // Returns calendar time; can step in both directions.
  virtual WallTime wall() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  MonoTime mono() const override;
  WallTime wall() const override;
};

// A clock that moves only when told. For tests and simulation.
// Threading: any thread may read and move it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime wall = WallTime{1'767'225'600'000}) : wall_ms_(wall.ms) {}

  MonoTime mono() const override { return MonoTime{mono_ns_.load()}; }
  WallTime wall() const override { return WallTime{wall_ms_.load()}; }

  // Moves both clocks forward together. Requires: duration >= 0.
  void advance(Duration duration);
  // Moves the monotonic clock alone, by less than a millisecond if need be. Requires: step >= 0.
  void advance_mono(std::chrono::nanoseconds step);
  // Sets the calendar alone, as an administrator or a time server does.
  void set_wall(WallTime wall) { wall_ms_ = wall.ms; }

 private:
  std::atomic<int64_t> mono_ns_{1'000'000'000};
  std::atomic<int64_t> wall_ms_;
};

}  // namespace base
