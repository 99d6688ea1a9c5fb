// Recounts all jobs every hour, in slices between commands, and reports what does not agree.
//
// Threading: one thread at a time, the one that runs a turn; counters from any.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"
#include "core/state.h"

namespace engine {

struct AuditorCounters {
  std::atomic<uint64_t> audits = 0;      // That came to their end.
  std::atomic<uint64_t> findings = 0;    // Of the last of them.
  std::atomic<int64_t> unaccounted = 0;  // At the last of them, or at the start.
};

class Auditor {
 public:
  // Headers looked at in one turn: some tens of microseconds.
  static constexpr uint32_t kPlacesPerTurn = 4'096;

  // Before start().
  void set_every(base::Duration every) { every_ = every; }
  // The first audit begins an interval later. Jobs that are not accounted for now are not news.
  void start(const core::State& state, base::EngineTime now);
  // Does its part of a turn. Returns whether an audit begins with it.
  bool step(core::State& state, base::EngineTime now);
  // When the next step has something to do.
  base::EngineTime next_due() const { return next_; }

  const AuditorCounters& counters() const { return counters_; }

 private:
  void report(const core::State& state);

  base::Duration every_{int64_t{3'600} * 1'000};
  base::EngineTime next_;
  int64_t unaccounted_ = 0;
  AuditorCounters counters_;
};

}  // namespace engine
