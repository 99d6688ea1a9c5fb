#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "base/random.h"

namespace base {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// The vectors of RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, MatchesPublishedVectors) {
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283U);
  std::vector<std::byte> block(32, std::byte{0});
  EXPECT_EQ(crc32c(block), 0x8a9136aaU);
  block.assign(32, std::byte{0xff});
  EXPECT_EQ(crc32c(block), 0x62a8ab43U);
  for (size_t i = 0; i < 32; ++i) block[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(block), 0x46dd794eU);
  for (size_t i = 0; i < 32; ++i) block[i] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(crc32c(block), 0x113fdb5cU);
}

TEST(Crc32c, TableAndHardwareAgreeOnEveryLengthAndAlignment) {
  SeededRandom random(7);
  std::vector<std::byte> data(300);
  random.fill(data);
  for (size_t offset = 0; offset < 8; ++offset) {
    for (size_t size = 0; size + offset <= data.size(); size += 1 + size / 16) {
      const auto part = std::span(data).subspan(offset, size);
      const uint32_t expected = detail::crc32c_table(part, 0);
      EXPECT_EQ(crc32c(part), expected) << "offset " << offset << " size " << size;
      if (detail::crc32c_has_hardware()) {
        EXPECT_EQ(detail::crc32c_hardware(part, 0), expected);
      }
    }
  }
}

TEST(Crc32c, GrowsPieceByPiece) {
  SeededRandom random(8);
  std::vector<std::byte> data(100);
  random.fill(data);
  const uint32_t whole = crc32c(data);
  for (size_t cut = 0; cut <= data.size(); ++cut) {
    const auto view = std::span(data);
    EXPECT_EQ(crc32c(view.subspan(cut), crc32c(view.first(cut))), whole);
    EXPECT_EQ(detail::crc32c_table(view.subspan(cut), detail::crc32c_table(view.first(cut), 0)),
              whole);
  }
}

TEST(Crc32c, SeesEveryFlippedBit) {
  std::vector<std::byte> data(64, std::byte{0x5a});
  const uint32_t whole = crc32c(data);
  for (size_t bit = 0; bit < data.size() * 8; ++bit) {
    data[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_NE(crc32c(data), whole) << "bit " << bit;
    data[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
}

}  // namespace
}  // namespace base
