#include "base/clock.h"

#include <gtest/gtest.h>

namespace base {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""ns;

TEST(SystemClock, MonotonicTimeMovesForward) {
  const SystemClock clock;
  const MonoTime start = clock.mono();
  MonoTime last = start;
  for (int i = 0; i < 1'000'000 && last == start; ++i) {
    const MonoTime next = clock.mono();
    ASSERT_GE(next, last);
    last = next;
  }
  EXPECT_GT(last, start);
}

TEST(SystemClock, WallTimeIsInMillisecondsOfThisCentury) {
  const WallTime wall = SystemClock().wall();
  EXPECT_GT(wall, WallTime{1'700'000'000'000});
  EXPECT_LT(wall, WallTime{4'102'444'800'000});
}

TEST(ManualClock, StandsStillUntilMoved) {
  ManualClock clock(WallTime{5000});
  const MonoTime start = clock.mono();
  EXPECT_EQ(clock.mono(), start);
  EXPECT_EQ(clock.wall(), WallTime{5000});
  clock.advance(250ms);
  EXPECT_EQ(clock.mono() - start, 250ms);
  EXPECT_EQ(clock.wall(), WallTime{5250});
}

TEST(ManualClock, ClocksMoveApart) {
  ManualClock clock(WallTime{5000});
  const MonoTime start = clock.mono();
  clock.set_wall(WallTime{1000});
  EXPECT_EQ(clock.mono(), start);
  EXPECT_EQ(clock.wall(), WallTime{1000});
  clock.advance_mono(7ns);
  EXPECT_EQ(clock.mono() - start, 7ns);
  EXPECT_EQ(clock.wall(), WallTime{1000});
}

TEST(ManualClockDeathTest, RefusesToGoBack) {
  ManualClock clock;
  EXPECT_DEATH(clock.advance(-1ms), "duration -1 ms");
}

}  // namespace
}  // namespace base
