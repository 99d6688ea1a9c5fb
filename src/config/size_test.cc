#include "config/size.h"

#include <gtest/gtest.h>

namespace config {
namespace {

TEST(Size, IsReadWithEveryUnit) {
  EXPECT_EQ(*parse_size("0"), 0);
  EXPECT_EQ(*parse_size("16384"), 16'384);
  EXPECT_EQ(*parse_size("1b"), 1);
  EXPECT_EQ(*parse_size("2K"), 2'048);
  EXPECT_EQ(*parse_size("64MB"), int64_t{64} << 20);
  EXPECT_EQ(*parse_size("64 MiB"), int64_t{64} << 20);
  EXPECT_EQ(*parse_size("4GiB"), int64_t{4} << 30);
  EXPECT_EQ(*parse_size("1t"), int64_t{1} << 40);
}

TEST(Size, WhatIsNoneIsRefused) {
  for (const char* text : {"", "lots", "-1", "4 apples", "4GG", "1.5GB", "9000000000T"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

TEST(Size, IsWrittenWithTheLargestUnitThatFits) {
  EXPECT_EQ(size_text(0), "0");
  EXPECT_EQ(size_text(1'000), "1000");
  EXPECT_EQ(size_text(int64_t{64} << 20), "64MiB");
  EXPECT_EQ(size_text((int64_t{1} << 30) + 1'024), "1048577KiB");
}

}  // namespace
}  // namespace config
