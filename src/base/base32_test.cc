#include "base/base32.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/random.h"

namespace base {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

TEST(Base32, KnownTexts) {
  EXPECT_EQ(base32_encode(uint64_t{0}).view(), "0000000000000");
  EXPECT_EQ(base32_encode(uint64_t{31}).view(), "000000000000Z");
  EXPECT_EQ(base32_encode(uint64_t{32}).view(), "0000000000010");
  EXPECT_EQ(base32_encode(kMost).view(), "FZZZZZZZZZZZZ");
  EXPECT_EQ(base32_encode(Bits128{0, 0}).view(), "00000000000000000000000000");
  EXPECT_EQ(base32_encode(Bits128{kMost, kMost}).view(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(base32_encode(Bits128{1, 0}).view(), "0000000000000G000000000000");
}

TEST(Base32, NumbersComeBack) {
  SeededRandom random(3);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t value = random.next() >> random.below(64);
    EXPECT_EQ(base32_decode_u64(base32_encode(value).view()), value);
    EXPECT_EQ(base32_decode_u64(lower(base32_encode(value).str())), value);
    const Bits128 wide{random.next() >> random.below(64), random.next()};
    EXPECT_EQ(base32_decode_u128(base32_encode(wide).view()), wide);
    EXPECT_EQ(base32_decode_u128(lower(base32_encode(wide).str())), wide);
  }
}

TEST(Base32, TextsSortAsNumbersDo) {
  SeededRandom random(4);
  std::vector<uint64_t> numbers = {0, 1, 31, 32, kMost};
  for (int i = 0; i < 200; ++i) numbers.push_back(random.next() >> random.below(64));
  std::ranges::sort(numbers);
  EXPECT_TRUE(std::ranges::is_sorted(numbers, {},
                                     [](uint64_t number) { return base32_encode(number).str(); }));
}

TEST(Base32, RefusesWhatDoesNotFit) {
  EXPECT_EQ(base32_decode_u64("FZZZZZZZZZZZZ"), kMost);
  EXPECT_EQ(base32_decode_u64("G000000000000"), std::nullopt);
  EXPECT_EQ(base32_decode_u64("ZZZZZZZZZZZZZ"), std::nullopt);
  EXPECT_EQ(base32_decode_u128("80000000000000000000000000"), std::nullopt);
  EXPECT_EQ(base32_decode_u128("ZZZZZZZZZZZZZZZZZZZZZZZZZZ"), std::nullopt);
}

TEST(Base32, RefusesOtherLengths) {
  EXPECT_EQ(base32_decode_u64(""), std::nullopt);
  EXPECT_EQ(base32_decode_u64("000000000000"), std::nullopt);
  EXPECT_EQ(base32_decode_u64("00000000000000"), std::nullopt);
  EXPECT_EQ(base32_decode_u128("0000000000000"), std::nullopt);
}

TEST(Base32, RefusesEveryByteThatIsNoDigit) {
  int digits = 0;
  for (int byte = 0; byte < 256; ++byte) {
    std::string text(kBase32U64Length, '0');
    text.back() = static_cast<char>(byte);
    digits += base32_decode_u64(text).has_value() ? 1 : 0;
  }
  EXPECT_EQ(digits, 10 + 2 * 22);
  for (const char c : {'I', 'L', 'O', 'U', 'i', 'l', 'o', 'u', '-', ' ', '\0'}) {
    std::string text(kBase32U64Length, '0');
    text.front() = c;
    EXPECT_EQ(base32_decode_u64(text), std::nullopt) << c;
  }
}

}  // namespace
}  // namespace base
