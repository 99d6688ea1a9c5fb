// All jobs by id. Ids are given in order, so a job is found by page and slot, without a hash of its
// own; a page without jobs is freed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/job.h"

namespace core {

class JobTable {
 public:
  size_t size() const { return size_; }

  // Returns null for an id that has no record.
  Job* find(JobId id) const;
  // Requires: the id has no record.
  Job& insert(std::unique_ptr<Job> job);
  // Requires: the id has a record.
  std::unique_ptr<Job> remove(JobId id);

  // The pages that hold jobs, in order: for a walk in slices. A page may be gone when its turn
  // comes.
  std::vector<uint64_t> page_numbers() const;
  // Calls `visit(Job&)` for each job of the page, in order of id.
  template <typename Visit>
  void for_each_in_page(uint64_t number, Visit visit) const {
    const auto found = pages_.find(number);
    if (found == pages_.end()) return;
    for (const std::unique_ptr<Job>& slot : found->second->slots) {
      if (slot) visit(*slot);
    }
  }

 private:
  static constexpr int kPageBits = 10;
  static constexpr size_t kPageSlots = size_t{1} << kPageBits;

  struct Page {
    std::array<std::unique_ptr<Job>, kPageSlots> slots;
    size_t used = 0;
  };

  Page* page_of(JobId id) const;

  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages_;
  size_t size_ = 0;
  mutable uint64_t cached_number_ = 0;  // The page looked at last: most look-ups are neighbours.
  mutable Page* cached_page_ = nullptr;
};

}  // namespace core
