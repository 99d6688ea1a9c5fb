// Engine time: what the journal last told of, plus what passed since on the monotonic clock. It
// never steps back while the server runs; over a crash it may lose what the journal was not told,
// which is half a minute at most.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "core/limits.h"

namespace engine {

class EngineClock {
 public:
  // `recovered`: the last moment the journal tells of. The time in between is taken from the wall
  // clock, as far as that can be believed.
  EngineClock(const base::Clock& clock, std::optional<base::Now> recovered) : clock_(clock) {
    restart(recovered);
  }

  void restart(std::optional<base::Now> recovered) {
    start_ = clock_.mono();
    base_ms_ = 0;
    if (!recovered) return;
    const int64_t gap_ms = clock_.wall().ms - recovered->wall.ms;
    base_ms_ =
        recovered->engine.ms + std::clamp<int64_t>(gap_ms, 0, core::limits::kRestartGapMsMax);
  }

  base::Now now() const {
    constexpr int64_t kNsPerMs = 1'000'000;
    const int64_t since_ms = (clock_.mono() - start_).count() / kNsPerMs;
    return {base::EngineTime{base_ms_ + since_ms}, clock_.wall()};
  }

 private:
  const base::Clock& clock_;
  base::MonoTime start_;
  int64_t base_ms_ = 0;
};

}  // namespace engine
