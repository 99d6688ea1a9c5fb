#include "base/clock.h"

#include <ctime>

#include "base/assert.h"

namespace base {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kNsPerMs = 1'000'000;

int64_t read_ns(clockid_t id) {
  timespec now{};
  const int failed = clock_gettime(id, &now);
  ASSERT(failed == 0, "clock {}", id);
  return int64_t{now.tv_sec} * kNsPerSecond + now.tv_nsec;
}

}  // namespace

MonoTime SystemClock::mono() const {
  return MonoTime{read_ns(CLOCK_MONOTONIC)};
}

WallTime SystemClock::wall() const {
  return WallTime{read_ns(CLOCK_REALTIME) / kNsPerMs};
}

void ManualClock::advance(Duration duration) {
  ASSERT(duration.count() >= 0, "duration {} ms", duration.count());
  mono_ns_ += duration.count() * kNsPerMs;
  wall_ms_ += duration.count();
}

void ManualClock::advance_mono(std::chrono::nanoseconds step) {
  ASSERT(step.count() >= 0, "step {} ns", step.count());
  mono_ns_ += step.count();
}

}  // namespace base
