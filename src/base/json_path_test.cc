#include "base/json_path.h"

#include <gtest/gtest.h>

#include <string>

namespace base {
namespace {

bool has(std::string_view json, std::string_view path, std::string_view value) {
  return json_has(json, path, [&](std::string_view found) { return found == value; });
}

TEST(JsonPath, FindsScalarsAtTheirPath) {
  constexpr std::string_view kJson =
      R"({"user":{"id":42,"name":"ann","admin":true,"boss":null},"n":9007199254740993,"x":1.5})";
  EXPECT_TRUE(has(kJson, "user.id", "42"));
  EXPECT_TRUE(has(kJson, "user.name", "ann"));
  EXPECT_TRUE(has(kJson, "user.admin", "true"));
  EXPECT_TRUE(has(kJson, "user.boss", "null"));
  EXPECT_TRUE(has(kJson, "n", "9007199254740993"));
  EXPECT_TRUE(has(kJson, "x", "1.5"));
  EXPECT_FALSE(has(kJson, "user", "42"));
  EXPECT_FALSE(has(kJson, "user.id.more", "42"));
  EXPECT_FALSE(has(kJson, "id", "42"));
}

TEST(JsonPath, LooksAtEachElementOfAnArrayOrAtOne) {
  constexpr std::string_view kJson = R"({"to":[{"id":1},{"id":2}],"tags":["a","b"]})";
  EXPECT_TRUE(has(kJson, "to.id", "2"));
  EXPECT_TRUE(has(kJson, "to.1.id", "2"));
  EXPECT_FALSE(has(kJson, "to.0.id", "2"));
  EXPECT_FALSE(has(kJson, "to.7.id", "2"));
  EXPECT_TRUE(has(kJson, "tags", "b"));
  EXPECT_TRUE(has(R"([5, 6])", "", "6"));
}

TEST(JsonPath, FindsKeysWithDots) {
  EXPECT_TRUE(has(R"({"a.b":{"c":"x"}})", "a.b.c", "x"));
}

TEST(JsonPath, FindsNothingInWhatIsNoJson) {
  EXPECT_FALSE(has("", "a", "b"));
  EXPECT_FALSE(has("{\"a\":", "a", "b"));
  EXPECT_FALSE(has("\xff\xfe", "a", "b"));
  EXPECT_FALSE(has(std::string(100'000, '['), "a", "b"));
}

}  // namespace
}  // namespace base
