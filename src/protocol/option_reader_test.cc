#include "protocol/option_reader.h"

#include <gtest/gtest.h>

#include <array>

namespace protocol {
namespace {

enum class Option : uint8_t { kFirst, kSecond, kThird };
constexpr std::array<std::string_view, 3> kNames = {"FIRST", "SECOND", "THIRD"};

// Reads all words as options and returns the error, or nothing.
std::string read(OptionReader& options, const std::vector<std::string_view>& line) {
  Words words(line);
  while (!words.empty()) {
    const auto option = options.next(words);
    if (!option) return option.error().message;
  }
  return "";
}

TEST(OptionReader, TakesOptionsInAnyOrderAndCase) {
  OptionReader options(kNames);
  EXPECT_EQ(read(options, {"third", "First"}), "");
  EXPECT_TRUE(options.seen(Option::kFirst));
  EXPECT_FALSE(options.seen(Option::kSecond));
  EXPECT_TRUE(options.seen(Option::kThird));
}

TEST(OptionReader, AnOptionStandsOnce) {
  OptionReader options(kNames);
  EXPECT_EQ(read(options, {"FIRST", "SECOND", "first"}), "field=FIRST stands there twice");
}

TEST(OptionReader, NamesTheNearestOptionOrAll) {
  OptionReader options(kNames);
  EXPECT_EQ(read(options, {"THRID"}), "field=OPTION unknown option 'THRID'; did you mean THIRD?");
  EXPECT_EQ(read(options, {"FRST"}), "field=OPTION unknown option 'FRST'; did you mean FIRST?");
  EXPECT_EQ(read(options, {"a\r\nb"}),
            "field=OPTION unknown option 'a??b'; there are FIRST, SECOND, THIRD");
  EXPECT_EQ(read(options, {""}), "field=OPTION unknown option ''; there are FIRST, SECOND, THIRD");
}

TEST(OptionReader, ExcludesAndRequires) {
  OptionReader options(kNames);
  EXPECT_EQ(read(options, {"FIRST", "THIRD"}), "");
  EXPECT_TRUE(options.exclude(Option::kFirst, Option::kSecond).has_value());
  EXPECT_EQ(options.exclude(Option::kFirst, Option::kThird).error().message,
            "field=THIRD and FIRST exclude each other");
  EXPECT_TRUE(options.require(Option::kFirst).has_value());
  EXPECT_EQ(options.require(Option::kSecond).error().message, "field=SECOND is missing");
}

TEST(Choose, ReturnsThePlaceOrNamesAll) {
  EXPECT_EQ(choose("F", "second", kNames).value(), 1U);
  EXPECT_EQ(choose("F", "x", kNames).error().message,
            "field=F must be one of FIRST, SECOND, THIRD; got 'x'");
}

}  // namespace
}  // namespace protocol
