// The ready jobs of one queue: per priority one ring for each type, merged by ready sequence.
// Suspects (jobs whose workers died) lie in rings of their own, since only a worker that holds
// nothing else may get one.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "core/job_list.h"
#include "core/limits.h"

namespace core {

class ReadyIndex {
 public:
  bool empty() const { return priorities_ == 0; }

  void insert(Job& job);
  void remove(Job& job);

  // For which jobs a fetch is.
  struct Wanted {
    std::span<const TypeName* const> types = {};  // By address. Empty: any.
    bool alone = false;                           // Suspects too.
  };
  // Returns the job to start next, or null: none of a type that is paused.
  Job* first(const Wanted& wanted) const;
  // The same where priorities grow by one for each `step` that a job has been ready, up to the
  // highest: of the first of each priority the one that has grown highest; of equals the one that
  // became ready first. A job without record may be returned because it is not known yet how long
  // it has been ready: ask again when its record is there.
  Job* first_aged(const Wanted& wanted, base::Duration step, base::EngineTime now) const;

  // Returns the job that has been ready longest by sequence, paused or not, or null.
  Job* oldest() const;

  // The type is paused here, or no more.
  void hold(const TypeName& type);
  void let_go(const TypeName& type);
  // Whether it is, here or everywhere.
  bool holds(const TypeName& type) const;
  const std::vector<const TypeName*>& held() const { return held_; }  // Here.

  // The record of a job that is ready here has left memory, or is back.
  void note_absent(const Job& job);
  void note_present(const Job& job);
  // Calls `visit` for jobs without record among the next `most` behind the front of the ring in
  // which `job` is, or was until now; but only once for each half of them, so that it can be called
  // at each grant.
  template <typename Visit>
  void look_ahead(const Job& job, size_t most, Visit visit) {
    Ring* ring = find(levels_[job.priority], job.type);
    if (ring == nullptr || ring->absent == 0 || ring->seen_all) return;
    if (ring->seen > most / 2) return;
    ring->seen = 0;
    Job* next = ring->plain.front();
    for (; next != nullptr && ring->seen < most; next = next->link_next) {
      ++ring->seen;
      if (!next->record) visit(*next);
    }
    ring->seen_all = next == nullptr;
  }

  // Returns all jobs in the order in which `first` would give them to a worker that takes any.
  // Walks them all: for listings and tests.
  std::vector<const Job*> in_order() const;

 private:
  struct Ring {
    const TypeName* type = nullptr;
    JobList plain = {};
    JobList suspects = {};
    uint64_t absent = 0;    // Jobs whose record is not in memory.
    size_t seen = 0;        // Jobs from the front on that were asked for, or need not be.
    bool seen_all = false;  // That goes for all of them.
  };
  struct Level {
    std::vector<Ring> rings;  // Of the types that were ever ready here. In no order.
    uint64_t count = 0;
  };

  static Ring* find(Level& level, const TypeName* type);
  Job* first_of(const Level& level, const Wanted& wanted) const;

  std::array<Level, limits::kPriorityCount> levels_;
  uint32_t priorities_ = 0;                 // Bit p: level p holds a job.
  std::vector<const TypeName*> held_ = {};  // In order of their addresses.
};

}  // namespace core
