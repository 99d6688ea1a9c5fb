#include "engine/histogram.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

TEST(Histogram, ADurationLiesInTheBucketWhoseBoundItDoesNotPass) {
  for (const int64_t us : {0, 1, 2, 3, 4, 1'000, 1'023, 1'024, 50'000'000}) {
    Histogram histogram;
    histogram.add(microseconds(us));
    for (size_t i = 0; i < Histogram::kBuckets; ++i) {
      if (histogram.bucket(i) == 0) continue;
      const double seconds = static_cast<double>(us) / 1e6;
      EXPECT_LE(seconds, Histogram::bound_seconds(i));
      EXPECT_GE(seconds, i == 0 ? 0 : Histogram::bound_seconds(i - 1));
    }
  }
}

TEST(Histogram, SumsAndKeepsWhatIsBeyondInTheLastBucket) {
  Histogram histogram;
  histogram.add(std::chrono::hours(10));
  histogram.add(nanoseconds(-5));
  histogram.add(nanoseconds(500));
  EXPECT_EQ(histogram.bucket(Histogram::kBuckets - 1), 1U);
  EXPECT_EQ(histogram.bucket(0), 2U) << "below a microsecond, and what a clock gets wrong";
}

}  // namespace
}  // namespace engine
