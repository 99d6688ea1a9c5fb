#include "sdk/cpp/memory_jobs.h"

#include <gtest/gtest.h>

#include "dray/errors.h"

namespace dray::detail {
namespace {

class MemoryJobsTest : public ::testing::Test {
 protected:
  Pushed push(const PushOptions& options) {
    const NewJob job{.queue = "q", .type = "t", .args = "1", .options = options};
    return jobs_.push(std::span(&job, 1)).front();
  }

  MemoryJobs jobs_;
};

TEST_F(MemoryJobsTest, PlainPushesAreAllNew) {
  EXPECT_NE(push({}).id, push({}).id);
  EXPECT_EQ(jobs_.pushed("t").size(), 2U);
  EXPECT_TRUE(jobs_.pushed("other").empty());
}

TEST_F(MemoryJobsTest, SameKeyIsOneJob) {
  const Pushed first = push({.key = "a"});
  const Pushed second = push({.key = "a"});
  EXPECT_TRUE(first.created);
  EXPECT_FALSE(second.created);
  EXPECT_EQ(first.id, second.id);
}

TEST_F(MemoryJobsTest, SameRequestIsAnsweredTheSame) {
  const Pushed first = push({.request = "r"});
  const Pushed second = push({.request = "r"});
  EXPECT_EQ(first.id, second.id);
  EXPECT_TRUE(second.created);
  EXPECT_EQ(jobs_.pushed({}).size(), 1U);
}

TEST_F(MemoryJobsTest, LockIsFreeAgainWhenItsJobIsFinished) {
  const PushOptions options{.unique = {.key = "u"}};
  const Pushed first = push(options);
  EXPECT_FALSE(push(options).created);
  JobRecord job = jobs_.get(first.id).value();
  job.state = "succeeded";
  jobs_.update(job);
  EXPECT_TRUE(push(options).created);
}

TEST_F(MemoryJobsTest, DuplicatesDoAsTheyAreTold) {
  push({.key = "a"});
  EXPECT_THROW(push({.key = "a", .on_duplicate = OnDuplicate::kError}), RejectedError);
  push({.priority = 9, .key = "a", .on_duplicate = OnDuplicate::kReplace});
  EXPECT_EQ(jobs_.get("key:a")->priority, 9);
  EXPECT_EQ(jobs_.pushed({}).size(), 1U);
}

TEST_F(MemoryJobsTest, UnknownIdIsNothing) {
  push({});
  EXPECT_FALSE(jobs_.get("0000000000009").has_value());
  EXPECT_FALSE(jobs_.get("key:").has_value());
}

}  // namespace
}  // namespace dray::detail
