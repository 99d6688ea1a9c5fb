// Recounts all jobs and looks whether each stands where its state says, a slice at a time while
// commands go on. What it finds is a fault of Dray or of the machine's memory, never of a client.
//
// Threading: as its State.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/job.h"

namespace core {

class State;

struct AuditReport {
  uint64_t jobs = 0;  // Looked at.
  uint64_t findings = 0;
  std::vector<std::string> texts;  // Of the first findings; what and where.
};

class Audit {
 public:
  static constexpr size_t kTextsMax = 16;

  bool running() const { return running_; }
  void begin(const State& state);
  // Looks at the next jobs, `places_most` places of the table. Returns whether all were seen: then
  // the report is whole, and nothing runs any more.
  bool step(const State& state, uint32_t places_most);
  const AuditReport& report() const { return report_; }

  // The job came to (1) or left (-1) its queue's count of its state. Requires: running().
  void note(const State& state, const Job& job, int64_t by);

 private:
  using Counts = std::array<int64_t, kJobStateCount>;

  bool was_seen(uint32_t place) const { return place <= seen_ || place > last_; }
  Counts& counts_of(const Queue& queue);
  void look(const State& state, const Job& job);
  void compare(const State& state);
  void find(std::string text);

  bool running_ = false;
  uint32_t seen_ = 0;           // Places up to this one, and
  uint32_t last_ = 0;           // places behind this one count as they come and go.
  std::vector<Counts> counts_;  // By queue index.
  AuditReport report_;
};

// Jobs that were pushed and are neither kept nor deleted nor retired, nor set aside: 0, or negative
// if there are more than were pushed. Damaged jobs that were deleted before the start count too.
int64_t unaccounted_jobs(const State& state);

}  // namespace core
