#include "protocol/words.h"

#include <gtest/gtest.h>

namespace protocol {
namespace {

using Line = std::vector<std::string_view>;

TEST(Words, ReadsNumbersStrictly) {
  EXPECT_EQ(parse_integer("n", "0").value(), 0);
  EXPECT_EQ(parse_integer("n", "-5").value(), -5);
  EXPECT_EQ(parse_integer("n", "9223372036854775807").value(), INT64_MAX);
  EXPECT_EQ(parse_integer("n", "-9223372036854775808").value(), INT64_MIN);
  EXPECT_EQ(parse_unsigned("n", "18446744073709551615").value(), UINT64_MAX);
  for (const std::string_view word : {"", "-", "+1", " 1", "1 ", "01", "-0", "-01", "0x1", "1e3",
                                      "1.0", "9223372036854775808", "one"}) {
    EXPECT_FALSE(parse_integer("n", word).has_value()) << word;
  }
  EXPECT_FALSE(parse_unsigned("n", "-1").has_value());
  EXPECT_FALSE(parse_unsigned("n", "18446744073709551616").has_value());
  EXPECT_FALSE(parse_integer("n", std::string_view("1\0", 2)).has_value());
}

TEST(Words, ErrorsShowAValueCutAndPrintable) {
  EXPECT_EQ(parse_integer("n", "a\r\nb").error().message,
            "field=n must be a whole number, got 'a??b'");
  EXPECT_LT(parse_integer("n", std::string(10'000, 'x')).error().message.size(), 100U);
}

TEST(Words, ReadsIdsInEitherCaseAndKeysExactly) {
  EXPECT_EQ(parse_job("0000000000abc").value().id, parse_job("0000000000ABC").value().id);
  EXPECT_EQ(parse_job("0000000000abc").value().text, "0000000000abc");
  EXPECT_EQ(parse_job("key:Key:1").value().key, "Key:1");
  for (const std::string_view word : {"", "key:", "KEY:x", "000000000007", "00000000000007"}) {
    EXPECT_FALSE(parse_job(word).has_value()) << word;
  }
}

TEST(Words, TakesPartsFromTheFront) {
  const Line line = {"a", "b", "c"};
  Words words(line);
  EXPECT_EQ(words.peek(), "a");
  Words part = words.take_part(2);
  EXPECT_EQ(part.left(), 2U);
  EXPECT_EQ(part.take(), "a");
  EXPECT_EQ(words.value("X").value(), "c");
  EXPECT_EQ(words.value("X").error().message, "field=X needs a value behind it");
  EXPECT_EQ(words.peek(), "");
  EXPECT_TRUE(words.end().has_value());
}

TEST(Words, ACountIsBoundByRuleAndByWhatIsThere) {
  const auto count = [](const Line& line, const Words::CountRule& rule) {
    Words words(line);
    const auto result = words.count("n", rule);
    return result ? std::to_string(*result) : result.error().message;
  };
  EXPECT_EQ(count({"2", "a", "b"}, {.most = 5}), "2");
  EXPECT_EQ(count({"0"}, {.least = 0, .most = 5}), "0");
  EXPECT_EQ(count({"0"}, {.most = 5}), "field=n must count 1 to 5 items, got 0");
  EXPECT_EQ(count({"-1"}, {.least = 0, .most = 5}), "field=n must count 0 to 5 items, got -1");
  EXPECT_EQ(count({"6"}, {.most = 5}), "field=n must count 1 to 5 items, got 6");
  EXPECT_EQ(count({"2", "a", "b", "c"}, {.words_each = 2, .most = 5}),
            "field=n counts 2 items of 2 words, but only 3 words follow");
}

}  // namespace
}  // namespace protocol
