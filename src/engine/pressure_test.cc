#include "engine/pressure.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Pressure, FollowsTheShareOfTheBudget) {
  EXPECT_EQ(pressure_of(0, 1'000), Pressure::kNone);
  EXPECT_EQ(pressure_of(699, 1'000), Pressure::kNone);
  EXPECT_EQ(pressure_of(700, 1'000), Pressure::kYellow);
  EXPECT_EQ(pressure_of(850, 1'000), Pressure::kOrange);
  EXPECT_EQ(pressure_of(950, 1'000), Pressure::kRed);
  EXPECT_EQ(pressure_of(UINT64_MAX, 1'000), Pressure::kRed);
}

TEST(BufferGauge, SumsWhatIsHeldAndWhatIsOnTheWay) {
  BufferGauge gauge;
  gauge.set_budget(1'000);
  gauge.held(0, 500);
  gauge.replies_made(300);
  EXPECT_EQ(gauge.used(), 800U);
  EXPECT_EQ(gauge.pressure(), Pressure::kYellow);
  gauge.held(500, 100);
  gauge.replies_taken(300);
  EXPECT_EQ(gauge.used(), 100U);
  EXPECT_EQ(gauge.pressure(), Pressure::kNone);
}

class CommitWatchTest : public testing::Test {
 protected:
  // A second in which `commits` commits take this long each, of which `slow` take half a second.
  void pass(int commits, nanoseconds took, int slow = 0, nanoseconds oldest = nanoseconds(0)) {
    for (int i = 0; i < commits - slow; ++i) watch.add(took);
    for (int i = 0; i < slow; ++i) watch.add(milliseconds(500));
    now = now + seconds(1);
    watch.look(now, oldest);
  }

  CommitWatch watch;
  base::MonoTime now{seconds(100).count() * 1'000'000'000};
};

TEST_F(CommitWatchTest, OneSlowSecondIsNothingAndFiveAreYellow) {
  for (int second = 0; second < 4; ++second) {
    pass(100, milliseconds(1), 2);
    EXPECT_EQ(watch.pressure(), Pressure::kNone);
  }
  pass(100, milliseconds(1), 2);
  EXPECT_EQ(watch.pressure(), Pressure::kYellow);
  pass(100, milliseconds(1), 1);
  EXPECT_EQ(watch.pressure(), Pressure::kNone);
}

TEST_F(CommitWatchTest, AQueueThatDoesNotGoAwayIsOrange) {
  for (int second = 0; second < 5; ++second) pass(10, milliseconds(1'100));
  EXPECT_EQ(watch.pressure(), Pressure::kOrange);
  pass(10, milliseconds(300));
  EXPECT_EQ(watch.pressure(), Pressure::kYellow);
}

TEST_F(CommitWatchTest, ACommitThatDoesNotEndCountsThoughNoneEnds) {
  for (int second = 2; second < 7; ++second) pass(0, {}, 0, seconds(second));
  EXPECT_EQ(watch.pressure(), Pressure::kOrange);
  pass(0, {});
  EXPECT_EQ(watch.pressure(), Pressure::kNone) << "nothing is under way";
}

}  // namespace
}  // namespace engine
