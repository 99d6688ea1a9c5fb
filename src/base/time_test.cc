#include "base/time.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace base {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

static_assert(!std::is_convertible_v<EngineTime, WallTime>);
static_assert(!std::is_convertible_v<WallTime, EngineTime>);
static_assert(!std::is_convertible_v<int64_t, EngineTime>);

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

TEST(Time, AddsAndSubtractsDurations) {
  const EngineTime start{1000};
  EXPECT_EQ(start + 30s, EngineTime{31'000});
  EXPECT_EQ(start - 250ms, EngineTime{750});
  EXPECT_EQ((start + 30s) - start, 30s);
  EXPECT_LT(start, start + 1ms);
  EngineTime moved = start;
  moved += 2s;
  EXPECT_EQ(moved, EngineTime{3000});
}

TEST(Time, NeverStaysNever) {
  EXPECT_EQ(EngineTime::never() + 1ms, EngineTime::never());
  EXPECT_EQ(EngineTime{kMost - 5} + 6ms, EngineTime::never());
  EXPECT_LT(EngineTime{kMost - 5} + 4ms, EngineTime::never());
}

TEST(Time, SaturatesAtBothEnds) {
  EXPECT_EQ(WallTime{kLeast + 3} - 4ms, WallTime{kLeast});
  EXPECT_EQ(WallTime{kLeast + 3} + Duration{-4}, WallTime{kLeast});
  EXPECT_EQ(WallTime{5} - Duration{kLeast}, WallTime{kMost});
  EXPECT_EQ(WallTime{-5} - Duration{kLeast}, WallTime{kMost - 4});
  EXPECT_EQ(WallTime{kLeast} - Duration{kLeast}, WallTime{0});
}

TEST(Time, MonotonicReadingsDifferInNanoseconds) {
  EXPECT_EQ((MonoTime{2'000'000} - MonoTime{500}).count(), 1'999'500);
  EXPECT_EQ(MonoTime{1} + 1ms, MonoTime{1'000'001});
}

TEST(Time, WritesRfc3339) {
  EXPECT_EQ(rfc3339(WallTime{0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime{1'709'210'096'007}), "2024-02-29T12:34:56.007Z");
  EXPECT_EQ(rfc3339(WallTime{-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(WallTime{253'402'300'799'999}), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(WallTime{253'402'300'800'000}), "253402300800000");
  EXPECT_EQ(rfc3339(WallTime{-62'167'219'200'000}), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime{-62'167'219'200'001}), "-62167219200001");
}

TEST(Time, FormatsForMessages) {
  EXPECT_EQ(fmt::format("{} {} {}", EngineTime{7}, WallTime::never(), MonoTime{9}),
            "7ms never 9ns");
}

}  // namespace
}  // namespace base
