#include "core/job_table.h"

#include <algorithm>

#include "base/assert.h"

namespace core {

JobTable::Page* JobTable::page_of(JobId id) const {
  const uint64_t number = id.value >> kPageBits;
  if (cached_page_ != nullptr && cached_number_ == number) return cached_page_;
  const auto found = pages_.find(number);
  if (found == pages_.end()) return nullptr;
  cached_number_ = number;
  cached_page_ = found->second.get();
  return cached_page_;
}

Job* JobTable::find(JobId id) const {
  const Page* page = page_of(id);
  if (page == nullptr) return nullptr;
  const uint32_t place = page->places[id.value % kPageSlots];
  return place == 0 ? nullptr : &job_at(place);
}

Job& JobTable::insert(Job&& job) {
  const JobId id = job.id;
  Page* page = page_of(id);
  if (page == nullptr) {
    page = (pages_[id.value >> kPageBits] = std::make_unique<Page>()).get();
  }
  uint32_t& place = page->places[id.value % kPageSlots];
  ASSERT(place == 0, "job {} is there already", id.value);
  if (!free_.empty()) {
    place = free_.back();
    free_.pop_back();
  } else {
    if (places_ % kBlockJobs == 0) blocks_.push_back(std::make_unique<Block>());
    place = ++places_;
  }
  ++page->used;
  ++size_;
  return job_at(place) = std::move(job);
}

void JobTable::remove(Job& job) {
  const JobId id = job.id;
  Page* page = page_of(id);
  ASSERT(page != nullptr, "job {} is not there", id.value);
  uint32_t& place = page->places[id.value % kPageSlots];
  ASSERT(place != 0 && &job_at(place) == &job, "job {} is not there", id.value);
  ASSERT(!job.linked && job.timer_place == 0 && job.wall_timer_place == 0, "job {} is on an index",
         id.value);
  job = Job{};
  free_.push_back(std::exchange(place, 0));
  --size_;
  if (--page->used == 0) {
    cached_page_ = nullptr;
    pages_.erase(id.value >> kPageBits);
  }
}

uint32_t JobTable::place_of(const Job& job) const {
  const Page* page = page_of(job.id);
  ASSERT(page != nullptr, "job {} is not there", job.id.value);
  return page->places[job.id.value % kPageSlots];
}

std::vector<uint64_t> JobTable::page_numbers() const {
  std::vector<uint64_t> numbers;
  numbers.reserve(pages_.size());
  for (const auto& [number, page] : pages_) numbers.push_back(number);
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace core
