// What a worker asks for next, if anything. Pure: no clock, no socket.
//
// The rule behind it: a job whose workers died (a suspect) is leased only to a fetch of one job by
// a worker that holds nothing, and the crash that makes it dead must have been alone. So a worker
// (1) says truly what it holds, (2) asks for one job first when it holds nothing, (3) runs a job
// that may die by its next crash alone to its end, and (4) when it is never empty by itself, makes
// itself empty from time to time.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "dray/worker.h"
#include "sdk/cpp/deadline.h"

namespace dray::detail {

struct FetchState {
  size_t held = 0;          // Leases, those whose end is being delivered included.
  size_t busy = 0;          // Threads that run a handler, also one whose lease is over.
  bool quiet = false;       // The server wants no more fetches.
  bool runs_alone = false;  // The one that is held must have no company.
  base::MonoTime now = {};
};

struct FetchPlan {
  enum class Kind : uint8_t { kFetch, kWait };

  Kind kind = Kind::kWait;
  int count = 0;
  size_t holding = 0;  // To be said when it is not 0.
  milliseconds block{0};
  // Of kWait: look again at this time, if nothing changed before.
  Deadline until = Deadline::never();
};

// Threading: one owner.
class FetchPlanner {
 public:
  FetchPlanner(const WorkerOptions& options, base::MonoTime now);

  FetchPlan plan(const FetchState& state);

 private:
  const size_t concurrency_;
  const milliseconds block_;
  const milliseconds interval_;
  const milliseconds patience_;
  base::MonoTime alone_last_;      // When a fetch could last be given a suspect.
  base::MonoTime emptying_since_;  // Of the pause under way; 0: none.
};

// Whether a job may be made dead by the next loss of its lease, so that it needs to be alone.
bool may_die_by_crash(const JobRecord& job);

}  // namespace dray::detail
