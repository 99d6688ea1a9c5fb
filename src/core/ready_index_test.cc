#include "core/ready_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>

#include "base/random.h"
#include "core/queue.h"

namespace core {
namespace {

class ReadyIndexTest : public testing::Test {
 protected:
  Job& add(uint64_t seq, int priority = 5, const TypeName* type = nullptr, uint32_t crashes = 0) {
    Job& job = jobs.emplace_back();
    job.id.value = jobs.size();
    job.record = std::make_unique<JobRecord>();
    job.set_ready_seq(seq);
    job.priority = static_cast<uint8_t>(priority) & kPriorityMask;
    job.type = const_cast<TypeName*>(type != nullptr ? type : &mail);
    job.is_suspect = crashes >= limits::kSuspectCrashes;
    index.insert(job);
    return job;
  }
  std::vector<uint64_t> order() const {
    std::vector<uint64_t> seqs;
    for (const Job* job : index.in_order()) seqs.push_back(job->ready_seq);
    return seqs;
  }
  Job* first(std::vector<const TypeName*> types = {}, bool alone = true) const {
    std::ranges::sort(types, std::less<>());
    return index.first({types, alone});
  }
  // With ageing by one for each kStep.
  Job* first_aged(std::vector<const TypeName*> types = {}, bool alone = true) const {
    std::ranges::sort(types, std::less<>());
    return index.first_aged({types, alone}, kStep, now);
  }

  static constexpr base::Duration kStep{1'000};
  base::EngineTime now{1'000'000};

  TypeName mail;
  TypeName video;
  std::deque<Job> jobs;
  ReadyIndex index;
};

TEST_F(ReadyIndexTest, IsEmptyUntilSomethingIsReady) {
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(first(), nullptr);
  EXPECT_EQ(index.oldest(), nullptr);
  Job& job = add(1);
  EXPECT_FALSE(index.empty());
  index.remove(job);
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(first(), nullptr);
}

TEST_F(ReadyIndexTest, GivesHigherPrioritiesFirstAndInThemTheOldest) {
  add(1, 0);
  add(2, 9);
  add(3, 5);
  add(4, 9);
  EXPECT_EQ(order(), (std::vector<uint64_t>{2, 4, 3, 1}));
  EXPECT_EQ(first()->ready_seq, 2U);
  EXPECT_EQ(index.oldest()->ready_seq, 1U);
}

TEST_F(ReadyIndexTest, MergesTypesByReadySequence) {
  add(1, 5, &mail);
  add(2, 5, &video);
  add(3, 5, &mail);
  EXPECT_EQ(order(), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(first({&video})->ready_seq, 2U);
  EXPECT_EQ(first({&video, &mail})->ready_seq, 1U);
}

TEST_F(ReadyIndexTest, PassesOverTypesThatAreHeld) {
  add(1, 9, &mail);
  add(2, 5, &video);
  index.hold(mail);
  index.hold(mail);
  EXPECT_EQ(first()->ready_seq, 2U);
  EXPECT_EQ(first({&mail}), nullptr);
  EXPECT_EQ(index.oldest()->ready_seq, 1U) << "it waits all the same";
  video.paused = true;
  EXPECT_EQ(first(), nullptr);
  index.let_go(mail);
  EXPECT_EQ(first()->ready_seq, 1U);
  EXPECT_TRUE(index.held().empty());
  EXPECT_FALSE(index.holds(mail));
  EXPECT_TRUE(index.holds(video));
}

TEST_F(ReadyIndexTest, AJobThatComesBackTakesItsOldPlace) {
  Job& front = add(1);
  Job& middle = add(2);
  add(3);
  index.remove(middle);
  index.remove(front);
  index.insert(middle);
  index.insert(front);
  EXPECT_EQ(order(), (std::vector<uint64_t>{1, 2, 3}));
}

TEST_F(ReadyIndexTest, SuspectsGoOnlyToWhoIsAlone) {
  add(1, 5, &mail, 2);
  add(2, 5, &mail, 1);
  EXPECT_EQ(first({}, true)->ready_seq, 1U);
  EXPECT_EQ(first({}, false)->ready_seq, 2U);
  EXPECT_EQ(order(), (std::vector<uint64_t>{1, 2})) << "a suspect keeps its place";
}

TEST_F(ReadyIndexTest, LooksBelowAPriorityThatHasNothingForTheFetch) {
  add(1, 9, &video);
  add(2, 1, &mail);
  EXPECT_EQ(first({&mail})->ready_seq, 2U);
}

class ReadyIndexAged : public ReadyIndexTest {
 protected:
  // Has been ready for so long.
  Job& add_aged(uint64_t seq, int priority, int64_t ms, const TypeName* type = nullptr) {
    Job& job = add(seq, priority, type);
    job.record->ready_at = now - base::Duration{ms};
    return job;
  }
};

TEST_F(ReadyIndexAged, APriorityGrowsByOneForEachWholeStep) {
  add_aged(1, 3, 1'999);
  add_aged(2, 5, 0);
  EXPECT_EQ(first_aged()->ready_seq, 2U) << "3 has become 4";
  now += base::Duration{1};
  EXPECT_EQ(first_aged()->ready_seq, 1U) << "5 both, and it became ready first";
  EXPECT_EQ(first()->ready_seq, 2U) << "without ageing";
}

TEST_F(ReadyIndexAged, OfEqualsTheOlderOneWinsWhateverTheyWerePushedWith) {
  add_aged(2, 4, 1'000);
  add_aged(1, 5, 0);
  EXPECT_EQ(first_aged()->ready_seq, 1U);
  add_aged(0, 3, 2'000);
  EXPECT_EQ(first_aged()->ready_seq, 0U);
}

TEST_F(ReadyIndexAged, NoneGrowsBeyondTheHighest) {
  add_aged(2, 0, 1'000'000);
  Job& high = add_aged(1, 9, 500'000);
  EXPECT_EQ(first_aged()->ready_seq, 1U) << "9 both";
  index.remove(high);
  high.set_ready_seq(3);
  index.insert(high);
  EXPECT_EQ(first_aged()->ready_seq, 2U);
}

TEST_F(ReadyIndexAged, PassesOverWhatTheFetchDoesNotTake) {
  add_aged(1, 0, 900'000, &video);
  add_aged(2, 5, 0, &mail);
  EXPECT_EQ(first_aged()->ready_seq, 1U);
  EXPECT_EQ(first_aged({&mail})->ready_seq, 2U);
  index.hold(video);
  EXPECT_EQ(first_aged()->ready_seq, 2U);
  index.hold(mail);
  EXPECT_EQ(first_aged(), nullptr);
  add(3, 0, nullptr, 2);
  index.let_go(mail);
  EXPECT_EQ(first_aged({}, true)->ready_seq, 3U) << "a suspect, ready since ever";
  EXPECT_EQ(first_aged({}, false)->ready_seq, 2U);
}

TEST_F(ReadyIndexAged, AsksForTheRecordsOfTheFirstOnesAlone) {
  add_aged(1, 0, 0);
  Job& front = add_aged(2, 5, 0);
  Job& behind = add_aged(3, 5, 0);
  for (Job* job : {&front, &behind}) {
    job->record.reset();
    index.note_absent(*job);
  }
  EXPECT_EQ(first_aged(), &front);
  front.record = std::make_unique<JobRecord>();
  front.record->ready_at = now;
  index.note_present(front);
  EXPECT_EQ(first_aged(), &front);
  now += base::Duration{5'000};
  front.record->ready_at = now;
  EXPECT_EQ(first_aged()->ready_seq, 1U) << "that behind the first was not needed";
}

class ReadyIndexAhead : public ReadyIndexTest {
 protected:
  static constexpr size_t kAhead = 8;

  // A ready job whose record has left memory.
  Job& add_absent(uint64_t seq, const TypeName* of = nullptr) {
    Job& job = add(seq, 5, of);
    job.record.reset();
    index.note_absent(job);
    return job;
  }
  void bring_back(Job& job) {
    job.record = std::make_unique<JobRecord>();
    index.note_present(job);
  }
  // The ready sequences of the jobs that are asked for when `job` is granted.
  std::vector<uint64_t> ahead_of(const Job& job) {
    std::vector<uint64_t> seqs;
    index.look_ahead(job, kAhead, [&](const Job& next) { seqs.push_back(next.ready_seq); });
    return seqs;
  }
};

TEST_F(ReadyIndexAhead, AsksForNothingWhereAllRecordsAreThere) {
  for (uint64_t seq = 1; seq <= 20; ++seq) add(seq);
  EXPECT_TRUE(ahead_of(jobs[0]).empty());
  Job& absent = add_absent(21);
  bring_back(absent);
  EXPECT_TRUE(ahead_of(jobs[0]).empty());
}

TEST_F(ReadyIndexAhead, AsksForTheNextOnesOfTheSameTypeThatAreMissing) {
  add(1);
  add_absent(2);
  add(3);
  add_absent(4, &video);
  for (uint64_t seq = 5; seq <= 20; ++seq) add_absent(seq);
  EXPECT_EQ(ahead_of(jobs[0]), (std::vector<uint64_t>{2, 5, 6, 7, 8, 9}));
}

TEST_F(ReadyIndexAhead, AsksForEachJobOnceForEachHalfOfTheWindow) {
  for (uint64_t seq = 1; seq <= 40; ++seq) add_absent(seq);
  std::vector<size_t> asked(41);
  size_t looks = 0;
  for (Job& job : jobs) {
    if (!job.record) bring_back(job);
    index.remove(job);
    const std::vector<uint64_t> seqs = ahead_of(job);
    if (!seqs.empty()) ++looks;
    for (const uint64_t seq : seqs) ++asked[seq];
    if (job.ready_seq < 40) {
      EXPECT_GE(asked[job.ready_seq + 1], 1U) << "in time for the next grant";
    }
  }
  for (uint64_t seq = 2; seq <= 40; ++seq) EXPECT_LE(asked[seq], 2U) << seq;
  EXPECT_LE(looks, 40 / (kAhead / 2) + 1);
}

TEST_F(ReadyIndexAhead, LooksAgainWhenARecordHasLeftMemory) {
  for (uint64_t seq = 1; seq <= 5; ++seq) add_absent(seq);
  EXPECT_EQ(ahead_of(jobs[0]).size(), 5U);
  EXPECT_TRUE(ahead_of(jobs[0]).empty());
  for (Job& job : jobs) bring_back(job);
  jobs[2].record.reset();
  index.note_absent(jobs[2]);
  EXPECT_EQ(ahead_of(jobs[0]), std::vector<uint64_t>{3});
}

TEST_F(ReadyIndexAhead, AJobThatComesWithoutRecordIsMissingUntilItIsTakenOut) {
  add(1);
  Job& job = add(2);
  index.remove(job);
  job.record.reset();
  index.insert(job);
  EXPECT_EQ(ahead_of(jobs[0]), std::vector<uint64_t>{2});
  index.remove(job);
  EXPECT_TRUE(ahead_of(jobs[0]).empty());
}

// Whatever comes and goes, the order is that of a sort.
TEST_F(ReadyIndexTest, AgreesWithASortedListUnderRandomChanges) {
  base::SeededRandom random(7);
  std::vector<Job*> inside;
  std::vector<Job*> outside;
  uint64_t next = 1;
  for (int step = 0; step < 3'000; ++step) {
    const uint64_t what = random.below(3);
    if (what == 0 && !inside.empty()) {
      const size_t at = random.below(inside.size());
      index.remove(*inside[at]);
      outside.push_back(inside[at]);
      inside.erase(inside.begin() + static_cast<ptrdiff_t>(at));
    } else if (what == 1 && !outside.empty()) {
      const size_t at = random.below(outside.size());
      if (random.below(2) == 0) {
        outside[at]->set_ready_seq(next++);
        outside[at]->record->ready_at = now;
      }
      index.insert(*outside[at]);
      inside.push_back(outside[at]);
      outside.erase(outside.begin() + static_cast<ptrdiff_t>(at));
    } else if (jobs.size() < 200) {
      inside.push_back(&add(next++, static_cast<int>(random.below(10)),
                            random.below(2) == 0 ? &mail : &video,
                            static_cast<uint32_t>(random.below(4))));
      inside.back()->record->ready_at = now;
    }
    now += base::Duration{static_cast<int64_t>(random.below(200))};
    std::ranges::sort(inside, [](const Job* a, const Job* b) {
      if (a->priority != b->priority) return a->priority > b->priority;
      return a->ready_seq < b->ready_seq;
    });
    ASSERT_TRUE(std::ranges::equal(index.in_order(), inside)) << "step " << step;
    ASSERT_EQ(first(), inside.empty() ? nullptr : inside.front());
    const auto grown = [&](const Job* job) {
      const int64_t priority = job->priority + (now - job->record->ready_at) / kStep;
      return std::min<int64_t>(priority, limits::kPriorityMax);
    };
    const auto oldest = std::ranges::min_element(inside, [&](const Job* a, const Job* b) {
      if (grown(a) != grown(b)) return grown(a) > grown(b);
      return a->ready_seq < b->ready_seq;
    });
    ASSERT_EQ(first_aged(), oldest == inside.end() ? nullptr : *oldest);
  }
}

}  // namespace
}  // namespace core
