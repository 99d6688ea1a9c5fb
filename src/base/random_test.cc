#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace base {
namespace {

TEST(SeededRandom, SameSeedSameNumbers) {
  SeededRandom a(42);
  SeededRandom b(42);
  SeededRandom other(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    differs = differs || value != other.next();
  }
  EXPECT_TRUE(differs);
}

// A change of these would make every recorded failing seed worthless. They are the reference
// output of xoshiro256** seeded by SplitMix64 with 0.
TEST(SeededRandom, NumbersNeverChange) {
  SeededRandom random(0);
  EXPECT_EQ(random.next(), 0x99ec5f36cb75f2b4U);
  EXPECT_EQ(random.next(), 0xbf6e1f784956452aU);
  EXPECT_EQ(random.next(), 0x1a5f849d4933e6e0U);
}

TEST(SeededRandom, FillsAnyLengthAndNotMore) {
  for (size_t size = 0; size < 20; ++size) {
    SeededRandom random(size);
    std::vector<std::byte> bytes(size + 1, std::byte{0});
    random.fill(std::span(bytes).first(size));
    EXPECT_EQ(bytes[size], std::byte{0});
  }
}

TEST(Random, BelowReachesEveryNumberAndNoOther) {
  SeededRandom random(1);
  std::vector<int> counts(10);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t drawn = random.below(counts.size());
    ASSERT_LT(drawn, counts.size());
    ++counts[drawn];
  }
  const auto [least, most] = std::ranges::minmax(counts);
  EXPECT_GT(least, 800);
  EXPECT_LT(most, 1200);
  EXPECT_EQ(random.below(1), 0U);
}

// Gives the numbers it was told to give, so that the rejection of unfair draws can be seen.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::vector<uint64_t> script) : script_(std::move(script)) {}
  uint64_t next() override { return script_.at(position_++); }
  void fill(std::span<std::byte> /*bytes*/) override { FAIL() << "not scripted"; }
  size_t drawn() const { return position_; }

 private:
  std::vector<uint64_t> script_;
  size_t position_ = 0;
};

TEST(Random, BelowDrawsAgainWhatWouldBeUnfair) {
  // 2^64 mod 3 is 1: of all draws exactly 0 must be rejected.
  ScriptedRandom random({0, 1});
  EXPECT_EQ(random.below(3), 1U);
  EXPECT_EQ(random.drawn(), 2U);
}

TEST(SystemRandom, DoesNotRepeatAcrossBlocks) {
  SystemRandom random;
  std::set<uint64_t> seen;
  for (int i = 0; i < 2000; ++i) EXPECT_TRUE(seen.insert(random.next()).second);  // 4 blocks.
}

TEST(SystemRandom, TwoGeneratorsDiffer) {
  SystemRandom a;
  SystemRandom b;
  EXPECT_NE(a.next(), b.next());
}

TEST(SystemRandom, FillsMoreThanABlock) {
  SystemRandom random;
  std::vector<std::byte> bytes(10'001);
  random.fill(std::span(bytes).first(10'000));
  EXPECT_EQ(bytes[10'000], std::byte{0});
  // A run of 16 zero bytes has a chance of 2^-115: it would be a hole that was not filled.
  EXPECT_EQ(std::ranges::search_n(std::span(bytes).first(10'000), 16, std::byte{0}).size(), 0U);
}

}  // namespace
}  // namespace base
