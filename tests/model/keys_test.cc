// Keys: SET and its kin, their ends, groups, the limit, SCAN.
#include <limits>

#include "model/scene.h"
#include "model/step.h"

namespace model {
namespace {

class KeyRules : public Scene {
 protected:
  static KeySet a_set(const std::string& key, const std::string& value) {
    KeySet set;
    set.key = key;
    set.value = value;
    return set;
  }
  void set(const std::string& key, const std::string& value) { run(a_set(key, value)); }
  // The value; "(nil)" for nothing.
  std::string get(const std::string& key) { return text_of(run(KeyGet{key})); }
  static std::string text_of(const Reply& reply) {
    return reply.kind == Reply::Kind::kNil ? "(nil)" : reply.text;
  }
  int64_t number(const Verb& verb) { return run(verb).number; }
};

TEST_F(KeyRules, SetAndGet) {
  EXPECT_EQ(get("k"), "(nil)");
  EXPECT_EQ(run(a_set("k", "v")).kind, Reply::Kind::kOk);
  EXPECT_EQ(get("k"), "v");
  EXPECT_EQ(number(KeyExists{{"k", "k", "no"}}), 2);
  EXPECT_EQ(number(KeyDbSize{}), 1);
  EXPECT_EQ(number(KeyDel{{"k", "k", "no"}}), 1);
  EXPECT_EQ(get("k"), "(nil)");
}

TEST_F(KeyRules, SetOnlyIfAbsentOrPresent) {
  KeySet nx = a_set("k", "1");
  nx.nx = true;
  KeySet xx = a_set("k", "2");
  xx.xx = true;
  EXPECT_EQ(run(xx).kind, Reply::Kind::kNil);
  EXPECT_EQ(run(nx).kind, Reply::Kind::kOk);
  EXPECT_EQ(run(nx).kind, Reply::Kind::kNil);
  EXPECT_EQ(run(xx).kind, Reply::Kind::kOk);
  nx.get = true;
  EXPECT_EQ(text_of(run(nx)), "2") << "not set, the old value told";
  nx.key = "new";
  EXPECT_EQ(text_of(run(nx)), "(nil)") << "set, there was none before";
  EXPECT_EQ(get("new"), "1");
}

TEST_F(KeyRules, AnEndByEngineTimeDoesNotHeedTheWallClock) {
  KeySet timed = a_set("k", "v");
  timed.px_ms = 1'000;
  run(timed);
  now.wall_ms += 3'000'000;
  EXPECT_EQ(get("k"), "v");
  tick(999);
  EXPECT_EQ(number(KeyTtl{"k", false}), 1);
  EXPECT_EQ(number(KeyTtl{"k", true}), 0);
  tick(1);
  EXPECT_EQ(get("k"), "(nil)") << "over, though nothing has removed it";
  EXPECT_EQ(number(KeyTtl{"k", false}), -2);
  EXPECT_EQ(number(KeyDbSize{}), 0);
}

TEST_F(KeyRules, AnEndByTheWallClockDoesNotHeedEngineTime) {
  KeySet timed = a_set("k", "v");
  timed.pxat_ms = now.wall_ms + 1'000;
  run(timed);
  now.engine_ms += 5'000;
  EXPECT_EQ(number(KeyTtl{"k", false}), 1'000);
  now.wall_ms += 1'000;
  EXPECT_EQ(get("k"), "(nil)");
  now.wall_ms -= 1;
  EXPECT_EQ(get("k"), "v") << "the wall clock stepped back before it was removed";
  now.wall_ms += 1;
  run(Advance{});
  now.wall_ms -= 1;
  EXPECT_EQ(get("k"), "(nil)") << "removed";
}

TEST_F(KeyRules, AnEndThatIsReachedAlreadyDeletes) {
  set("k", "v");
  KeySet past = a_set("k", "w");
  past.exat_s = now.wall_ms / 1'000;
  EXPECT_EQ(run(past).kind, Reply::Kind::kOk);
  EXPECT_EQ(get("k"), "(nil)");
  set("k", "v");
  EXPECT_EQ(number(KeyExpire{"k", 0, true}), 1);
  EXPECT_EQ(get("k"), "(nil)");
  EXPECT_EQ(number(KeyExpire{"k", 5, true}), 0);
}

TEST_F(KeyRules, ATimeIsKeptTakenAwayOrSetAnew) {
  set("k", "v");
  EXPECT_EQ(number(KeyTtl{"k", true}), -1);
  EXPECT_EQ(number(KeyPersist{"k"}), 0);
  EXPECT_EQ(number(KeyExpire{"k", 10, true}), 1);
  KeySet again = a_set("k", "w");
  again.keep_ttl = true;
  run(again);
  EXPECT_EQ(number(KeyTtl{"k", false}), 10'000);
  run(KeyIncr{"n", 5, false});
  EXPECT_EQ(number(KeyExpire{"n", 700, false}), 1);
  run(KeyIncr{"n", std::nullopt, true});
  EXPECT_EQ(number(KeyTtl{"n", false}), 700);
  EXPECT_EQ(number(KeyPersist{"k"}), 1);
  EXPECT_EQ(number(KeyTtl{"k", true}), -1);
  run(again);
  set("n", "1");
  EXPECT_EQ(number(KeyTtl{"n", false}), -1);
}

TEST_F(KeyRules, NumbersAreCountedOrRefused) {
  EXPECT_EQ(number(KeyIncr{"n", std::nullopt, false}), 1);
  EXPECT_EQ(number(KeyIncr{"n", 9, true}), -8);
  EXPECT_EQ(get("n"), "-8");
  for (const char* text : {"", "abc", " 1", "1 ", "+1", "01", "-0", "-", "9223372036854775808"}) {
    set("t", text);
    EXPECT_EQ(code(KeyIncr{"t", 1, false}), "ERR") << text;
    EXPECT_EQ(get("t"), text);
  }
  set("n", "9223372036854775807");
  EXPECT_EQ(code(KeyIncr{"n", 1, false}), "ERR");
  EXPECT_EQ(code(KeyIncr{"n", std::numeric_limits<int64_t>::min(), true}), "ERR");
  EXPECT_EQ(number(KeyIncr{"n", std::numeric_limits<int64_t>::min(), false}), -1);
}

TEST_F(KeyRules, RefuseWhatIsOutsideTheLimits) {
  KeySet wrong = a_set("k", "v");
  wrong.ex_s = 0;
  EXPECT_EQ(code(wrong), "ERR");
  wrong.ex_s = 315'576'001;
  EXPECT_EQ(code(wrong), "ERR");
  EXPECT_EQ(code(a_set("", "v")), "BADREQ");
  EXPECT_EQ(code(a_set(std::string(513, 'k'), "v")), "BADREQ");
  EXPECT_EQ(code(a_set("k", std::string(1'048'577, 'v'))), "TOOBIG");
  EXPECT_EQ(code(KeyMGet{{"k", ""}}), "BADREQ");
  EXPECT_TRUE(model.world().stored.empty());
}

TEST_F(KeyRules, AnErrorInAGroupTakesKeysBack) {
  set("k", "1");
  set("t", "text");
  Exec exec;
  exec.members = {Op{1, a_set("new", "v")}, Op{1, KeyIncr{"k", 1, false}}, Op{1, KeyDel{{"t"}}},
                  Op{1, KeyGet{"new"}}};
  const Reply done = run(exec);
  EXPECT_EQ(done.items.at(1).number, 2);
  EXPECT_EQ(done.items.at(3).text, "v");
  set("t", "text");
  exec.members[2] = Op{1, KeyIncr{"t", 1, false}};
  const Reply aborted = run(exec);
  EXPECT_EQ(aborted.code, "EXECABORT");
  EXPECT_EQ(aborted.index, 2);
  EXPECT_EQ(aborted.inner_code, "ERR");
  EXPECT_EQ(get("k"), "2");
}

TEST_F(KeyRules, SurviveARestart) {
  KeySet timed = a_set("k", "v");
  timed.px_ms = 1'000;
  run(timed);
  tick(400);
  run(Restart{});
  EXPECT_EQ(number(KeyTtl{"k", false}), 600);
}

TEST(KeyLimit, RefusesGrowthAndNothingElse) {
  const Now now = Generator::start();
  Model model(now, 400);
  Puppet puppet(now, 1, 400);
  const auto code = [&](const Verb& verb) {
    const Op op{1, verb};
    const Puppet::Seen seen = puppet.perform(op, now);
    EXPECT_EQ(model.check(op, now, seen.reply).value_or(""), "");
    EXPECT_EQ(model.compare(puppet.snapshot()).value_or(""), "");
    return seen.reply.code;
  };
  KeySet set;
  set.key = "k";
  set.value = std::string(207, 'v');
  EXPECT_EQ(code(set), "");
  set.value += "v";
  EXPECT_EQ(code(set), "QUOTA");
  set.value = std::string(206, '9');
  EXPECT_EQ(code(set), "");
  KeySet other = set;
  other.key = "l";
  other.value = "";
  EXPECT_EQ(code(other), "QUOTA");
  other.nx = true;
  other.key = "k";
  EXPECT_EQ(code(other), "");
  EXPECT_EQ(code(KeyExpire{"k", 5, true}), "");
  set.value = "99";
  EXPECT_EQ(code(set), "");
  EXPECT_EQ(code(KeyDel{{"k"}}), "");
}

TEST(KeyPattern, FitsAsRedisDoes) {
  EXPECT_TRUE(pattern_fits("*", ""));
  EXPECT_TRUE(pattern_fits("h?llo", "hello"));
  EXPECT_FALSE(pattern_fits("h?llo", "hllo"));
  EXPECT_TRUE(pattern_fits("h*llo", "heeeello"));
  EXPECT_TRUE(pattern_fits("h[ae]llo", "hallo"));
  EXPECT_FALSE(pattern_fits("h[ae]llo", "hillo"));
  EXPECT_TRUE(pattern_fits("h[^e]llo", "hallo"));
  EXPECT_FALSE(pattern_fits("h[^e]llo", "hello"));
  EXPECT_TRUE(pattern_fits("h[a-b]llo", "hbllo"));
  EXPECT_TRUE(pattern_fits("h[b-a]llo", "hallo"));
  EXPECT_TRUE(pattern_fits("\\*", "*"));
  EXPECT_FALSE(pattern_fits("\\*", "a"));
  EXPECT_TRUE(pattern_fits("[\\]]", "]"));
  EXPECT_TRUE(pattern_fits("a[bc", "ac"));
  EXPECT_TRUE(pattern_fits("a\\", "a\\"));
  EXPECT_FALSE(pattern_fits("", "a"));
  EXPECT_TRUE(pattern_fits("*a*b*", "xxayybz"));
  EXPECT_FALSE(pattern_fits("[]a", "a")) << "an empty class fits nothing";
}

// What the model says to pages of a scan that a server could answer.
class ScanRules : public KeyRules {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b", "c"}) set(name, "v");
  }
  std::string judge(const std::string& cursor, const std::string& next,
                    const std::vector<std::string>& names) {
    Reply page;
    page.kind = Reply::Kind::kScanned;
    page.text = next;
    page.names = names;
    const Op op{1, KeyScan{cursor, std::nullopt, std::nullopt}};
    puppet.perform(op, now);
    const std::string wrong = model.check(op, now, page).value_or("");
    EXPECT_EQ(model.compare(puppet.snapshot()).value_or(""), "");
    return wrong;
  }
};

TEST_F(ScanRules, APageMayNameAnyOfThem) {
  EXPECT_EQ(judge("0", "7", {"b"}), "");
  EXPECT_EQ(judge("7", "9", {}), "");
  EXPECT_EQ(judge("9", "0", {"c", "a", "b"}), "");
}

TEST_F(ScanRules, ANameThatIsNotThereIsReported) {
  EXPECT_NE(judge("0", "7", {"b", "nobody"}), "");
}

TEST_F(ScanRules, ANameThatWasAlwaysThereMustCome) {
  EXPECT_EQ(judge("0", "7", {"b"}), "");
  EXPECT_NE(judge("7", "0", {"c"}), "");
}

TEST_F(ScanRules, ANameThatWasNotAlwaysThereMayBeLeftOut) {
  EXPECT_EQ(judge("0", "7", {"b"}), "");
  run(KeyDel{{"a"}});
  set("a", "again");
  set("d", "new");
  EXPECT_EQ(judge("7", "0", {"c"}), "");
}

}  // namespace
}  // namespace model
