#include "core/keys.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"

namespace core {
namespace {

using Clock = KeyExpiry::Clock;

constexpr base::Now kNow{base::EngineTime{1'000}, base::WallTime{1'700'000'000'000}};

base::Now later(int64_t engine_ms, int64_t wall_ms = 0) {
  return {kNow.engine + base::Duration{engine_ms}, kNow.wall + base::Duration{wall_ms}};
}

KeyExpiry engine_end(int64_t ms) {
  return {Clock::kEngine, kNow.engine.ms + ms};
}
KeyExpiry wall_end(int64_t ms) {
  return {Clock::kWall, kNow.wall.ms + ms};
}

std::string value_of(const Keys& keys, std::string_view name, base::Now now = kNow) {
  const Keys::Entry* entry = keys.find(name, now);
  return entry == nullptr ? "(none)" : entry->value;
}

TEST(Keys, HoldsWhatWasPut) {
  Keys keys;
  EXPECT_EQ(value_of(keys, "k"), "(none)");
  keys.put("k", "v", {});
  keys.put(std::string_view("\0\xff", 2), "", {});
  EXPECT_EQ(value_of(keys, "k"), "v");
  EXPECT_EQ(value_of(keys, std::string_view("\0\xff", 2)), "");
  keys.put("k", "w", {});
  EXPECT_EQ(value_of(keys, "k"), "w");
  keys.remove("k");
  keys.remove("k");
  EXPECT_EQ(value_of(keys, "k"), "(none)");
  EXPECT_EQ(keys.held(), 1U);
}

TEST(Keys, CountsBytesOfNamesValuesAndARecordEach) {
  Keys keys;
  keys.put("abc", "12345", {});
  EXPECT_EQ(keys.bytes(), 8 + limits::kKeyOverheadBytes);
  keys.put("abc", "1", engine_end(5));
  EXPECT_EQ(keys.bytes(), 4 + limits::kKeyOverheadBytes);
  keys.remove("abc");
  EXPECT_EQ(keys.bytes(), 0U);
}

TEST(Keys, HasRoomForWhatDoesNotGrow) {
  Keys keys;
  keys.put("k", "12345", {});
  keys.set_bytes_max(limits::kKeyOverheadBytes + 6);
  EXPECT_FALSE(keys.bytes_beyond("k", 5));
  EXPECT_EQ(keys.bytes_beyond("k", 6), limits::kKeyOverheadBytes + 7);
  EXPECT_TRUE(keys.bytes_beyond("l", 0));
  keys.set_bytes_max(1);
  EXPECT_FALSE(keys.bytes_beyond("k", 5));
  EXPECT_FALSE(keys.bytes_beyond("k", 4));
}

TEST(Keys, AnEndIsComparedWithTheClockOfItsKind) {
  Keys keys;
  keys.put("e", "", engine_end(10));
  keys.put("w", "", wall_end(10));
  keys.put("n", "", {});
  EXPECT_EQ(value_of(keys, "e", later(9, 1'000)), "");
  EXPECT_EQ(value_of(keys, "e", later(10, 0)), "(none)");
  EXPECT_EQ(value_of(keys, "w", later(1'000, 9)), "");
  EXPECT_EQ(value_of(keys, "w", later(0, 10)), "(none)");
  EXPECT_EQ(keys.count(later(9, 9)), 3U);
  EXPECT_EQ(keys.count(later(10, 9)), 2U);
  EXPECT_EQ(keys.count(later(10, 10)), 1U);
  EXPECT_TRUE(keys.holds("e")) << "nothing has removed it";
}

TEST(Keys, TellsWhatIsOverAndWhenTheNextWillBe) {
  Keys keys;
  EXPECT_EQ(keys.next_over(kNow), base::EngineTime::never());
  keys.put("w", "", wall_end(20));
  EXPECT_EQ(keys.next_over(kNow), kNow.engine + base::Duration{20});
  EXPECT_EQ(keys.next_over(later(0, 5)), kNow.engine + base::Duration{15}) << "the wall went ahead";
  keys.put("e", "", engine_end(10));
  keys.put("f", "", engine_end(9));
  keys.put("f", "", engine_end(30));
  EXPECT_EQ(keys.next_over(kNow), kNow.engine + base::Duration{10});
  EXPECT_EQ(keys.first_over(later(9, 19)), nullptr);
  EXPECT_EQ(*keys.first_over(later(10)), "e");
  EXPECT_EQ(*keys.first_over(later(0, 20)), "w");
  keys.remove(*keys.first_over(later(10)));
  EXPECT_EQ(keys.first_over(later(10)), nullptr);
}

TEST(Keys, AWalkVisitsWhatIsHeldAllAlongOnceWhateverComesAndGoes) {
  base::SeededRandom random(1);
  for (int round = 0; round < 50; ++round) {
    Keys keys;
    std::set<std::string> stay;
    for (int i = 0; i < 200; ++i) {
      stay.insert("stay" + std::to_string(i));
      keys.put("stay" + std::to_string(i), "", {});
    }
    std::map<std::string, int> visits;
    uint64_t cursor = 0;
    do {
      uint64_t left = 1 + random.below(20);
      cursor = keys.walk(cursor, [&](std::string_view name, const Keys::Entry&) {
        ++visits[std::string(name)];
        return --left > 0;
      });
      EXPECT_LT(cursor, uint64_t{1} << 53);
      for (int i = 0; i < 20; ++i) {
        const std::string name = "go" + std::to_string(random.below(100));
        random.below(2) == 0 ? keys.put(name, "", {}) : keys.remove(name);
      }
    } while (cursor != 0);
    for (const std::string& name : stay) EXPECT_EQ(visits[name], 1) << name;
  }
}

TEST(Keys, AWalkMayBeginAnywhere) {
  Keys keys;
  keys.put("k", "", {});
  const auto none = [](std::string_view, const Keys::Entry&) { return true; };
  EXPECT_EQ(keys.walk(UINT64_MAX, none), 0U);
  EXPECT_EQ(Keys().walk(0, none), 0U);
}

TEST(Keys, WhatChangedIsToldOnceToWhoeverWatches) {
  Keys keys;
  keys.put("before", "", {});
  keys.watch_changes();
  keys.set_installing(true);
  keys.put("installed", "", {});
  keys.put_field("installed-hash", "f", "v");
  keys.set_installing(false);
  keys.put("a", "1", {});
  keys.put("a", "2", {});
  keys.put("b", "", {});
  keys.remove("b");
  keys.remove("nobody");
  EXPECT_EQ(keys.take_changed(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(keys.take_changed().empty());
  EXPECT_EQ(value_of(keys, "installed"), "");
}

TEST(Keys, AGroupIsTakenBackWholly) {
  Keys keys;
  keys.watch_changes();
  keys.put("changed", "1", {});
  keys.put("old", "1", engine_end(10));
  keys.put("removed", "1", wall_end(10));
  keys.take_changed();
  keys.put("changed", "2", {});
  const uint64_t bytes = keys.bytes();
  keys.begin_group();
  keys.put("changed", "333", {});
  keys.put("old", "2", {});
  keys.put("old", "3", wall_end(5));
  keys.remove("removed");
  keys.put("new", "1", engine_end(5));
  keys.put("gone", "1", {});
  keys.remove("gone");
  keys.end_group(false);
  EXPECT_EQ(keys.bytes(), bytes);
  EXPECT_EQ(keys.held(), 3U);
  EXPECT_EQ(value_of(keys, "changed"), "2");
  EXPECT_EQ(value_of(keys, "old"), "1");
  EXPECT_EQ(keys.find("old", kNow)->expiry, engine_end(10));
  EXPECT_EQ(keys.find("removed", kNow)->expiry, wall_end(10));
  EXPECT_EQ(keys.next_over(kNow), kNow.engine + base::Duration{10});
  EXPECT_EQ(keys.take_changed(), std::vector<std::string>{"changed"}) << "before the group";
}

using FieldNames = std::vector<std::pair<std::string, std::string>>;

TEST(Keys, ChangedFieldsAreToldBehindTheirKey) {
  Keys keys;
  keys.put_field("h", "before", "");
  keys.watch_changes();
  keys.put_field("h", "a", "1");
  keys.put_field("h", "a", "2");
  keys.remove_field("h", "before");
  keys.remove_field("h", "nothing");
  EXPECT_EQ(keys.take_changed_fields(), (FieldNames{{"h", "a"}, {"h", "before"}}));
  EXPECT_TRUE(keys.take_changed().empty()) << "its end is as it was";
  keys.put("h", "a string", {});
  EXPECT_EQ(keys.take_changed_fields(), (FieldNames{{"h", "a"}})) << "its field is gone";
  EXPECT_EQ(keys.take_changed(), std::vector<std::string>{"h"});
}

TEST(Keys, AGroupThatIsTakenBackLeavesNoChangedField) {
  Keys keys;
  keys.watch_changes();
  keys.put_field("h", "a", "1");
  keys.put_field("h", "b", "2");
  const uint64_t bytes = keys.bytes();
  keys.take_changed();
  keys.take_changed_fields();
  keys.begin_group();
  keys.put_field("h", "a", "333");
  keys.put_field("h", "c", "3");
  keys.remove_field("h", "b");
  keys.put_expiry("h", engine_end(10));
  keys.remove("h");
  keys.put_field("h", "d", "4");
  keys.end_group(false);
  EXPECT_EQ(keys.bytes(), bytes);
  const Keys::Hash& hash = *keys.entry("h")->hash;
  EXPECT_EQ(hash.fields.size(), 2U);
  EXPECT_EQ(hash.fields.at("a"), "1");
  EXPECT_EQ(hash.fields.at("b"), "2");
  EXPECT_FALSE(keys.entry("h")->expiry.is_set());
  EXPECT_EQ(keys.next_over(kNow), base::EngineTime::never());
  EXPECT_TRUE(keys.take_changed().empty());
  EXPECT_TRUE(keys.take_changed_fields().empty());
}

// What a journal with a gap may say.
TEST(Keys, AFieldOfAStringMakesItAHash) {
  Keys keys;
  keys.put("k", "string", engine_end(10));
  keys.put_field("k", "f", "v");
  EXPECT_EQ(*keys.entry("k")->field("f"), "v");
  EXPECT_EQ(keys.entry("k")->value, "");
  EXPECT_FALSE(keys.entry("k")->expiry.is_set());
  EXPECT_EQ(keys.bytes(), Keys::bytes_of(1, 0) + Keys::field_bytes("f", "v"));
  keys.put_expiry("nobody", engine_end(10));
  keys.remove_field("nobody", "f");
  EXPECT_EQ(keys.held(), 1U);
}

// Does something to one of a few keys, so that they meet each other's steps.
void do_something(Keys& keys, base::SeededRandom& random) {
  const std::string name(1, static_cast<char>('a' + random.below(4)));
  const std::string field(1, static_cast<char>('f' + random.below(3)));
  const std::string value(random.below(20), 'v');
  const KeyExpiry expiry = random.below(2) == 0 ? KeyExpiry{} : wall_end(10);
  switch (random.below(6)) {
    case 0:
      return keys.put(name, value, expiry);
    case 1:
      return keys.remove(name);
    case 2:
      return keys.put_expiry(name, expiry);
    case 3:
      return keys.remove_field(name, field);
    default:
      return keys.put_field(name, field, value);
  }
}

// All that is held, and that what is counted of it is right.
std::string all_of(const Keys& keys) {
  std::string text;
  uint64_t bytes = 0;
  keys.walk(0, [&](std::string_view name, const Keys::Entry& entry) {
    text += fmt::format("{} '{}' {}", name, entry.value, entry.expiry.ms);
    bytes += Keys::bytes_of(name.size(), entry.value.size());
    if (!entry.hash) return true;
    EXPECT_FALSE(entry.hash->fields.empty());
    for (const auto& [field, value] : entry.hash->fields) {
      text += fmt::format(" {}='{}'", field, value);
      bytes += Keys::field_bytes(field, value);
    }
    return true;
  });
  EXPECT_EQ(keys.bytes(), bytes);
  return text;
}

TEST(Keys, WhateverAGroupDoesCanBeTakenBack) {
  base::SeededRandom random(7);
  Keys keys;
  keys.watch_changes();
  for (int round = 0; round < 2'000; ++round) {
    for (int i = 0; i < 5; ++i) do_something(keys, random);
    const std::string before = all_of(keys);
    keys.take_changed();
    keys.take_changed_fields();
    keys.begin_group();
    for (uint64_t i = random.below(12); i > 0; --i) do_something(keys, random);
    keys.end_group(false);
    ASSERT_EQ(all_of(keys), before) << "round " << round;
    ASSERT_TRUE(keys.take_changed().empty());
    ASSERT_TRUE(keys.take_changed_fields().empty());
  }
}

// What a flush does: a copy that is told of nothing but what changed is equal all the same.
TEST(Keys, WhatChangedIsAllThatACopyNeeds) {
  base::SeededRandom random(8);
  Keys keys;
  keys.watch_changes();
  std::map<std::string, Keys::Entry> copy;  // Without fields.
  std::map<std::pair<std::string, std::string>, std::string> fields;
  for (int round = 0; round < 2'000; ++round) {
    keys.begin_group();
    for (uint64_t i = random.below(6); i > 0; --i) do_something(keys, random);
    keys.end_group(random.below(3) != 0);
    for (uint64_t i = random.below(6); i > 0; --i) do_something(keys, random);
    for (const auto& [name, field] : keys.take_changed_fields()) {
      const Keys::Entry* entry = keys.entry(name);
      const std::string* value = entry == nullptr ? nullptr : entry->field(field);
      fields.erase({name, field});
      if (value != nullptr) fields[{name, field}] = *value;
    }
    for (const std::string& name : keys.take_changed()) {
      const Keys::Entry* entry = keys.entry(name);
      copy.erase(name);
      if (entry != nullptr) copy[name] = {.value = entry->value, .expiry = entry->expiry};
    }
    Keys again;
    for (const auto& [place, value] : fields) again.put_field(place.first, place.second, value);
    for (const auto& [name, entry] : copy) {
      if (again.holds(name)) {
        again.put_expiry(name, entry.expiry);
      } else if (keys.entry(name) != nullptr && !keys.entry(name)->hash) {
        again.put(name, entry.value, entry.expiry);
      }
    }
    ASSERT_EQ(all_of(again), all_of(keys)) << "round " << round;
  }
}

TEST(Keys, AGroupThatIsKeptStays) {
  Keys keys;
  keys.watch_changes();
  keys.begin_group();
  keys.put("k", "v", {});
  keys.end_group(true);
  EXPECT_EQ(value_of(keys, "k"), "v");
  EXPECT_EQ(keys.take_changed(), std::vector<std::string>{"k"});
}

TEST(Keys, MayBePutFromItsOwnBytes) {
  Keys keys;
  keys.put("k", std::string(100, 'v'), {});
  keys.put("k", keys.find("k", kNow)->value, engine_end(5));
  EXPECT_EQ(value_of(keys, "k"), std::string(100, 'v'));
}

}  // namespace
}  // namespace core
