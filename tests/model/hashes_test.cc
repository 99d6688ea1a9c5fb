// Hashes: fields, wrong types, ends, the limit.
#include <limits>

#include "model/scene.h"

namespace model {
namespace {

class HashRules : public Scene {
 protected:
  int64_t number(const Verb& verb) { return run(verb).number; }
  // The value; "(nil)" for nothing.
  std::string get(const std::string& field) {
    const Reply reply = run(HashGet{"h", field});
    return reply.kind == Reply::Kind::kNil ? "(nil)" : reply.text;
  }
  static KeySet a_set(const std::string& key, const std::string& value) {
    KeySet set;
    set.key = key;
    set.value = value;
    return set;
  }
};

TEST_F(HashRules, SetCountsNewFields) {
  EXPECT_EQ(number(HashSet{"h", {{"a", "1"}, {"b", "2"}, {"a", "3"}}}), 2);
  EXPECT_EQ(number(HashSet{"h", {{"a", "4"}, {"", "empty"}}}), 1);
  EXPECT_EQ(get("a"), "4");
  EXPECT_EQ(get(""), "empty");
  EXPECT_EQ(get("no"), "(nil)");
  EXPECT_EQ(number(HashLen{"h"}), 3);
  EXPECT_EQ(number(HashExists{"h", "b"}), 1);
  EXPECT_EQ(number(HashExists{"h", "no"}), 0);
  const Reply some = run(HashMGet{"h", {"a", "no", "a"}});
  EXPECT_EQ(some.items.at(0).text, "4");
  EXPECT_EQ(some.items.at(1).kind, Reply::Kind::kNil);
  EXPECT_EQ(run(HashGetAll{"h"}).fields, (Fields{{"", "empty"}, {"a", "4"}, {"b", "2"}}));
}

TEST_F(HashRules, WhatIsNotThereIsAnEmptyHash) {
  EXPECT_EQ(get("a"), "(nil)");
  EXPECT_EQ(number(HashLen{"h"}), 0);
  EXPECT_EQ(number(HashDel{"h", {"a"}}), 0);
  EXPECT_EQ(run(HashMGet{"h", {"a"}}).items.at(0).kind, Reply::Kind::kNil);
  EXPECT_TRUE(run(HashGetAll{"h"}).fields.empty());
  EXPECT_EQ(number(KeyExists{{"h"}}), 0);
}

TEST_F(HashRules, AnEmptyHashGoes) {
  run(HashSet{"h", {{"a", "1"}, {"b", "2"}}});
  EXPECT_EQ(number(HashDel{"h", {"a", "a", "no"}}), 1);
  EXPECT_EQ(number(KeyExists{{"h"}}), 1);
  EXPECT_EQ(number(HashDel{"h", {"b"}}), 1);
  EXPECT_EQ(number(KeyExists{{"h"}}), 0);
  EXPECT_EQ(number(KeyDbSize{}), 0);
}

TEST_F(HashRules, WrongTypeBothWays) {
  run(a_set("t", "text"));
  run(HashSet{"h", {{"a", "1"}}});
  for (const Verb& verb : std::vector<Verb>{
           HashSet{"t", {{"a", "1"}}}, HashGet{"t", "a"}, HashMGet{"t", {"a"}}, HashGetAll{"t"},
           HashDel{"t", {"a"}}, HashExists{"t", "a"}, HashLen{"t"}, HashIncr{"t", "a", 1},
           HashIncrFloat{"t", "a", "1"}, KeyGet{"h"}, KeyIncr{"h", 1, false}}) {
    EXPECT_EQ(code(verb), "WRONGTYPE");
  }
  EXPECT_EQ(run(KeyMGet{{"h", "t"}}).items.at(0).kind, Reply::Kind::kNil) << "as Redis has it";
  KeySet with_get = a_set("h", "v");
  with_get.get = true;
  EXPECT_EQ(code(with_get), "WRONGTYPE");
  EXPECT_EQ(get("a"), "1");
  run(a_set("h", "v"));
  EXPECT_EQ(code(HashGet{"h", "a"}), "WRONGTYPE") << "a plain SET takes any key's place";
}

TEST_F(HashRules, NumbersAreCountedOrRefused) {
  EXPECT_EQ(number(HashIncr{"h", "n", 5}), 5);
  EXPECT_EQ(number(HashIncr{"h", "n", -8}), -3);
  run(HashSet{"h", {{"t", "01"}, {"n", "9223372036854775807"}}});
  EXPECT_EQ(code(HashIncr{"h", "t", 1}), "ERR");
  EXPECT_EQ(code(HashIncr{"h", "n", 1}), "ERR");
  EXPECT_EQ(number(HashIncr{"h", "n", std::numeric_limits<int64_t>::min()}), -1);
}

TEST_F(HashRules, DecimalsAreAddedAndShownWithoutZerosAtTheEnd) {
  const auto add = [&](const std::string& by) { return run(HashIncrFloat{"h", "n", by}).text; };
  EXPECT_EQ(add("10.50"), "10.5");
  EXPECT_EQ(add("0.1"), "10.6");
  EXPECT_EQ(add("-5.0e1"), "-39.4");
  EXPECT_EQ(add("39.4"), "0");
  EXPECT_EQ(get("n"), "0");
  EXPECT_EQ(code(HashIncrFloat{"h", "n", "abc"}), "ERR");
  EXPECT_EQ(code(HashIncrFloat{"h", "n", ""}), "ERR");
  run(HashSet{"h", {{"t", "text"}}});
  EXPECT_EQ(code(HashIncrFloat{"h", "t", "1"}), "ERR");
}

TEST_F(HashRules, TheEndIsTheKeysAndStays) {
  run(HashSet{"h", {{"a", "1"}}});
  run(KeyExpire{"h", 1'000, false});
  run(HashSet{"h", {{"b", "2"}}});
  run(HashIncr{"h", "a", 1});
  run(HashDel{"h", {"b"}});
  tick(999);
  run(Restart{});
  EXPECT_EQ(number(KeyTtl{"h", false}), 1);
  EXPECT_EQ(get("a"), "2");
  tick(1);
  EXPECT_EQ(get("a"), "(nil)");
  run(HashSet{"h", {{"c", "3"}}});
  EXPECT_EQ(number(KeyTtl{"h", false}), -1) << "a new hash, without an end";
  EXPECT_EQ(number(HashLen{"h"}), 1);
}

TEST_F(HashRules, AnErrorInAGroupTakesFieldsBack) {
  run(HashSet{"h", {{"a", "1"}}});
  Exec exec;
  exec.members = {Op{1, HashSet{"h", {{"a", "2"}}}}, Op{1, HashDel{"h", {"a"}}},
                  Op{1, KeyIncr{"h", 1, false}}};
  EXPECT_EQ(run(exec).items.size(), 3U) << "the hash was empty, so the number is a new key";
  run(KeyDel{{"h"}});
  run(HashSet{"h", {{"a", "1"}}});
  exec.members.erase(exec.members.begin() + 1);
  EXPECT_EQ(run(exec).inner_code, "WRONGTYPE");
  EXPECT_EQ(get("a"), "1");
}

TEST_F(HashRules, RefuseWhatIsOutsideTheLimits) {
  EXPECT_EQ(code(HashSet{"", {{"a", "1"}}}), "BADREQ");
  EXPECT_EQ(code(HashSet{"h", {}}), "BADREQ");
  EXPECT_EQ(code(HashSet{"h", {{std::string(513, 'f'), "1"}}}), "BADREQ");
  EXPECT_EQ(code(HashSet{"h", {{"f", std::string(1'048'577, 'v')}}}), "TOOBIG");
  EXPECT_EQ(code(HashMGet{"h", {}}), "BADREQ");
  EXPECT_TRUE(model.world().stored.empty());
}

TEST(HashLimit, RefusesGrowthAndNothingElse) {
  constexpr int64_t kBytesMax = 192 + 1 + 2 * (128 + 1 + 10);
  const Now now = Generator::start();
  Model model(now, kBytesMax);
  Puppet puppet(now, 1, kBytesMax);
  const auto code = [&](const Verb& verb) {
    const Op op{1, verb};
    const Puppet::Seen seen = puppet.perform(op, now);
    EXPECT_EQ(model.check(op, now, seen.reply).value_or(""), "");
    EXPECT_EQ(model.compare(puppet.snapshot()).value_or(""), "");
    return seen.reply.code;
  };
  EXPECT_EQ(code(HashSet{"h", {{"a", "0123456789"}, {"b", "0123456789"}}}), "");
  EXPECT_EQ(code(HashSet{"h", {{"a", ""}, {"c", ""}}}), "QUOTA") << "neither field is set";
  EXPECT_EQ(code(HashSet{"h", {{"a", "01234567890"}}}), "QUOTA");
  EXPECT_EQ(code(HashIncr{"h", "c", 1}), "QUOTA");
  EXPECT_EQ(code(HashSet{"h", {{"a", "9876543210"}}}), "");
  EXPECT_EQ(code(HashDel{"h", {"a"}}), "");
  EXPECT_EQ(code(HashIncr{"h", "c", 1}), "");
}

}  // namespace
}  // namespace model
