#include "bench/load/samples.h"

#include <gtest/gtest.h>

namespace load {
namespace {

TEST(Samples, PercentilesAreSamplesByNearestRank) {
  Samples samples(100);
  for (int i = 100; i > 0; --i) samples.add(i * 1'000'000);
  EXPECT_EQ(samples.percentile(0), 1'000'000);
  EXPECT_EQ(samples.percentile(50), 50'000'000);
  EXPECT_EQ(samples.percentile(99), 99'000'000);
  EXPECT_EQ(samples.percentile(100), 100'000'000);
  JsonLine line;
  samples.report("x_", line);
  EXPECT_EQ(line.text(), R"({"x_p50_ms":50,"x_p99_ms":99,"x_max_ms":100})");
}

TEST(Samples, OneSampleIsEveryPercentile) {
  Samples samples(1);
  EXPECT_EQ(samples.percentile(50), 0);
  samples.add(7);
  EXPECT_EQ(samples.percentile(1), 7);
  EXPECT_EQ(samples.percentile(99), 7);
}

}  // namespace
}  // namespace load
