#include "store/flusher.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <vector>

#include "store/memory/memory_tables.h"
#include "store/test_patience.h"

namespace store {
namespace {

using base::ErrorCode;
using core::JobId;

std::unique_ptr<ChangeSet> set_of(uint64_t first, uint64_t end) {
  auto set = std::make_unique<ChangeSet>();
  for (uint64_t id = first; id < end; ++id) {
    JobHeader header;
    header.id = JobId{id};
    set->put(header, "record", "args");
  }
  return set;
}

// Tables of which a test says when an apply goes on, and how it ends.
class GatedTables final : public Tables {
 public:
  base::Result<TablesSummary> open() override { return TablesSummary{}; }

  base::Status apply(const Changes& changes) override {
    std::unique_lock lock(mutex_);
    rows_seen_.push_back(changes.rows.size());
    changed_.notify_all();
    changed_.wait(lock, [this] { return !answers_.empty(); });
    const std::optional<ErrorCode> answer = answers_.front();
    answers_.pop_front();
    if (answer) return base::fail(*answer, "as the test said");
    return {};
  }

  base::Result<std::unique_ptr<TablesReader>> make_reader() override {
    return base::fail(ErrorCode::kInternal, "no reader");
  }
  base::Status close() override { return {}; }

  // Lets one apply end.
  void answer(std::optional<ErrorCode> code) {
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(code);
    }
    changed_.notify_all();
  }
  bool wait_for_applies(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return rows_seen_.size() >= count; });
  }
  std::vector<size_t> rows_seen() {
    const std::lock_guard lock(mutex_);
    return rows_seen_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::optional<ErrorCode>> answers_;
  std::vector<size_t> rows_seen_;
};

// What the callbacks say.
class FlusherHeard {
 public:
  Flusher::Callbacks callbacks() {
    return {.done =
                [this](uint64_t seq) {
                  const std::lock_guard lock(mutex_);
                  done_.push_back(seq);
                  changed_.notify_all();
                },
            .failed =
                [this](const base::Error& error) {
                  const std::lock_guard lock(mutex_);
                  errors_.push_back(error);
                  changed_.notify_all();
                }};
  }
  bool wait_for_done(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return done_.size() >= count; });
  }
  bool wait_for_failure() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return !errors_.empty(); });
  }
  std::vector<uint64_t> done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  std::vector<base::Error> errors() {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<uint64_t> done_;
  std::vector<base::Error> errors_;
};

class FlusherTest : public testing::Test {
 protected:
  base::ManualClock clock_;
  FlusherHeard heard_;
  GatedTables gated_;
};

TEST_F(FlusherTest, BringsSetAfterSetIntoTheTables) {
  MemoryRows disk;
  MemoryTables tables(disk);
  ASSERT_TRUE(tables.open());
  Flusher flusher(tables, clock_);
  flusher.start(heard_.callbacks());
  for (uint64_t seq = 1; seq <= 5; ++seq) {
    auto set = set_of(seq * 10, seq * 10 + 10);
    if (seq > 1) set->erase(JobId{seq * 10 - 1});
    flusher.submit(std::move(set), seq);
    ASSERT_TRUE(heard_.wait_for_done(seq));
    EXPECT_FALSE(flusher.busy());
  }
  EXPECT_TRUE(flusher.stop());
  EXPECT_EQ(heard_.done(), (std::vector<uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(flusher.counters().flushes, 5U);
  EXPECT_EQ(flusher.counters().rows_put, 50U);
  EXPECT_EQ(flusher.counters().rows_erased, 4U);
  EXPECT_GE(flusher.counters().bytes, 50 * std::string("recordargs").size());
  ASSERT_TRUE(tables.close());
  const auto reopened = tables.open();
  ASSERT_TRUE(reopened);
  EXPECT_EQ(reopened->applied_seq, 5U);
  EXPECT_EQ(reopened->rows, 46U);
}

TEST_F(FlusherTest, IsBusyUntilTheSetIsInTheTables) {
  Flusher flusher(gated_, clock_);
  flusher.start(heard_.callbacks());
  EXPECT_FALSE(flusher.busy());
  flusher.submit(set_of(1, 2), 1);
  ASSERT_TRUE(gated_.wait_for_applies(1));
  EXPECT_TRUE(flusher.busy());
  EXPECT_EQ(heard_.done(), std::vector<uint64_t>());
  clock_.advance(base::Duration(30));
  gated_.answer(std::nullopt);
  ASSERT_TRUE(heard_.wait_for_done(1));
  EXPECT_FALSE(flusher.busy());
  EXPECT_EQ(flusher.counters().flush_last_ns, 30'000'000U);
  EXPECT_TRUE(flusher.stop());
}

TEST_F(FlusherTest, StopFinishesWhatWasSubmitted) {
  Flusher flusher(gated_, clock_);
  flusher.start(heard_.callbacks());
  flusher.submit(set_of(1, 4), 9);
  gated_.answer(std::nullopt);
  EXPECT_TRUE(flusher.stop());
  EXPECT_EQ(heard_.done(), std::vector<uint64_t>{9});
}

TEST_F(FlusherTest, StopsWithoutHavingStartedOrWorked) {
  Flusher never(gated_, clock_);
  EXPECT_TRUE(never.stop());
  Flusher idle(gated_, clock_);
  idle.start(heard_.callbacks());
  EXPECT_TRUE(idle.stop());
  EXPECT_EQ(gated_.rows_seen(), std::vector<size_t>());
}

TEST_F(FlusherTest, AppliesTheSameSetOnceTheDiskHasRoom) {
  Flusher flusher(gated_, clock_, std::chrono::milliseconds(1));
  flusher.start(heard_.callbacks());
  flusher.submit(set_of(1, 4), 1);
  gated_.answer(ErrorCode::kDiskFull);
  gated_.answer(ErrorCode::kDiskFull);
  ASSERT_TRUE(gated_.wait_for_applies(3));
  EXPECT_TRUE(flusher.disk_full());
  EXPECT_TRUE(flusher.busy());
  EXPECT_EQ(heard_.done(), std::vector<uint64_t>());
  gated_.answer(std::nullopt);
  ASSERT_TRUE(heard_.wait_for_done(1));
  EXPECT_FALSE(flusher.disk_full());
  EXPECT_EQ(gated_.rows_seen(), (std::vector<size_t>{3, 3, 3}));
  EXPECT_TRUE(flusher.stop());
  EXPECT_EQ(heard_.errors().size(), 0U);
}

TEST_F(FlusherTest, StopDoesNotWaitForRoom) {
  Flusher flusher(gated_, clock_, std::chrono::hours(1));
  flusher.start(heard_.callbacks());
  flusher.submit(set_of(1, 4), 1);
  gated_.answer(ErrorCode::kDiskFull);
  const base::Status stopped = flusher.stop();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(stopped.error().message, "flush up to frame 1: as the test said");
  EXPECT_EQ(heard_.done(), std::vector<uint64_t>());
  EXPECT_EQ(heard_.errors().size(), 0U);
}

TEST_F(FlusherTest, AFailureIsToldOnceAndEndsIt) {
  for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kCorrupt}) {
    FlusherHeard heard;
    Flusher flusher(gated_, clock_);
    flusher.start(heard.callbacks());
    flusher.submit(set_of(1, 4), 1);
    gated_.answer(code);
    ASSERT_TRUE(heard.wait_for_failure());
    EXPECT_TRUE(flusher.busy()) << "nothing can be submitted any more";
    EXPECT_TRUE(flusher.stop());
    ASSERT_EQ(heard.errors().size(), 1U);
    EXPECT_EQ(heard.errors()[0].code, code);
    EXPECT_EQ(heard.done(), std::vector<uint64_t>());
  }
}

}  // namespace
}  // namespace store
