#include "protocol/text.h"

#include <gtest/gtest.h>

namespace protocol {
namespace {

TEST(Text, ComparesLettersWithoutTheirCase) {
  EXPECT_TRUE(equals_ignoring_case("Delay", "DELAY"));
  EXPECT_FALSE(equals_ignoring_case("DELAY", "DELAYS"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));  // Differ in the bit of the case only.
}

TEST(Text, PrintableCutsAndReplaces) {
  EXPECT_EQ(printable("plain text"), "plain text");
  EXPECT_EQ(printable(std::string_view("a\r\n\0\x7f\xff", 6)), "a?????");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(Text, EditDistanceCountsSlips) {
  EXPECT_EQ(edit_distance("DELAY", "delay"), 0U);
  EXPECT_EQ(edit_distance("DELYA", "DELAY"), 1U);  // Swapped.
  EXPECT_EQ(edit_distance("DLAY", "DELAY"), 1U);
  EXPECT_EQ(edit_distance("DELLAY", "DELAY"), 1U);
  EXPECT_EQ(edit_distance("DELAX", "DELAY"), 1U);
  EXPECT_EQ(edit_distance("", "KEEP"), 4U);
  EXPECT_EQ(edit_distance(std::string(100, 'x'), "KEEP"), 32U);
}

}  // namespace
}  // namespace protocol
