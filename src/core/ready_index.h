// The ready jobs of one queue: per priority one ring for each type, merged by ready sequence.
// Suspects (jobs whose workers died) lie in rings of their own, since only a worker that holds
// nothing else may get one.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/job_list.h"
#include "core/limits.h"

namespace core {

class ReadyIndex {
 public:
  bool empty() const { return priorities_ == 0; }

  void insert(Job& job);
  void remove(Job& job);

  // Returns the job to start next, or null. `types` empty: of any type. `alone`: suspects may be
  // given.
  Job* first(std::span<const TypeName* const> types, bool alone) const;

  // Returns the job that has been ready longest by sequence, or null.
  const Job* oldest() const;

  // Returns all jobs in the order in which `first` would give them to a worker that takes any.
  // Walks them all: for listings and tests.
  std::vector<const Job*> in_order() const;

 private:
  struct Ring {
    const TypeName* type = nullptr;
    JobList plain;
    JobList suspects;
  };
  struct Level {
    std::vector<Ring> rings;  // Of the types that were ever ready here. In no order.
    uint64_t count = 0;
  };

  static Ring* find(Level& level, const TypeName* type);

  std::array<Level, limits::kPriorityCount> levels_;
  uint32_t priorities_ = 0;  // Bit p: level p holds a job.
};

}  // namespace core
