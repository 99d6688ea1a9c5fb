#include "store/scrubber.h"

#include <gtest/gtest.h>

#include <vector>

#include "store/memory/memory_tables.h"
#include "store/test_patience.h"

namespace store {
namespace {

using core::JobId;

class ScrubberTest : public testing::Test {
 protected:
  ScrubberTest() {
    EXPECT_TRUE(tables_.open());
    constexpr uint64_t kRows = 5'000;  // Several slices.
    std::vector<JobRow> rows(kRows);
    for (uint64_t i = 0; i < kRows; ++i) {
      rows[i].header.id = JobId{i + 1};
      rows[i].args = "{}";
    }
    EXPECT_TRUE(tables_.apply({.rows = rows, .erased = {}, .side = {}, .applied_seq = 1}));
    scrubber_ = std::make_unique<Scrubber>(tables_.make_reader().value(), clock_);
    scrubber_->start([this](const base::Error& error) {
      const std::lock_guard lock(mutex_);
      errors_.push_back(error.message);
      changed_.notify_all();
    });
  }
  ~ScrubberTest() override {
    scrubber_->stop();
    EXPECT_TRUE(tables_.close());
  }

  std::vector<std::string> wait_for_errors(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return errors_.size() >= count; });
    return errors_;
  }

  base::ManualClock clock_;  // Stands still: no rest between slices.
  MemoryRows disk_;
  MemoryTables tables_{disk_};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> errors_;  // Guarded by mutex_.
  std::unique_ptr<Scrubber> scrubber_;
};

TEST_F(ScrubberTest, TellsOfEachDamagedRow) {
  disk_.damage(JobId{1});
  disk_.damage(JobId{5'000});
  scrubber_->begin_pass();
  const std::vector<std::string> errors = wait_for_errors(2);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_NE(errors[0].find("id 1"), std::string::npos) << errors[0];
  EXPECT_NE(errors[1].find("id 5000"), std::string::npos) << errors[1];
}

TEST_F(ScrubberTest, LooksOnlyWhenAsked) {
  disk_.damage(JobId{7});
  scrubber_->stop();
  EXPECT_TRUE(errors_.empty());
  EXPECT_EQ(scrubber_->counters().passes, 0U);
}

TEST_F(ScrubberTest, EachPassFindsAnew) {
  disk_.damage(JobId{7});
  scrubber_->begin_pass();
  ASSERT_EQ(wait_for_errors(1).size(), 1U);
  scrubber_->begin_pass();
  EXPECT_EQ(wait_for_errors(2).size(), 2U);
  EXPECT_GE(scrubber_->counters().passes, 1U);
  EXPECT_EQ(scrubber_->counters().damages, 1U);
}

}  // namespace
}  // namespace store
