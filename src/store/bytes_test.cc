#include "store/bytes.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"

namespace store {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

std::string encoded_number(uint64_t value) {
  std::string bytes;
  ByteWriter(bytes).number(value);
  return bytes;
}

TEST(Bytes, KnownNumbers) {
  EXPECT_EQ(encoded_number(0), std::string(1, '\0'));
  EXPECT_EQ(encoded_number(127), "\x7f");
  EXPECT_EQ(encoded_number(128), std::string("\x80\x01"));
  EXPECT_EQ(encoded_number(300), std::string("\xac\x02"));
  EXPECT_EQ(encoded_number(kMost), std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  std::string bytes;
  ByteWriter(bytes).signed_number(-1);
  EXPECT_EQ(bytes, "\x01");
}

TEST(Bytes, WhatIsWrittenIsRead) {
  base::SeededRandom random(5);
  for (int i = 0; i < 5'000; ++i) {
    const uint64_t number = random.next() >> random.below(64);
    const auto negative = static_cast<int64_t>(random.next());
    std::string text(random.below(300), 'x');
    random.fill(std::as_writable_bytes(std::span(text)));
    std::string bytes;
    ByteWriter out(bytes);
    out.number(number);
    out.signed_number(negative);
    out.text(text);
    out.byte(7);
    ByteReader in(bytes);
    EXPECT_EQ(in.number(), number);
    EXPECT_EQ(in.signed_number(), negative);
    EXPECT_EQ(in.text(), text);
    EXPECT_EQ(in.offset(), bytes.size() - 1);
    EXPECT_EQ(in.byte(), 7);
    EXPECT_TRUE(in.ok() && in.done());
  }
}

TEST(Bytes, EndsOfTheSignedRangeComeBack) {
  for (const int64_t value :
       {std::numeric_limits<int64_t>::min(), int64_t{0}, std::numeric_limits<int64_t>::max()}) {
    std::string bytes;
    ByteWriter(bytes).signed_number(value);
    ByteReader in(bytes);
    EXPECT_EQ(in.signed_number(), value);
  }
}

TEST(Bytes, ANumberOfMoreThan64BitsFails) {
  for (const std::string_view bytes :
       {std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
        std::string_view("\x80")}) {
    ByteReader in(bytes);
    EXPECT_EQ(in.number(), 0U);
    EXPECT_FALSE(in.ok());
  }
}

TEST(Bytes, ATextLongerThanTheRestFails) {
  std::string bytes;
  ByteWriter(bytes).text("abc");
  ByteReader in(std::string_view(bytes).substr(0, 3));
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.ok());
}

TEST(Bytes, AfterAFailureAllIsZero) {
  ByteReader in("\x05");
  EXPECT_EQ(in.bounded(4), 0U);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.byte(), 0);
  EXPECT_EQ(in.number(), 0U);
  EXPECT_EQ(in.text(), "");
  uint32_t raw = 9;
  in.raw(&raw, sizeof raw);
  EXPECT_EQ(raw, 0U);
}

TEST(Bytes, ABoundIsInclusive) {
  ByteReader in("\x04");
  EXPECT_EQ(in.bounded(4), 4U);
  EXPECT_TRUE(in.ok());
}

}  // namespace
}  // namespace store
