#include "core/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

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
    const auto least = std::ranges::min_element(at, {}, [](const auto& entry) {
      return std::pair(entry.second, entry.first);
    });
    ASSERT_EQ(heap.next_ms(), least->second);
    ASSERT_EQ(heap.next().id.value, least->first);
  }
}

}  // namespace
}  // namespace core
