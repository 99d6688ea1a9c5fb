#include "config/address.h"

#include <gtest/gtest.h>

namespace config {
namespace {

TEST(Address, IsReadInEachForm) {
  EXPECT_EQ(*parse_address("127.0.0.1:3729"), (Address{"127.0.0.1", 3729}));
  EXPECT_EQ(*parse_address("[::1]:0"), (Address{"::1", 0}));
  EXPECT_EQ(*parse_address("localhost:65535"), (Address{"127.0.0.1", 65535}));
}

TEST(Address, WhatIsNoneIsRefused) {
  for (const char* text : {"", "3729", ":3729", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "127.0.0.1:x", "127.0.0.1:80x"}) {
    EXPECT_FALSE(parse_address(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace config
