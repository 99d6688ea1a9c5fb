// Points in time that cannot be mixed up. Nothing here reads a clock: that is base/clock.h.
#pragma once
#include <fmt/core.h>

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>

namespace base {

// A length of time in milliseconds, as all rules about jobs count it. `30s` converts.
using Duration = std::chrono::duration<int64_t, std::milli>;

// Adds without wrapping: beyond the ends it stays at the end, so that "never" stays never.
constexpr int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

// A point in time in milliseconds on the clock that Tag stands for. Adding a Duration saturates.
template <class Tag>
struct Instant {
  int64_t ms = 0;

  // Later than all others; what has no deadline has this one.
  static constexpr Instant never() { return Instant{std::numeric_limits<int64_t>::max()}; }

  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant t, Duration d) {
    return Instant{saturating_add(t.ms, d.count())};
  }
  // Saturates as well: the least number has no opposite.
  friend constexpr Instant operator-(Instant t, Duration d) {
    constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
    if (d.count() == kLeast) return Instant{saturating_add(saturating_add(t.ms, -(kLeast + 1)), 1)};
    return Instant{saturating_add(t.ms, -d.count())};
  }
  constexpr Instant& operator+=(Duration d) { return *this = *this + d; }
  // Requires: the difference fits, as it does for any two readings of a clock.
  friend constexpr Duration operator-(Instant a, Instant b) { return Duration{a.ms - b.ms}; }
};

// The server's own time: persisted, counts while it runs, never steps back. Leases, delays,
// back-off, time-outs and limits run on it.
using EngineTime = Instant<struct EngineTimeTag>;

// Calendar time, milliseconds since 1970 in UTC. It can step. AT and cron compare with it.
using WallTime = Instant<struct WallTimeTag>;

// What one pass of the engine takes as "now": both clocks, read together.
struct Now {
  EngineTime engine;
  WallTime wall;

  friend constexpr bool operator==(const Now&, const Now&) = default;
};

// A reading of the machine's monotonic clock in nanoseconds. It means nothing to another process:
// never stored, never sent. For measuring, and as the motor of engine time.
struct MonoTime {
  int64_t ns = 0;

  friend constexpr auto operator<=>(const MonoTime&, const MonoTime&) = default;
  friend constexpr MonoTime operator+(MonoTime t, std::chrono::nanoseconds d) {
    return MonoTime{saturating_add(t.ns, d.count())};
  }
  friend constexpr std::chrono::nanoseconds operator-(MonoTime a, MonoTime b) {
    return std::chrono::nanoseconds{a.ns - b.ns};
  }
};

// Writes a wall time as RFC 3339 in UTC with milliseconds: 2026-03-01T12:00:00.000Z.
// Outside the years 0 to 9999 it is the number of milliseconds.
std::string rfc3339(WallTime time);

}  // namespace base

template <class Tag>
struct fmt::formatter<base::Instant<Tag>> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(base::Instant<Tag> time, Context& context) const {
    if (time == base::Instant<Tag>::never()) return fmt::format_to(context.out(), "never");
    return fmt::format_to(context.out(), "{}ms", time.ms);
  }
};

template <>
struct fmt::formatter<base::MonoTime> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(base::MonoTime time, Context& context) const {
    return fmt::format_to(context.out(), "{}ns", time.ns);
  }
};
