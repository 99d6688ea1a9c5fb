#include "model/backoff.h"

#include <gtest/gtest.h>

namespace model {
namespace {

Range delay(const std::string& spec, int64_t attempt) {
  const std::optional<Backoff> backoff = parse_backoff(spec);
  EXPECT_TRUE(backoff.has_value()) << spec;
  return backoff ? backoff_delay(*backoff, attempt) : Range{-1, -1};
}

struct Row {
  const char* spec;
  int64_t attempt;
  int64_t low;
  int64_t high;
};

TEST(BackoffFormulae, GiveTheDelaysOfTheTable) {
  const Row rows[] = {
      {"fixed:500~0", 7, 500, 500},
      {"fixed:1000", 1, 1'000, 1'100},
      {"linear:1000~0", 3, 3'000, 3'000},
      {"linear:1000,2500~0", 3, 2'500, 2'500},
      {"linear:1000~0", 1'000, 1'000'000, 1'000'000},
      {"exponential:1000~0", 1, 1'000, 1'000},
      {"exponential:1000~0", 2, 2'000, 2'000},
      {"exponential:1000~0", 3, 4'000, 4'000},
      {"exponential:1000~0", 900, 3'600'000, 3'600'000},
      {"exponential:60000,2,3600000~10", 5, 960'000, 1'056'000},
      {"exponential:60000,2,3600000~10", 7, 3'600'000, 3'960'000},
      {"exponential:1000,1.5~0", 3, 2'249, 2'251},
      {"exponential:7200000~0", 3, 7'200'000, 7'200'000},
      {"list:10000,30000,300000~0", 1, 10'000, 10'000},
      {"list:10000,30000,300000~0", 9, 300'000, 300'000},
      {"sidekiq", 1, 15'000, 25'000},
      {"sidekiq", 3, 31'000, 61'000},
      {"sidekiq~0", 3, 31'000, 31'000},
      {"faktory", 1, 15'000, 45'000},
      {"asynq", 2, 16'000, 76'000},
      {"river", 2, 14'400, 17'600},
      {"river~10", 2, 16'000, 17'600},
      {"oban", 1, 15'300, 18'700},
      {"oban~0", 30, 1'039'000, 1'039'000},
      {"bullmq-exp:2000", 3, 8'000, 8'000},
      {"bull-exp:2000", 3, 14'000, 14'000},
      {"celery", 1, 1, 1'000},
      {"celery~0", 30, 600'000, 600'000},
      {"dramatiq", 1, 7'500, 15'000},
      {"dramatiq~0", 40, 604'800'000, 604'800'000},
      {"graphile", 1, 2'717, 2'719},
      {"graphile", 99, 22'026'464, 22'026'466},
  };
  for (const Row& row : rows) {
    const Range range = delay(row.spec, row.attempt);
    EXPECT_EQ(range.low, row.low) << row.spec << " attempt " << row.attempt;
    EXPECT_EQ(range.high, row.high) << row.spec << " attempt " << row.attempt;
  }
}

TEST(BackoffFormulae, NeverGoBeyondTenYearsBeforeJitter) {
  for (const char* spec : {"sidekiq~0", "river~0", "bullmq-exp~0", "bull-exp~0"}) {
    EXPECT_EQ(delay(spec, 1'000).high, kDurationMsMax) << spec;
  }
}

TEST(BackoffFormulae, ALostLeaseWaitsASecondFirstThenTheBackoffWithFiftyPercent) {
  const Backoff backoff = *parse_backoff("fixed:8000~0");
  EXPECT_EQ(crash_delay(backoff, 1, 1).low, 1'000);
  EXPECT_EQ(crash_delay(backoff, 1, 1).high, 1'500);
  EXPECT_EQ(crash_delay(backoff, 2, 2).low, 8'000);
  EXPECT_EQ(crash_delay(backoff, 2, 2).high, 12'000);
}

TEST(BackoffFormulae, RefuseWhatTheyDoNotKnow) {
  for (const char* spec :
       {"", "fixed", "fixed:", "fixed:1,2", "fixed:-1", "fixed:1~", "fixed:1~101", "linear:1,2,3",
        "exponential:1,0.5", "exponential:1,1.2345", "exponential:1,2,3,4", "list:", "list:1,,2",
        "sidekiq:1", "unheard-of", "Fixed:1", "fixed:1 ", "fixed:315576000001"}) {
    EXPECT_FALSE(parse_backoff(spec).has_value()) << spec;
  }
}

}  // namespace
}  // namespace model
