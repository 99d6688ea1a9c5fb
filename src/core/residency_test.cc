#include "core/residency.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "core/queue.h"

namespace core {
namespace {

using Contents = std::map<uint64_t, std::string>;

// A table of ready jobs that differ by their args, and tables that take them.
class ResidencyTest : public testing::Test {
 protected:
  Job& add(uint64_t id, const std::string& args = "first") {
    Job fresh;
    fresh.id.value = id;
    fresh.queue = &queue;
    fresh.type = &type;
    fresh.record = std::make_unique<JobRecord>();
    fresh.set_ready_seq(id);
    Job& job = table.insert(std::move(fresh));
    residency.before_change(job);
    set_args(job, args);
    queue.ready.insert(job);
    return job;
  }
  void change(Job& job, const std::string& args) {
    residency.before_change(job);
    residency.discount(job);
    residency.subtract_bytes(job.record->bytes);
    set_args(job, args);
  }
  void remove(Job& job) {
    residency.before_removal(job);
    if (job.record) {
      residency.discount(job);
      residency.subtract_bytes(job.record->bytes);
    }
    if (job.linked) queue.ready.remove(job);
    table.remove(job);
  }
  void run(Job& job) {
    residency.before_change(job);
    queue.ready.remove(job);
    job.state = JobState::kRunning;
  }
  // What was asked for comes from the rows.
  void read(Job& job) {
    job.wanted = false;
    job.record = std::make_unique<JobRecord>();
    job.record->args = rows.at(job.id.value);
    job.record->bytes = bytes_of(job.record->args);
    residency.add_bytes(job.record->bytes);
    residency.pool(job);
    if (job.linked) queue.ready.note_present(job);
  }

  // Begins a flush.
  void freeze() {
    for (const JobId id : residency.freeze([this](const Job& job) {
           EXPECT_TRUE(taken.emplace(job.id.value, job.record->args).second) << "taken twice";
         })) {
      erased.push_back(id.value);
    }
  }
  void finish(uint64_t memory_max = UINT64_MAX) {
    while (!residency.take_some(1)) {
    }
    for (const uint64_t id : erased) rows.erase(id);
    for (const auto& [id, args] : taken) rows.insert_or_assign(id, args);
    taken.clear();
    erased.clear();
    residency.flush_done(memory_max);
  }
  void flush(uint64_t memory_max = UINT64_MAX) {
    freeze();
    finish(memory_max);
  }

  static size_t bytes_of(const std::string& args) { return 100 + args.size(); }
  std::vector<uint64_t> in_memory() const {
    std::vector<uint64_t> ids;
    table.for_each([&](const Job& job) {
      if (job.record) ids.push_back(job.id.value);
    });
    return ids;
  }

  Queue queue;
  TypeName type;
  JobTable table;
  Residency residency{table, [](Job&) {}};
  Contents rows;   // Of the tables.
  Contents taken;  // By the flush that runs.
  std::vector<uint64_t> erased;

 private:
  void set_args(Job& job, const std::string& args) {
    job.record->args = args;
    job.record->bytes = bytes_of(args);
    residency.add_bytes(job.record->bytes);
    residency.count(job, false);
  }
};

TEST_F(ResidencyTest, AFrozenJobThatChangesIsTakenAsItWas) {
  add(1);
  Job& job = add(2);
  freeze();
  EXPECT_TRUE(taken.empty());
  change(job, "second");
  EXPECT_EQ(taken, (Contents{{2, "first"}}));
  finish();
  EXPECT_EQ(rows, (Contents{{1, "first"}, {2, "first"}}));
  EXPECT_EQ(job.written, Written::kChanged);
  flush();
  EXPECT_EQ(rows, (Contents{{1, "first"}, {2, "second"}}));
}

TEST_F(ResidencyTest, AFrozenJobThatIsRemovedIsTakenBeforeAndErasedByTheNextFlush) {
  Job& job = add(1);
  freeze();
  remove(job);
  finish();
  EXPECT_EQ(rows, (Contents{{1, "first"}}));
  flush();
  EXPECT_TRUE(rows.empty());
}

TEST_F(ResidencyTest, AJobThatCameAndWentBetweenTwoFlushesIsNeverTaken) {
  Job& job = add(1);
  change(job, "second");
  remove(job);
  freeze();
  EXPECT_TRUE(erased.empty());
  finish();
  EXPECT_TRUE(rows.empty());
}

TEST_F(ResidencyTest, UnflushedBytesAreZeroOnceTheTablesHaveAll) {
  Job& first = add(1);
  Job& second = add(2);
  EXPECT_EQ(residency.unflushed_bytes(), 2 * bytes_of("first"));
  freeze();
  EXPECT_EQ(residency.unflushed_bytes(), 2 * bytes_of("first")) << "they are not written yet";
  finish();
  EXPECT_EQ(residency.unflushed_bytes(), 0U);
  change(first, "longer than before");
  remove(second);
  EXPECT_EQ(residency.unflushed_bytes(), bytes_of("longer than before"));
  flush();
  EXPECT_EQ(residency.unflushed_bytes(), 0U);
  EXPECT_FALSE(residency.anything_changed());
}

TEST_F(ResidencyTest, WhatChangesWhileAFlushRunsStaysUnflushed) {
  Job& job = add(1);
  add(2);
  freeze();
  change(job, "second");
  finish();
  EXPECT_EQ(residency.unflushed_bytes(), bytes_of("second"));
  EXPECT_TRUE(residency.anything_changed());
}

TEST_F(ResidencyTest, TheNewestRecordsLeaveFirstAndRunningOnesNever) {
  for (uint64_t id = 1; id <= 5; ++id) add(id);
  run(*table.find(JobId{5}));
  flush(residency.memory_bytes() / 5 * 3);
  EXPECT_EQ(in_memory(), (std::vector<uint64_t>{1, 2, 5}));
  EXPECT_EQ(residency.record_bytes(), 3 * bytes_of("first"));
}

TEST_F(ResidencyTest, WhatChangedMeanwhileDoesNotLeave) {
  Job& job = add(1);
  freeze();
  change(job, "second");
  finish(0);
  EXPECT_EQ(in_memory(), std::vector<uint64_t>{1});
  flush(0);
  EXPECT_TRUE(in_memory().empty());
  EXPECT_EQ(residency.record_bytes(), 0U);
}

TEST_F(ResidencyTest, AMissingRecordIsAskedForOnce) {
  Job& job = add(1);
  residency.want(job);
  EXPECT_FALSE(residency.any_wants()) << "it is there";
  flush(0);
  residency.want(job);
  residency.want(job);
  EXPECT_EQ(residency.take_wants(), std::vector<JobId>{JobId{1}});
  residency.want(job);
  EXPECT_FALSE(residency.any_wants()) << "it is on its way";
}

TEST_F(ResidencyTest, ThePoolLetsTheOldestGoFirst) {
  for (uint64_t id = 1; id <= 4; ++id) add(id);
  flush(0);
  for (const uint64_t id : {3U, 1U, 4U, 2U}) read(*table.find(JobId{id}));
  EXPECT_EQ(residency.pool_bytes(), 4 * bytes_of("first"));
  residency.trim_pool(2 * bytes_of("first"));
  EXPECT_EQ(in_memory(), (std::vector<uint64_t>{2, 4}));
  EXPECT_EQ(residency.pool_bytes(), residency.record_bytes());
}

TEST_F(ResidencyTest, WhatIsChangedOrRemovedIsNoMoreOfThePool) {
  for (uint64_t id = 1; id <= 3; ++id) add(id);
  flush(0);
  for (uint64_t id = 1; id <= 3; ++id) read(*table.find(JobId{id}));
  change(*table.find(JobId{1}), "second");
  remove(*table.find(JobId{2}));
  EXPECT_EQ(residency.pool_bytes(), bytes_of("first"));
  residency.trim_pool(0);
  EXPECT_EQ(in_memory(), std::vector<uint64_t>{1});
}

TEST_F(ResidencyTest, ThereIsRoomUntilThePoolAndWhatIsOnItsWayFillIt) {
  EXPECT_GT(residency.room_for(1'000'000), 100U);
  for (uint64_t id = 1; id <= 50; ++id) add(id, std::string(100'000, 'x'));
  flush(0);
  for (uint64_t id = 1; id <= 20; ++id) read(*table.find(JobId{id}));
  EXPECT_EQ(residency.room_for(1'000'000), 0U);
  const size_t room = residency.room_for(3'000'000);
  EXPECT_GT(room, 0U);
  residency.want(*table.find(JobId{30}));
  EXPECT_LT(residency.room_for(3'000'000), room);
}

// Whatever happens between freezes, the tables have the state of the last frozen moment, and what
// is not in memory lies in them unchanged.
class ResidencyModel : public ResidencyTest {
 protected:
  void step() {
    switch (random.below(10)) {
      case 0:
      case 1:
        now[next] = text();
        add(next, now[next]);
        ++next;
        break;
      case 2:
      case 3:
      case 4:
        if (Job* job = any()) {
          if (!job->record) read(*job);
          now[job->id.value] = text();
          change(*job, now[job->id.value]);
        }
        break;
      case 5:
        if (Job* job = any()) {
          now.erase(job->id.value);
          remove(*job);
        }
        break;
      case 6:
        if (Job* job = any(); job != nullptr && Residency::can_leave(*job)) residency.let_go(*job);
        break;
      case 7:
        if (Job* job = any(); job != nullptr && !job->record) read(*job);
        residency.trim_pool(random.below(2'000));
        break;
      case 8:
        step_flush();
        break;
      default:
        if (residency.flushing()) residency.take_some(random.below(5));
    }
  }
  void step_flush() {
    if (residency.flushing()) {
      finish(random.below(2) * random.below(20'000));
      EXPECT_EQ(rows, frozen);
      return;
    }
    frozen = now;
    freeze();
  }
  void check() {
    size_t in_memory_bytes = 0;
    size_t jobs = 0;
    table.for_each([&](const Job& job) {
      ++jobs;
      const std::string& args = now.at(job.id.value);
      if (job.record) {
        in_memory_bytes += job.record->bytes;
        EXPECT_EQ(job.record->args, args);
      } else {
        EXPECT_EQ(rows.at(job.id.value), args) << "job " << job.id.value << " has left";
      }
    });
    EXPECT_EQ(jobs, now.size());
    EXPECT_EQ(residency.record_bytes(), in_memory_bytes);
    EXPECT_LE(residency.pool_bytes(), in_memory_bytes);
  }
  Job* any() {
    if (now.empty()) return nullptr;
    auto place = now.lower_bound(random.below(next));
    if (place == now.end()) --place;
    return table.find(JobId{place->first});
  }
  std::string text() { return std::string(random.below(300), 'x') + std::to_string(++texts); }

  base::SeededRandom random{9};
  Contents now;     // What each job should be.
  Contents frozen;  // What it was when the flush began.
  uint64_t next = 1;
  uint64_t texts = 0;
};

TEST_F(ResidencyModel, TheTablesHaveTheFrozenMomentWhateverHappensMeanwhile) {
  for (int i = 0; i < 5'000 && !HasFailure(); ++i) {
    step();
    check();
  }
  if (residency.flushing()) step_flush();
  step_flush();
  step_flush();
  frozen = now;
  flush(0);
  EXPECT_EQ(rows, now);
  EXPECT_EQ(residency.unflushed_bytes(), 0U);
}

}  // namespace
}  // namespace core
