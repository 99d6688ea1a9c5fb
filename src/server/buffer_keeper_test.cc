#include "server/buffer_keeper.h"

#include <gtest/gtest.h>

#include "server/connection_limits.h"

namespace server {
namespace {

class BufferKeeperTest : public testing::Test {
 protected:
  BufferKeeperTest() { gauge_.set_budget(kBudget); }
  // All connections together hold this much now.
  void hold(uint64_t bytes) { keeper_.change(std::exchange(held_, bytes), bytes); }

  static constexpr uint64_t kBudget = 100 * 1'024;
  engine::BufferGauge gauge_;
  int wakes_ = 0;
  BufferKeeper keeper_{gauge_, [this] { ++wakes_; }};
  uint64_t held_ = 0;
};

TEST_F(BufferKeeperTest, WhoHoldsMuchIsNotReadWhileAllHoldMuch) {
  hold(kBudget / 2);
  EXPECT_TRUE(keeper_.may_read(kBudget / 2));
  hold(kBudget / 100 * engine::kYellowPercent + 100);
  EXPECT_FALSE(keeper_.may_read(kHeldBytesYellow));
  EXPECT_TRUE(keeper_.may_read(kHeldBytesYellow - 1));
  hold(kBudget / 100 * engine::kRedPercent + 100);
  EXPECT_FALSE(keeper_.may_read(kHeldBytesRed));
  EXPECT_TRUE(keeper_.may_read(kHeldBytesRed - 1));
}

TEST_F(BufferKeeperTest, WakesOnceWhenItIsTooMuchAndAgainWhenItIsMore) {
  hold(kBudget / 100 * engine::kOrangePercent + 100);
  hold(held_ + 1);
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(keeper_.excess(), 101U);
  EXPECT_FALSE(keeper_.is_over());
  keeper_.acted();  // It could do nothing.
  hold(held_ + 1);
  EXPECT_EQ(wakes_, 1);
  hold(kBudget);
  EXPECT_EQ(wakes_, 2);
  EXPECT_TRUE(keeper_.is_over());
}

TEST_F(BufferKeeperTest, WakesForThoseHeldBackWhenAllHoldLittle) {
  hold(kBudget / 100 * engine::kYellowPercent + 100);
  keeper_.hold_back(7);
  hold(held_ - 1);
  EXPECT_EQ(wakes_, 0);
  hold(1'000);
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(keeper_.take_held_back(), std::vector<uint64_t>{7});
  keeper_.acted();
  hold(900);
  EXPECT_EQ(wakes_, 1);
}

}  // namespace
}  // namespace server
