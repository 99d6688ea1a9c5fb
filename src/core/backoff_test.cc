#include "core/backoff.h"

#include <gtest/gtest.h>

#include <tuple>

#include "core/limits.h"

namespace core {
namespace {

Backoff parsed(std::string_view spec) {
  const base::Result<Backoff> policy = parse_backoff(spec);
  EXPECT_TRUE(policy.has_value()) << spec;
  return policy.value_or(Backoff{});
}

struct Case {
  std::string_view spec;
  uint32_t attempt;
  int64_t low_ms;
  int64_t high_ms;
};

// Worked out by hand from the formulae that docs and peers name.
constexpr Case kCases[] = {
    {"fixed:500~0", 1, 500, 500},
    {"fixed:500~0", 9, 500, 500},
    {"fixed:500", 1, 500, 550},
    {"fixed:0", 1, 0, 0},
    {"fixed:1000~100", 3, 1'000, 2'000},
    {"linear:1000~0", 3, 3'000, 3'000},
    {"linear:1000,2500~0", 3, 2'500, 2'500},
    {"linear:5000,1000~0", 1, 1'000, 1'000},
    {"exponential:1000~0", 1, 1'000, 1'000},
    {"exponential:1000~0", 5, 16'000, 16'000},
    {"exponential:1000~0", 20, 3'600'000, 3'600'000},
    {"exponential:7200000~0", 2, 7'200'000, 7'200'000},
    {"exponential:1000,1.5~0", 3, 2'250, 2'250},
    {"exponential:1000,3,5000~20", 3, 5'000, 6'000},
    {"exponential:1000,1000~0", 1'000, 3'600'000, 3'600'000},
    {"list:100,1000~0", 1, 100, 100},
    {"list:100,1000~0", 2, 1'000, 1'000},
    {"list:100,1000~0", 50, 1'000, 1'000},
    {"sidekiq", 1, 15'000, 25'000},
    {"sidekiq", 3, 31'000, 61'000},
    {"sidekiq~0", 3, 31'000, 31'000},
    {"faktory", 2, 16'000, 76'000},
    {"asynq", 2, 16'000, 76'000},
    {"river", 1, 900, 1'100},
    {"river", 3, 72'900, 89'100},
    {"river~10", 3, 81'000, 89'100},
    {"oban", 1, 15'300, 18'700},
    {"oban", 99, 935'100, 1'142'900},
    {"bullmq-exp", 4, 8'000, 8'000},
    {"bullmq-exp:50", 3, 200, 200},
    {"bull-exp", 1, 1'000, 1'000},
    {"bull-exp:300", 3, 2'100, 2'100},
    {"celery", 1, 1, 1'000},
    {"celery", 4, 1, 8'000},
    {"celery", 30, 1, 600'000},
    {"celery:2000~0", 2, 4'000, 4'000},
    {"dramatiq", 1, 7'500, 15'000},
    {"dramatiq", 40, 302'400'000, 604'800'000},
    {"graphile", 1, 2'718, 2'718},
    {"graphile", 10, 22'026'465, 22'026'465},
    {"graphile", 11, 22'026'465, 22'026'465},
};

TEST(Backoff, DelaysAreThoseOfTheFormulae) {
  for (const Case& expected : kCases) {
    const DelayRange range = retry_delay(parsed(expected.spec), expected.attempt);
    EXPECT_EQ(range.low_ms, expected.low_ms) << expected.spec << " " << expected.attempt;
    EXPECT_EQ(range.high_ms, expected.high_ms) << expected.spec << " " << expected.attempt;
  }
}

TEST(Backoff, DefaultIsExponentialFromOneSecondToOneHour) {
  EXPECT_EQ(parsed("exponential:1000,2,3600000"), Backoff{});
  EXPECT_EQ(retry_delay(Backoff{}, 2).low_ms, 2'000);
  EXPECT_EQ(retry_delay(Backoff{}, 2).high_ms, 2'200);
}

TEST(Backoff, NoDelayIsNegativeOrAboveTwiceTenYears) {
  for (const std::string_view spec :
       {"fixed:315576000000~100", "linear:315576000000~100", "exponential:315576000000,1000~100",
        "sidekiq~100", "faktory~100", "river~100", "oban~100", "bullmq-exp:315576000000~100",
        "bull-exp:315576000000~100", "celery~100", "dramatiq~100", "graphile~100"}) {
    for (const uint32_t attempt : {1U, 2U, 10U, 100U, 1'000U}) {
      const DelayRange range = retry_delay(parsed(spec), attempt);
      EXPECT_GE(range.low_ms, 0) << spec;
      EXPECT_LE(range.low_ms, range.high_ms) << spec;
      EXPECT_LE(range.low_ms, limits::kDurationMsMax) << spec << " " << attempt;
      EXPECT_LE(range.high_ms, 2 * limits::kDurationMsMax) << spec << " " << attempt;
    }
  }
}

TEST(Backoff, ALostLeaseComesBackAfterASecondAndThenByTheBackoff) {
  const Backoff policy = parsed("fixed:4000~0");
  EXPECT_EQ(crash_delay(policy, 1, 1).low_ms, 1'000);
  EXPECT_EQ(crash_delay(policy, 1, 1).high_ms, 1'500);
  EXPECT_EQ(crash_delay(policy, 2, 2).low_ms, 4'000);
  EXPECT_EQ(crash_delay(policy, 2, 2).high_ms, 6'000);
  EXPECT_EQ(crash_delay(parsed("celery:2000"), 2, 2).low_ms, 4'000) << "without its own jitter";
}

TEST(Backoff, TextComesBackAsTheSamePolicy) {
  for (const std::string_view spec :
       {"fixed:500", "fixed:500~0", "linear:1000,2500~33", "exponential:1000", "list:0,1,2~100",
        "exponential:1000,1.005,70000~7", "sidekiq", "asynq", "bullmq-exp:3", "celery", "river~1"}) {
    const Backoff policy = parsed(spec);
    EXPECT_EQ(parsed(backoff_text(policy)), policy) << spec << " became " << backoff_text(policy);
  }
}

TEST(Backoff, WhatIsNoSpecIsRefusedByName) {
  for (const std::string_view spec :
       {"", "fixed", "fixed:", "fixed:-1", "fixed:1,2", "fixed:1~", "fixed:1~101", "fixed:1~-1",
        "fixed:1~5~5", "fixed:315576000001", "linear:1,2,3", "exponential:1,0.5", "list:",
        "exponential:1,1001", "exponential:1,1.2345", "exponential:1,2,3,4", "exponential:1,.",
        "sidekiq:1", "river:", "celery:x", "nonsense", "nonsense:1", "fixed: 1", "FIXED:1"}) {
    const base::Result<Backoff> policy = parse_backoff(spec);
    ASSERT_FALSE(policy.has_value()) << spec;
    EXPECT_EQ(policy.error().code, base::ErrorCode::kBadReq);
    EXPECT_TRUE(policy.error().message.starts_with("field=BACKOFF")) << policy.error().message;
  }
}

TEST(Backoff, AListHasABound) {
  std::string spec = "list:1";
  for (size_t i = 1; i < limits::kBackoffListMax; ++i) spec += ",1";
  EXPECT_TRUE(parse_backoff(spec).has_value());
  EXPECT_FALSE(parse_backoff(spec + ",1").has_value());
}

TEST(Backoff, PickDrawsBothEndsAndNothingOutside) {
  base::SeededRandom random(1);
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1'000; ++i) {
    const int64_t delay = pick({3, 7}, random);
    ASSERT_GE(delay, 3);
    ASSERT_LE(delay, 7);
    low |= delay == 3;
    high |= delay == 7;
  }
  EXPECT_TRUE(low && high);
  EXPECT_EQ(pick({5, 5}, random), 5);
}

}  // namespace
}  // namespace core
