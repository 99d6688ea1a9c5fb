// What the model and the sim do not say: the texts of errors, large values, and what is bounded.
#include <gtest/gtest.h>

#include <limits>

#include "core/apply_fixture.h"

namespace core {
namespace {

using base::ErrorCode;

class ApplyKeys : public ApplyFixture {
 protected:
  static KeySet set_of(std::string_view key, std::string_view value) {
    KeySet set;
    set.key = key;
    set.value = value;
    return set;
  }
  std::string error(CommandBody body) { return error_of(run(std::move(body))); }
  std::string get(std::string_view key) {
    const Answer answer = run(KeyGet{key});
    ReplyReader reader(answer.reply.tape());
    return reader.tag() == ReplyTag::kBulk ? std::string(reader.bytes()) : "(nil)";
  }
  // A page of SCAN: the cursor and how many names.
  std::pair<std::string, uint32_t> scan(KeyScan body) {
    const Answer answer = run(body);
    ReplyReader reader(answer.reply.tape());
    EXPECT_EQ(reader.tag(), ReplyTag::kArray);
    EXPECT_EQ(reader.count(), 2U);
    EXPECT_EQ(reader.tag(), ReplyTag::kBulk);
    const std::string cursor(reader.bytes());
    EXPECT_EQ(reader.tag(), ReplyTag::kArray);
    return {cursor, reader.count()};
  }
};

TEST_F(ApplyKeys, ErrorsHaveTheTextsOfRedis) {
  run(set_of("t", "text"));
  run(set_of("n", "9223372036854775807"));
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(error(KeyAdd{"t"}), "ERR value is not an integer or out of range");
  EXPECT_EQ(error(KeyAdd{"n"}), "ERR increment or decrement would overflow");
  EXPECT_EQ(error(KeyAdd{"n", -1, true}), "ERR increment or decrement would overflow");
  EXPECT_EQ(error(KeyAdd{"n", kLeast, true}), "ERR decrement would overflow");
  KeySet timed = set_of("t", "v");
  timed.life = KeySet::Life::kFor;
  EXPECT_EQ(error(timed), "ERR invalid expire time in 'set' command");
  timed.life = KeySet::Life::kUntil;
  timed.life_ms = limits::kKeyWallMsMax + 1;
  EXPECT_EQ(error(timed), "ERR invalid expire time in 'set' command");
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(error(KeyExpire{"t", kMost, true}), "ERR invalid expire time in 'expire' command");
  EXPECT_EQ(error(KeyExpire{"t", kMost, false}), "ERR invalid expire time in 'pexpire' command");
  EXPECT_EQ(get("t"), "text");
}

TEST_F(ApplyKeys, LimitsAreNamed) {
  const std::string long_name(513, 'k');
  const std::string large(limits::kKeyValueBytesMax + 1, 'v');
  EXPECT_EQ(error(KeyGet{""}), "BADREQ field=key must have 1 to 512 bytes, got 0");
  EXPECT_EQ(error(KeysDelete{{"k", long_name}}),
            "BADREQ field=key must have 1 to 512 bytes, got 513");
  EXPECT_EQ(error(set_of("k", large)),
            "TOOBIG limit=1048576 got=1048577 bytes of value: store it elsewhere and send a "
            "reference");
  EXPECT_EQ(error(KeyScan{0, {}, 0}),
            "BADREQ field=COUNT 0 is not within 1 to 9223372036854775807");
  EXPECT_EQ(error(KeyScan{0, long_name, {}}),
            "BADREQ field=MATCH must have at most 512 bytes, got 513");
  state.keys().set_bytes_max(limits::kKeyOverheadBytes + 2);
  run(set_of("k", "v"));
  EXPECT_EQ(error(set_of("k", "vv")),
            "QUOTA limit=194 got=195 bytes of keys: delete some, or give them an end (EXPIRE)");
  EXPECT_EQ(get("k"), "v");
}

TEST_F(ApplyKeys, ManyLargeValuesAreNotAnsweredAtOnce) {
  const std::string large(limits::kKeyValueBytesMax, 'v');
  run(set_of("k", large));
  KeysGet get_many;
  get_many.keys.assign(16, "k");
  EXPECT_EQ(error(get_many), "OK");
  get_many.keys.emplace_back("k");
  EXPECT_EQ(error(get_many),
            "TOOBIG limit=16777216 got=17825792 bytes of values: ask for fewer keys");
  Exec exec;
  exec.commands.push_back(Command{set_of("new", "v")});
  for (int i = 0; i < 16; ++i) exec.commands.push_back(Command{KeyGet{"k"}});
  EXPECT_TRUE(error(exec).starts_with("EXECABORT index=16 TOOBIG limit=16777216 got="));
  EXPECT_EQ(get("new"), "(nil)");
}

TEST_F(ApplyKeys, WhilePushesAreRefusedValuesAreToo) {
  run(set_of("k", "v"));
  const base::Error full{ErrorCode::kDiskFull, "no room"};
  Context step{state, now, random, sink, turns, &full};
  const auto code_of = [&](CommandBody body) {
    Answer answer;
    apply(step, Command{std::move(body)}, answer);
    return error_of(answer);
  };
  EXPECT_EQ(code_of(set_of("k", "v")), "DISKFULL no room");
  EXPECT_EQ(code_of(KeyAdd{"n"}), "DISKFULL no room");
  EXPECT_EQ(code_of(KeyExpire{"k", 5}), "DISKFULL no room");
  EXPECT_EQ(code_of(KeyExpire{"nobody", 5}), "OK");
  EXPECT_EQ(code_of(KeyGet{"k"}), "OK");
  EXPECT_EQ(code_of(KeysDelete{{"k"}}), "OK");
  EXPECT_EQ(get("k"), "(nil)");
}

TEST_F(ApplyKeys, WhatIsOverIsRemovedInSlices) {
  KeySet timed = set_of("", "v");
  timed.life = KeySet::Life::kFor;
  timed.life_ms = 10;
  std::vector<std::string> names;
  for (int i = 0; i < 25; ++i) names.push_back("k" + std::to_string(i));
  for (const std::string& name : names) {
    timed.key = name;
    run(timed);
  }
  now.engine += base::Duration{10};
  EXPECT_EQ(next_due(state, now), now.engine);
  EXPECT_EQ(state.keys().count(now), 0U);
  Context step = context();
  EXPECT_TRUE(apply_due(step, 10));
  EXPECT_EQ(state.keys().held(), 15U);
  EXPECT_TRUE(apply_due(step, 10));
  EXPECT_FALSE(apply_due(step, 10));
  EXPECT_EQ(state.keys().held(), 0U);
  EXPECT_EQ(next_due(state, now), base::EngineTime::never());
}

TEST_F(ApplyKeys, APageOfAScanIsBounded) {
  std::vector<std::string> names;
  for (int i = 0; i < 2'500; ++i) names.push_back(std::to_string(i) + std::string(400, 'a'));
  for (const std::string& name : names) run(set_of(name, ""));
  EXPECT_EQ(scan({}).second, 10U);
  EXPECT_EQ(scan({.count = 1'000'000}).second, 1'000U);
  const std::string pattern = "*" + std::string(200, 'a') + "b";
  const auto [cursor, found] = scan({.pattern = pattern, .count = 1'000});
  EXPECT_EQ(found, 0U);
  EXPECT_NE(cursor, "0") << "it ends early when the work is too much";
  size_t pages = 0;
  for (std::string at = "0"; pages == 0 || at != "0"; ++pages) {
    at = scan({.cursor = std::stoull(at), .pattern = pattern, .count = 1'000}).first;
  }
  EXPECT_GT(pages, 10U);
}

}  // namespace
}  // namespace core
