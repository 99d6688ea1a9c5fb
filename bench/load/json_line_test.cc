#include "bench/load/json_line.h"

#include <gtest/gtest.h>

#include <limits>

namespace load {
namespace {

TEST(JsonLine, WritesTextNumbersAndNothingElse) {
  JsonLine line;
  EXPECT_EQ(line.text(), "{}");
  line.add("text", "a\"b\\c\nd");
  line.add("count", uint64_t{18'446'744'073'709'551'615U});
  line.add("half", 0.5);
  line.add("nan", std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(line.text(),
            R"({"text":"a\"b\\c d","count":18446744073709551615,"half":0.5,"nan":null})");
}

}  // namespace
}  // namespace load
