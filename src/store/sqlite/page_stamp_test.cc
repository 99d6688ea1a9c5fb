#include "store/sqlite/page_stamp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace store {
namespace {

constexpr size_t kPageBytes = 512;

std::vector<std::byte> page(int fill) {
  return std::vector<std::byte>(kPageBytes, std::byte(fill));
}

std::vector<std::byte> first_page(int reserved) {
  std::vector<std::byte> bytes = page(0);
  bytes[16] = std::byte{kPageBytes >> 8U};
  bytes[20] = std::byte(reserved);
  return bytes;
}

TEST(PageStamp, KnowsAPageThatStandsInAnotherPlace) {
  PageStamp stamp;
  stamp.stamp(first_page(PageStamp::kBytes), 0);
  const auto stamped = stamp.stamp(page(7), 3 * kPageBytes);
  const std::vector<std::byte> third(stamped.begin(), stamped.end());
  PageStamp reader;
  EXPECT_TRUE(reader.is_right(stamp.stamp(first_page(PageStamp::kBytes), 0), 0));
  EXPECT_TRUE(reader.is_right(third, 3 * kPageBytes));
  EXPECT_FALSE(reader.is_right(third, 4 * kPageBytes));
  EXPECT_FALSE(reader.is_right(page(0), 4 * kPageBytes));
}

TEST(PageStamp, LeavesEverythingButThePlaceForItAsItIs) {
  PageStamp stamp;
  stamp.stamp(first_page(PageStamp::kBytes), 0);
  const std::vector<std::byte> before = page(7);
  const auto after = stamp.stamp(before, kPageBytes);
  ASSERT_EQ(after.size(), before.size());
  EXPECT_TRUE(std::equal(before.begin(), before.end() - PageStamp::kBytes, after.begin()));
}

TEST(PageStamp, LeavesAFileWithoutRoomForThemAlone) {
  PageStamp stamp;
  EXPECT_TRUE(stamp.is_right(first_page(0), 0));
  const std::vector<std::byte> before = page(7);
  EXPECT_TRUE(std::ranges::equal(stamp.stamp(before, kPageBytes), before));
  EXPECT_TRUE(stamp.is_right(before, kPageBytes));
}

TEST(PageStamp, LooksAtWholePagesOnly) {
  PageStamp stamp;
  stamp.stamp(first_page(PageStamp::kBytes), 0);
  const std::vector<std::byte> part(16);
  EXPECT_TRUE(stamp.is_right(part, 24));
  EXPECT_TRUE(std::ranges::equal(stamp.stamp(part, 24), part));
}

}  // namespace
}  // namespace store
