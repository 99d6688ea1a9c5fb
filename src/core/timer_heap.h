// Jobs by the next moment at which something happens to them. A four-way heap that knows where each
// job lies, so that a timer is moved or taken out at once and no dead entry stays behind.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "core/job.h"

namespace core {

// `Place` is the member of Job that holds its 1-based place in this heap.
template <uint32_t Job::*Place>
class TimerHeap {
 public:
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  int64_t next_ms() const { return entries_.front().at_ms; }
  Job& next() const { return *entries_.front().job; }

  // Visits up to `most` of those that are due by `at_ms`, in no order.
  template <typename Visit>
  void visit_until(int64_t at_ms, size_t most, Visit visit) const {
    std::vector<size_t> open;
    if (!entries_.empty()) open.push_back(0);
    while (!open.empty() && most > 0) {
      const size_t index = open.back();
      open.pop_back();
      if (entries_[index].at_ms > at_ms) continue;
      visit(*entries_[index].job);
      --most;
      const size_t first = index * kWays + 1;
      const size_t end = std::min(first + kWays, entries_.size());
      for (size_t child = first; child < end; ++child) open.push_back(child);
    }
  }

  // Whether the job has a timer here, as it says itself.
  bool holds(const Job& job) const {
    const uint32_t place = job.*Place;
    return place != 0 && place <= entries_.size() && entries_[place - 1].job == &job;
  }

  // Sets, moves or (with `wanted` false) takes out the timer of `job`.
  void set(Job& job, bool wanted, int64_t at_ms) {
    const uint32_t place = job.*Place;
    if (!wanted) {
      if (place != 0) remove(place - 1);
      return;
    }
    if (place == 0) {
      entries_.push_back({at_ms, &job});
      rise(entries_.size() - 1);
      return;
    }
    Entry& entry = entries_[place - 1];
    if (entry.at_ms == at_ms) return;
    const bool earlier = at_ms < entry.at_ms;
    entry.at_ms = at_ms;
    earlier ? rise(place - 1) : sink(place - 1);
  }

 private:
  struct Entry {
    int64_t at_ms;
    Job* job;
  };
  static constexpr size_t kWays = 4;

  // Ties go by id, so that the order does not depend on history.
  static bool before(const Entry& a, const Entry& b) {
    return a.at_ms != b.at_ms ? a.at_ms < b.at_ms : a.job->id < b.job->id;
  }
  void put(size_t index, const Entry& entry) {
    entries_[index] = entry;
    entry.job->*Place = static_cast<uint32_t>(index + 1);
  }
  void rise(size_t index) {
    const Entry entry = entries_[index];
    while (index > 0) {
      const size_t parent = (index - 1) / kWays;
      if (!before(entry, entries_[parent])) break;
      put(index, entries_[parent]);
      index = parent;
    }
    put(index, entry);
  }
  void sink(size_t index) {
    const Entry entry = entries_[index];
    while (true) {
      const size_t first = index * kWays + 1;
      if (first >= entries_.size()) break;
      size_t least = first;
      const size_t end = std::min(first + kWays, entries_.size());
      for (size_t child = first + 1; child < end; ++child) {
        if (before(entries_[child], entries_[least])) least = child;
      }
      if (!before(entries_[least], entry)) break;
      put(index, entries_[least]);
      index = least;
    }
    put(index, entry);
  }
  void remove(size_t index) {
    ASSERT(index < entries_.size());
    entries_[index].job->*Place = 0;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (index == entries_.size()) return;
    entries_[index] = last;
    last.job->*Place = static_cast<uint32_t>(index + 1);
    rise(index);
    sink(last.job->*Place - 1);
  }

  std::vector<Entry> entries_;
};

}  // namespace core
