#include "base/byte_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace base {
namespace {

// Of every size around the boundaries of copying and growing.
TEST(ByteBuffer, KeepsEveryByteOfEverySize) {
  ByteBuffer buffer;
  std::string expected;
  for (size_t size = 0; size < 2000; size += size < 70 ? 1 : 97) {
    std::string part;
    for (size_t i = 0; i < size; ++i) part += static_cast<char>(i * 7 + size);
    buffer.append(part);
    expected += part;
    ASSERT_EQ(buffer.view(), expected) << size;
  }
}

TEST(ByteBuffer, BytesAreWrittenWhereItWasExtended) {
  ByteBuffer buffer;
  buffer.append("ab");
  std::memcpy(buffer.extend(3), "cde", 3);
  buffer.data()[0] = 'A';
  EXPECT_EQ(buffer.view(), "Abcde");
  EXPECT_EQ(buffer.size(), 5U);
}

TEST(ByteBuffer, IsCutAndCleared) {
  ByteBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  buffer.append("abcdef");
  buffer.cut(2);
  buffer.append("x");
  EXPECT_EQ(buffer.view(), "abx");
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.view(), "");
}

TEST(ByteBuffer, WhatWasMovedAwayIsEmptyAndOfUse) {
  ByteBuffer buffer;
  buffer.append("abc");
  ByteBuffer other = std::move(buffer);
  EXPECT_EQ(other.view(), "abc");
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): promised.
  EXPECT_EQ(buffer.view(), "");
  buffer.append("d");
  other = std::move(buffer);
  EXPECT_EQ(other.view(), "d");
}

}  // namespace
}  // namespace base
