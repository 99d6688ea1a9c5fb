// When a key ends: never, by engine time (EX, PX, EXPIRE) or by the calendar (EXAT, PXAT).
#pragma once

#include <cstdint>

#include "base/time.h"

namespace core {

struct KeyExpiry {
  enum class Clock : uint8_t { kNone, kEngine, kWall };

  Clock clock = Clock::kNone;
  int64_t ms = 0;  // On that clock; 0 without one.

  bool is_set() const { return clock != Clock::kNone; }
  // What is left; 0 or less: it is over. Requires: is_set().
  int64_t left_ms(base::Now now) const {
    return ms - (clock == Clock::kWall ? now.wall.ms : now.engine.ms);
  }
  bool is_over(base::Now now) const { return is_set() && left_ms(now) <= 0; }

  friend bool operator==(const KeyExpiry&, const KeyExpiry&) = default;
};

}  // namespace core
