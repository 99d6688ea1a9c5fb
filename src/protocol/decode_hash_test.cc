#include <gtest/gtest.h>

#include "protocol/decode_fixture.h"

namespace protocol {
namespace {

TEST(DecodeHash, ReadsKeyAndFields) {
  const auto set = body_of<core::HashSet>("HSET k f v g w");
  EXPECT_EQ(set.key, "k");
  ASSERT_EQ(set.fields.size(), 2U);
  EXPECT_EQ(set.fields[1], (std::pair<std::string_view, std::string_view>{"g", "w"}));
  EXPECT_FALSE(set.only_absent);
  EXPECT_TRUE(body_of<core::HashSet>("HSETNX k f v").only_absent);
  const auto get = body_of<core::HashGet>("HGET k f");
  EXPECT_EQ(get.key, "k");
  EXPECT_EQ(get.field, "f");
  const auto many = body_of<core::HashGetMany>("HMGET k f g");
  EXPECT_EQ(many.key, "k");
  EXPECT_EQ(many.fields, (std::vector<std::string_view>{"f", "g"}));
  const auto del = body_of<core::HashDelete>("HDEL k f g");
  EXPECT_EQ(del.key, "k");
  EXPECT_EQ(del.fields, (std::vector<std::string_view>{"f", "g"}));
  const auto has = body_of<core::HashHas>("HEXISTS k f");
  EXPECT_EQ(has.key, "k");
  EXPECT_EQ(has.field, "f");
  EXPECT_EQ(body_of<core::HashSize>("HLEN k").key, "k");
  EXPECT_EQ(body_of<core::KeyType>("TYPE k").key, "k");
}

TEST(DecodeHash, ReadsWhatOfAHashIsAskedFor) {
  using What = core::HashAll::What;
  EXPECT_EQ(body_of<core::HashAll>("HGETALL k").what, What::kBoth);
  EXPECT_EQ(body_of<core::HashAll>("HKEYS k").what, What::kFields);
  EXPECT_EQ(body_of<core::HashAll>("HVALS k").what, What::kValues);
  EXPECT_EQ(body_of<core::HashAll>("HVALS k").key, "k");
}

TEST(DecodeHash, ReadsIncrements) {
  const auto add = body_of<core::HashAdd>("HINCRBY k f -3");
  EXPECT_EQ(add.key, "k");
  EXPECT_EQ(add.field, "f");
  EXPECT_EQ(add.by, -3);
  const auto add_float = body_of<core::HashAddFloat>("HINCRBYFLOAT k f 1e3");
  EXPECT_EQ(add_float.key, "k");
  EXPECT_EQ(add_float.field, "f");
  EXPECT_EQ(add_float.by, "1e3");
}

}  // namespace
}  // namespace protocol
