#include "core/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/random.h"

namespace core {
namespace {

using Heap = TimerHeap<&Job::timer_place>;

TEST(TimerHeap, GivesTheEarliestAndInATieTheLowerId) {
  std::deque<Job> jobs(3);
  Heap heap;
  for (size_t i = 0; i < jobs.size(); ++i) jobs[i].id.value = i + 1;
  heap.set(jobs[2], true, 10);
  heap.set(jobs[0], true, 10);
  heap.set(jobs[1], true, 5);
  EXPECT_EQ(heap.next().id.value, 2U);
  heap.set(jobs[1], false, 0);
  EXPECT_EQ(jobs[1].timer_place, 0U);
  EXPECT_EQ(heap.next().id.value, 1U);
  EXPECT_EQ(heap.next_ms(), 10);
  EXPECT_EQ(heap.size(), 2U);
}

TEST(TimerHeap, ATimerThatIsNotThereCanBeTakenOut) {
  Job job;
  Heap heap;
  heap.set(job, false, 0);
  EXPECT_TRUE(heap.empty());
}

class TimerHeapVisit : public testing::Test {
 protected:
  TimerHeapVisit() {
    base::SeededRandom random(4);
    for (uint64_t id = 1; id <= 500; ++id) {
      Job& job = jobs.emplace_back();
      job.id.value = id;
      at[id] = static_cast<int64_t>(random.below(1'000));
      heap.set(job, true, at[id]);
    }
  }
  std::set<uint64_t> visited(int64_t at_ms, size_t most) const {
    std::set<uint64_t> ids;
    heap.visit_until(at_ms, most, [&](const Job& job) {
      EXPECT_TRUE(ids.insert(job.id.value).second) << "visited twice";
    });
    return ids;
  }

  std::deque<Job> jobs;
  std::map<uint64_t, int64_t> at;  // By id.
  Heap heap;
};

TEST_F(TimerHeapVisit, VisitsAllThatAreDueByThenAndNoOther) {
  for (const int64_t at_ms : {-1, 0, 10, 500, 999}) {
    std::set<uint64_t> due;
    for (const auto& [id, job_at_ms] : at) {
      if (job_at_ms <= at_ms) due.insert(id);
    }
    EXPECT_EQ(visited(at_ms, jobs.size()), due) << at_ms;
  }
}

TEST_F(TimerHeapVisit, VisitsNoMoreThanItIsTold) {
  EXPECT_EQ(visited(1'000, 7).size(), 7U);
  EXPECT_TRUE(visited(1'000, 0).empty());
  Heap().visit_until(1'000, 7, [](const Job&) { FAIL(); });
}

// Set, move and take out in random order: the earliest is always that of a sorted map.
TEST(TimerHeap, AgreesWithASortedMapUnderRandomChanges) {
  base::SeededRandom random(3);
  std::deque<Job> jobs(100);
  for (size_t i = 0; i < jobs.size(); ++i) jobs[i].id.value = i + 1;
  Heap heap;
  std::map<uint64_t, int64_t> at;
  for (int step = 0; step < 20'000; ++step) {
    Job& job = jobs[random.below(jobs.size())];
    if (random.below(4) == 0) {
      heap.set(job, false, 0);
      at.erase(job.id.value);
    } else {
      const auto time = static_cast<int64_t>(random.below(50));
      heap.set(job, true, time);
      at[job.id.value] = time;
    }
    ASSERT_EQ(heap.size(), at.size());
    if (at.empty()) continue;
    const auto least = std::ranges::min_element(
        at, {}, [](const auto& entry) { return std::pair(entry.second, entry.first); });
    ASSERT_EQ(heap.next_ms(), least->second);
    ASSERT_EQ(heap.next().id.value, least->first);
  }
}

}  // namespace
}  // namespace core
