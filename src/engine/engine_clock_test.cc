#include "engine/engine_clock.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(EngineClock, CountsFromZeroInANewJournal) {
  base::ManualClock clock;
  const EngineClock engine_clock(clock, std::nullopt);
  EXPECT_EQ(engine_clock.now().engine.ms, 0);
  clock.advance(base::Duration{1'500});
  EXPECT_EQ(engine_clock.now().engine.ms, 1'500);
  EXPECT_EQ(engine_clock.now().wall, clock.wall());
}

TEST(EngineClock, AStepOfTheWallClockDoesNotMoveIt) {
  base::ManualClock clock;
  const EngineClock engine_clock(clock, std::nullopt);
  clock.set_wall(base::WallTime{0});
  EXPECT_EQ(engine_clock.now().engine.ms, 0);
  EXPECT_EQ(engine_clock.now().wall.ms, 0);
}

TEST(EngineClock, ARestartAddsTheGapOfTheWallClockUpToAnHour) {
  base::ManualClock clock;
  const base::Now last{base::EngineTime{5'000}, clock.wall()};
  const auto after = [&](int64_t gap_ms) {
    clock.set_wall(last.wall + base::Duration{gap_ms});
    return EngineClock(clock, last).now().engine.ms;
  };
  EXPECT_EQ(after(0), 5'000);
  EXPECT_EQ(after(1'234), 6'234);
  EXPECT_EQ(after(-1'000), 5'000) << "it never steps back";
  EXPECT_EQ(after(3'600'000), 3'605'000);
  EXPECT_EQ(after(90'000'000), 3'605'000);
}

}  // namespace
}  // namespace engine
