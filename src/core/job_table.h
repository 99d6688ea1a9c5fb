// All jobs by id. Ids are given in order, so a job is found by page and slot, without a hash of its
// own; a page without jobs is freed. The jobs themselves lie in blocks and stay where they are for
// as long as they are in the table; a place that is left is used again.
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

  // Returns null for an id that is not there.
  Job* find(JobId id) const;
  // Requires: the id is not there.
  Job& insert(Job&& job);
  // Requires: the job is of this table.
  void remove(Job& job);

  // The pages that hold jobs, in order: for a walk in slices. A page may be gone when its turn
  // comes.
  std::vector<uint64_t> page_numbers() const;
  // The same without an order: places are numbered from 1 to `places()`, and a job keeps its own.
  uint32_t places() const { return places_; }
  uint32_t place_of(const Job& job) const;
  // Calls `visit(Job&)` for each job in these places.
  template <typename Visit>
  void for_each_in_places(uint32_t first, uint32_t last, Visit visit) const {
    for (uint32_t place = first; place <= last; ++place) {
      Job& job = job_at(place);
      if (job.queue != nullptr) visit(job);
    }
  }
  // Calls `visit(Job&)` for each job of the page, in order of id.
  template <typename Visit>
  void for_each_in_page(uint64_t number, Visit visit) const {
    const auto found = pages_.find(number);
    if (found == pages_.end()) return;
    for (const uint32_t place : found->second->places) {
      if (place != 0) visit(job_at(place));
    }
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const uint64_t page : page_numbers()) for_each_in_page(page, visit);
  }

 private:
  // Few to a page: a job that is kept when its neighbours are long gone should not cost much.
  static constexpr int kPageBits = 6;
  static constexpr size_t kPageSlots = size_t{1} << kPageBits;
  static constexpr int kBlockBits = 10;
  static constexpr size_t kBlockJobs = size_t{1} << kBlockBits;

  struct Page {
    std::array<uint32_t, kPageSlots> places{};  // 1-based, of the jobs in the blocks; 0: none.
    uint32_t used = 0;
  };
  using Block = std::array<Job, kBlockJobs>;

  Page* page_of(JobId id) const;
  Job& job_at(uint32_t place) const {
    return (*blocks_[(place - 1) >> kBlockBits])[(place - 1) % kBlockJobs];
  }

  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<uint32_t> free_;  // Places that were left.
  uint32_t places_ = 0;         // Ever used.
  size_t size_ = 0;
  mutable uint64_t cached_number_ = 0;  // The page looked at last: most look-ups are neighbours.
  mutable Page* cached_page_ = nullptr;
};

}  // namespace core
