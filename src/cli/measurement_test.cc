#include "cli/measurement.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(Latencies, PercentilesAreOfWhatWasMeasured) {
  Latencies latencies;
  EXPECT_EQ(latencies.percentile_us(50), 0);
  for (int64_t us = 100; us > 0; --us) latencies.add(us);
  EXPECT_EQ(latencies.percentile_us(0), 1);
  EXPECT_EQ(latencies.percentile_us(50), 50);
  EXPECT_EQ(latencies.percentile_us(99), 99);
  EXPECT_EQ(latencies.percentile_us(100), 100);
}

TEST(Latencies, GoFromOneProcessToAnother) {
  Latencies there;
  there.add(3);
  there.add(12);
  Latencies here;
  here.add(1);
  EXPECT_TRUE(here.take(there.text()));
  EXPECT_EQ(here.count(), 3U);
  EXPECT_EQ(here.percentile_us(100), 12);
  EXPECT_FALSE(here.take("UNREACHABLE no server"));
  EXPECT_FALSE(here.take("12"));
}

TEST(Measurement, TheRateIsJobsByTime) {
  EXPECT_DOUBLE_EQ((Measurement{.name = {}, .jobs = 500, .ns = 250'000'000}).jobs_per_second(),
                   2'000);
  EXPECT_DOUBLE_EQ((Measurement{.name = {}, .jobs = 5}).jobs_per_second(), 0);
}

}  // namespace
}  // namespace cli
