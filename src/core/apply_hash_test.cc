// HSET and its kin: replies, errors in the words of Redis, bounds.
#include <gmock/gmock.h>

#include <limits>

#include "core/apply_fixture.h"

namespace core {
namespace {

using testing::StartsWith;

class ApplyHash : public ApplyFixture {
 protected:
  using Fields = std::vector<std::pair<std::string_view, std::string_view>>;
  std::string hset(std::string_view key, Fields fields) {
    return show(HashSet{key, std::move(fields), false});
  }
  std::string add_float(std::string_view field, std::string_view by) {
    return show(HashAddFloat{"h", field, by});
  }
  static KeySet set_of(std::string_view key, std::string_view value) {
    KeySet set;
    set.key = key;
    set.value = value;
    return set;
  }
  static constexpr std::string_view kWrongType =
      "WRONGTYPE Operation against a key holding the wrong kind of value";
};

TEST_F(ApplyHash, HoldsFields) {
  EXPECT_EQ(hset("h", {{"b", "2"}, {"a", "1"}, {"b", "3"}}), "2") << "the last of two counts";
  EXPECT_EQ(hset("h", {{"a", "9"}, {"c", ""}}), "1");
  EXPECT_EQ(show(HashGet{"h", "b"}), "3");
  EXPECT_EQ(show(HashGet{"h", "x"}), "nil");
  EXPECT_EQ(show(HashGet{"x", "b"}), "nil");
  EXPECT_EQ(show(HashGetMany{"h", {"a", "x", "a"}}), "[9 nil 9]");
  EXPECT_EQ(show(HashGetMany{"x", {"a"}}), "[nil]");
  EXPECT_EQ(show(HashAll{"h", HashAll::What::kBoth}), "{a 9 b 3 c }");
  EXPECT_EQ(show(HashAll{"h", HashAll::What::kFields}), "[a b c]");
  EXPECT_EQ(show(HashAll{"h", HashAll::What::kValues}), "[9 3 ]");
  EXPECT_EQ(show(HashAll{"x", HashAll::What::kBoth}), "{}");
  EXPECT_EQ(show(HashHas{"h", "c"}), "1");
  EXPECT_EQ(show(HashHas{"h", "x"}), "0");
  EXPECT_EQ(show(HashSize{"h"}), "3");
  EXPECT_EQ(show(HashSize{"x"}), "0");
  EXPECT_EQ(show(HashSet{"h", {{"a", "no"}}, true}), "0");
  EXPECT_EQ(show(HashSet{"h", {{"d", "yes"}}, true}), "1");
  EXPECT_EQ(show(HashGetMany{"h", {"a", "d"}}), "[9 yes]");
}

TEST_F(ApplyHash, GoesWithItsLastField) {
  hset("h", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(show(HashDelete{"h", {"a", "x", "a"}}), "1");
  EXPECT_EQ(show(KeysExist{{"h"}}), "1");
  EXPECT_EQ(show(HashDelete{"h", {"b", "a"}}), "1");
  EXPECT_EQ(show(KeysExist{{"h"}}), "0");
  EXPECT_EQ(show(HashDelete{"h", {"b"}}), "0");
  EXPECT_EQ(state.keys().bytes(), 0U);
}

TEST_F(ApplyHash, StringsAndHashesAreKeptApart) {
  run(set_of("s", "v"));
  hset("h", {{"f", "v"}});
  EXPECT_EQ(hset("s", {{"f", "v"}}), kWrongType);
  EXPECT_EQ(show(HashGet{"s", "f"}), kWrongType);
  EXPECT_EQ(show(HashGetMany{"s", {"f"}}), kWrongType);
  EXPECT_EQ(show(HashAll{"s", HashAll::What::kBoth}), kWrongType);
  EXPECT_EQ(show(HashDelete{"s", {"f"}}), kWrongType);
  EXPECT_EQ(show(HashHas{"s", "f"}), kWrongType);
  EXPECT_EQ(show(HashSize{"s"}), kWrongType);
  EXPECT_EQ(show(HashAdd{"s", "f", 1}), kWrongType);
  EXPECT_EQ(show(HashAddFloat{"s", "f", "1"}), kWrongType);
  EXPECT_EQ(show(KeyGet{"h"}), kWrongType);
  EXPECT_EQ(show(KeyAdd{"h"}), kWrongType);
  KeySet get = set_of("h", "v");
  get.get = true;
  EXPECT_EQ(show(get), kWrongType);
  EXPECT_EQ(show(KeysGet{{"h", "s"}}), "[nil v]");
  EXPECT_EQ(show(KeyType{"h"}) + show(KeyType{"s"}) + show(KeyType{"x"}), "hashstringnone");
  EXPECT_EQ(show(set_of("h", "now a string")), "OK") << "SET takes the place of anything";
  EXPECT_EQ(show(KeyGet{"h"}), "now a string");
}

TEST_F(ApplyHash, IsAKeyLikeOthers) {
  hset("h", {{"f", "v"}});
  EXPECT_EQ(show(KeyTimeLeft{"h"}), "-1");
  EXPECT_EQ(show(KeyExpire{"h", 5'000}), "1");
  EXPECT_EQ(show(KeyTimeLeft{"h"}), "5000");
  EXPECT_EQ(hset("h", {{"g", "w"}}), "1");
  EXPECT_EQ(show(KeyTimeLeft{"h"}), "5000") << "a new field does not change when it ends";
  EXPECT_EQ(show(KeyPersist{"h"}), "1");
  EXPECT_EQ(show(HashSize{"h"}), "2");
  EXPECT_EQ(show(KeyScan{}), "[0 [h]]");
  EXPECT_EQ(show(KeyCount{}), "1");
  show(KeyExpire{"h", 5'000});
  now.engine += base::Duration{5'000};
  EXPECT_EQ(show(HashGet{"h", "f"}), "nil") << "it is over, though it is held";
  EXPECT_EQ(hset("h", {{"x", "1"}}), "1");
  EXPECT_EQ(show(HashAll{"h", HashAll::What::kBoth}), "{x 1}");
  EXPECT_EQ(show(KeyTimeLeft{"h"}), "-1");
  EXPECT_EQ(show(KeysDelete{{"h"}}), "1");
  EXPECT_EQ(state.keys().bytes(), 0U);
}

TEST_F(ApplyHash, IntegersAreAddedAsRedisDoes) {
  EXPECT_EQ(show(HashAdd{"h", "n", 5}), "5");
  EXPECT_EQ(show(HashAdd{"h", "n", -7}), "-2");
  hset("h", {{"t", "text"}, {"z", "05"}, {"most", "9223372036854775807"}});
  EXPECT_EQ(show(HashAdd{"h", "t", 1}), "ERR hash value is not an integer");
  EXPECT_EQ(show(HashAdd{"h", "z", 1}), "ERR hash value is not an integer");
  EXPECT_EQ(show(HashAdd{"h", "most", 1}), "ERR increment or decrement would overflow");
  EXPECT_EQ(show(HashGet{"h", "most"}), "9223372036854775807");
}

TEST_F(ApplyHash, FloatsAreAddedAsRedisDoes) {
  hset("h", {{"f", "10.50"}, {"e", "5.0e3"}, {"t", "text"}, {"s", " 1"}});
  EXPECT_EQ(add_float("f", "0.1"), "10.6");
  EXPECT_EQ(add_float("f", "-5"), "5.6");
  EXPECT_EQ(add_float("e", "2.0e2"), "5200");
  EXPECT_EQ(add_float("new", "3.0"), "3");
  EXPECT_EQ(add_float("new", "-3"), "0");
  EXPECT_EQ(add_float("t", "1"), "ERR hash value is not a float");
  EXPECT_EQ(add_float("s", "1"), "ERR hash value is not a float");
  for (const std::string_view by : {"", "x", "1x", " 1", "1 ", "nan", "1e99999"}) {
    EXPECT_EQ(add_float("f", by), "ERR value is not a valid float") << by;
  }
  EXPECT_EQ(add_float("f", "inf"), "ERR value is NaN or Infinity");
  hset("h", {{"huge", "1e4932"}});
  EXPECT_EQ(add_float("huge", "1e4932"), "ERR increment would produce NaN or Infinity");
  EXPECT_EQ(show(HashGet{"h", "huge"}), "1e4932");
}

TEST_F(ApplyHash, CountsAgainstTheLimitOfKeys) {
  const size_t one = Keys::bytes_of(1, 0) + Keys::field_bytes("f", "12345");
  state.keys().set_bytes_max(one);
  EXPECT_EQ(hset("h", {{"f", "123456"}}),
            fmt::format("QUOTA limit={} got={} bytes of keys: delete some, or give them an end "
                        "(EXPIRE)",
                        one, one + 1));
  EXPECT_EQ(show(KeysExist{{"h"}}), "0");
  EXPECT_EQ(hset("h", {{"f", "12345"}}), "1");
  EXPECT_EQ(state.keys().bytes(), one);
  EXPECT_THAT(hset("h", {{"f", "1"}, {"g", ""}}), StartsWith("QUOTA"));
  EXPECT_EQ(show(HashGet{"h", "f"}), "12345") << "nothing of it was done";
  EXPECT_EQ(hset("h", {{"f", "1"}}), "0");
  EXPECT_THAT(show(HashAdd{"h", "g", 1}), StartsWith("QUOTA"));
  EXPECT_THAT(show(set_of("s", "")), StartsWith("QUOTA"));
  EXPECT_EQ(show(set_of("h", "")), "OK") << "a string in its place is smaller";
}

TEST_F(ApplyHash, OneThatIsOverMakesRoomForTheNext) {
  state.keys().set_bytes_max(Keys::bytes_of(1, 0) + Keys::field_bytes("f", "12345"));
  const std::string value(100, 'v');
  KeySet brief = set_of("h", value);
  brief.life = KeySet::Life::kFor;
  brief.life_ms = 1'000;
  EXPECT_EQ(show(brief), "OK");
  now.engine += base::Duration{1'000};
  EXPECT_EQ(hset("h", {{"f", "12345"}}), "1");
  EXPECT_THAT(hset("h", {{"f", "123456"}}), StartsWith("QUOTA"));
}

TEST_F(ApplyHash, HasBoundsOfItsOwn) {
  const std::string long_field(limits::kHashFieldBytesMax + 1, 'f');
  const std::string long_value(limits::kKeyValueBytesMax + 1, 'v');
  EXPECT_EQ(hset("h", {{long_field, ""}}),
            "BADREQ field=field must have at most 512 bytes, got 513");
  EXPECT_THAT(show(HashGet{"h", long_field}), StartsWith("BADREQ field=field"));
  EXPECT_THAT(hset("h", {{"f", long_value}}), StartsWith("TOOBIG limit=1048576"));
  EXPECT_EQ(hset("h", {{"", "an empty name is one"}}), "1");
  EXPECT_THAT(hset("", {{"f", ""}}), StartsWith("BADREQ field=key"));
  std::vector<std::string> names;
  for (size_t i = 0; i < limits::kHashFieldsMax; ++i) names.push_back(std::to_string(i));
  for (size_t i = 0; i < names.size(); i += 10'000) {
    Fields fields;
    for (size_t j = i; j < i + 10'000; ++j) fields.emplace_back(names[j], "");
    ASSERT_EQ(hset("large", fields), "10000");
  }
  EXPECT_EQ(hset("large", {{"one more", ""}}),
            "QUOTA limit=100000 got=100001 fields of one hash: use several");
  EXPECT_EQ(hset("large", {{"7", "changed"}}), "0");
}

TEST_F(ApplyHash, TooLargeAReplyIsRefused) {
  const std::string value(limits::kKeyValueBytesMax, 'v');
  std::vector<std::string> names;
  for (char c = 'a'; c < 'a' + 17; ++c) names.emplace_back(1, c);
  for (const std::string& name : names) hset("h", {{name, value}});
  EXPECT_THAT(show(HashAll{"h", HashAll::What::kBoth}), StartsWith("TOOBIG limit=16777216"));
  EXPECT_THAT(show(HashGetMany{"h", {names.begin(), names.end()}}), StartsWith("TOOBIG"));
  EXPECT_EQ(show(HashSize{"h"}), "17");
}

TEST_F(ApplyHash, AChangeSpeaksOfItsFieldsAlone) {
  Fields fields;
  std::vector<std::string> names;
  for (int i = 0; i < 1'000; ++i) names.push_back(std::to_string(i));
  for (const std::string& name : names) fields.emplace_back(name, "v");
  hset("h", fields);
  const size_t before = sink.count;
  hset("h", {{"5", "w"}});
  EXPECT_EQ(sink.count, before + 1);
  show(KeyExpire{"h", 1'000});
  EXPECT_EQ(sink.count, before + 2);
}

TEST_F(ApplyHash, AGroupIsTakenBackWholly) {
  hset("h", {{"a", "1"}, {"b", "2"}});
  hset("gone", {{"x", "y"}});
  show(KeyExpire{"gone", 9'000});
  run(set_of("s", "v"));
  const std::string before = dump();
  Exec exec;
  exec.commands.push_back({HashSet{"h", {{"a", "9"}, {"c", "3"}}, false}});
  exec.commands.push_back({HashDelete{"h", {"a", "b", "c"}}});
  exec.commands.push_back({HashSet{"h", {{"d", "4"}}, false}});
  exec.commands.push_back({KeyExpire{"h", 1'000}});
  exec.commands.push_back({KeysDelete{{"gone", "s"}}});
  exec.commands.push_back({HashSet{"s", {{"f", "v"}}, false}});
  exec.commands.push_back({HashSet{"new", {{"f", "v"}}, false}});
  exec.commands.push_back({set_of("new", "string")});
  exec.commands.push_back({KeyAdd{"h"}});
  EXPECT_THAT(show(exec), StartsWith("EXECABORT index=8 WRONGTYPE"));
  EXPECT_EQ(dump(), before);
  exec.commands.pop_back();
  EXPECT_EQ(show(exec), "[1 3 1 1 2 1 1 OK]");
  EXPECT_EQ(show(HashAll{"h", HashAll::What::kBoth}), "{d 4}");
  EXPECT_EQ(show(HashAll{"s", HashAll::What::kBoth}), "{f v}");
}

}  // namespace
}  // namespace core
