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
  return page == nullptr ? nullptr : page->slots[id.value % kPageSlots].get();
}

Job& JobTable::insert(std::unique_ptr<Job> job) {
  const JobId id = job->id;
  Page* page = page_of(id);
  if (page == nullptr) {
    page = (pages_[id.value >> kPageBits] = std::make_unique<Page>()).get();
  }
  std::unique_ptr<Job>& slot = page->slots[id.value % kPageSlots];
  ASSERT(!slot, "job {} is there already", id.value);
  slot = std::move(job);
  ++page->used;
  ++size_;
  return *slot;
}

std::unique_ptr<Job> JobTable::remove(JobId id) {
  Page* page = page_of(id);
  ASSERT(page != nullptr, "job {} is not there", id.value);
  std::unique_ptr<Job> job = std::move(page->slots[id.value % kPageSlots]);
  ASSERT(job != nullptr, "job {} is not there", id.value);
  --size_;
  if (--page->used == 0) {
    cached_page_ = nullptr;
    pages_.erase(id.value >> kPageBits);
  }
  return job;
}

std::vector<uint64_t> JobTable::page_numbers() const {
  std::vector<uint64_t> numbers;
  numbers.reserve(pages_.size());
  for (const auto& [number, page] : pages_) numbers.push_back(number);
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace core
