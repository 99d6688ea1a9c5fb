#include "cli/calendar.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(Calendar, ReadsRfc3339) {
  EXPECT_EQ(parse_time("2026-03-01T12:00:00.000Z")->ms, 1'772'366'400'000);
  EXPECT_EQ(parse_time("2026-03-01T13:00:00+01:00")->ms, 1'772'366'400'000);
  EXPECT_EQ(parse_time("2026-03-01t07:30:00.25-04:30")->ms, 1'772'366'400'250);
  EXPECT_EQ(parse_time("1970-01-01 00:00:00Z")->ms, 0);
}

TEST(Calendar, ReadsWhatTheServerWrites) {
  const base::WallTime time{1'772'366'400'123};
  EXPECT_EQ(*parse_time(base::rfc3339(time)), time);
}

TEST(Calendar, ReadsUnixMilliseconds) {
  EXPECT_EQ(parse_time("1772366400000")->ms, 1'772'366'400'000);
}

TEST(Calendar, RefusesTheRest) {
  for (const char* text :
       {"", "tomorrow", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z",
        "2026-02-30T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "-5",
        "2026-03-01T12:00:00Zx", "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00+1:00"}) {
    EXPECT_FALSE(parse_time(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace cli
