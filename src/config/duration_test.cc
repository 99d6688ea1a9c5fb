#include "config/duration.h"

#include <gtest/gtest.h>

namespace config {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

TEST(Duration, ReadsEveryUnit) {
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("1d"), 24h);
  EXPECT_EQ(*parse_duration("1h30m"), 90min);
  EXPECT_EQ(*parse_duration("0"), 0ms);
}

TEST(Duration, RefusesWhatIsUnclear) {
  for (const char* text : {"", "5", "m", "-5m", "5x", "5m5m", "5 m", "1.5h", "h5",
                           "99999999999999999d", "99999999999999999999s", "+5s"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Duration, WritesTheTwoLargestParts) {
  EXPECT_EQ(duration_text(12ms), "12ms");
  EXPECT_EQ(duration_text(2'500ms), "2.5s");
  EXPECT_EQ(duration_text(90s), "1m 30s");
  EXPECT_EQ(duration_text(90min), "1h 30m");
  EXPECT_EQ(duration_text(49h), "2d 1h");
  EXPECT_EQ(duration_text(-3s), "-3.0s");
}

}  // namespace
}  // namespace config
