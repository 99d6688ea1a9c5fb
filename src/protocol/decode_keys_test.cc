#include <gtest/gtest.h>

#include <limits>

#include "protocol/decode_fixture.h"

namespace protocol {
namespace {

using Life = core::KeySet::Life;
using Only = core::KeySet::Only;

core::KeySet set_of(std::string_view line) {
  return body_of<core::KeySet>(line);
}

TEST(DecodeKeys, ReadsSetWithItsOptionsInAnyOrder) {
  const core::KeySet plain = set_of("SET k v");
  EXPECT_EQ(plain.key, "k");
  EXPECT_EQ(plain.value, "v");
  EXPECT_EQ(plain.life, Life::kForever);
  EXPECT_EQ(plain.only, Only::kAlways);
  EXPECT_FALSE(plain.get);
  for (const std::string_view line : {"set k v get nx ex 5", "SET k v EX 5 NX GET"}) {
    const core::KeySet set = set_of(line);
    EXPECT_EQ(set.life, Life::kFor);
    EXPECT_EQ(set.life_ms, 5'000);
    EXPECT_EQ(set.only, Only::kAbsent);
    EXPECT_TRUE(set.get);
  }
  EXPECT_EQ(set_of("SET k v PX 5").life_ms, 5);
  EXPECT_EQ(set_of("SET k v XX").only, Only::kPresent);
  EXPECT_EQ(set_of("SET k v KEEPTTL").life, Life::kKept);
  EXPECT_EQ(set_of("SET k v EXAT 5").life, Life::kUntil);
  EXPECT_EQ(set_of("SET k v EXAT 5").life_ms, 5'000);
  EXPECT_EQ(set_of("SET k v PXAT 5").life_ms, 5);
  EXPECT_EQ(set_of("SET k v EX 9223372036854775807").life_ms, INT64_MAX) << "refused by its limit";
  EXPECT_EQ(set_of("SET k EX").value, "EX");
}

TEST(DecodeKeys, ReadsTheOthers) {
  EXPECT_EQ(body_of<core::KeyGet>("GET k").key, "k");
  EXPECT_EQ(body_of<core::KeysGet>("MGET a b").keys.size(), 2U);
  EXPECT_EQ(body_of<core::KeysDelete>("DEL a").keys.at(0), "a");
  EXPECT_EQ(body_of<core::KeysExist>("EXISTS a a").keys.size(), 2U);
  EXPECT_EQ(body_of<core::KeyExpire>("EXPIRE k -5").after_ms, -5'000);
  EXPECT_TRUE(body_of<core::KeyExpire>("EXPIRE k 5").in_seconds);
  EXPECT_EQ(body_of<core::KeyExpire>("PEXPIRE k 5").after_ms, 5);
  EXPECT_TRUE(body_of<core::KeyTimeLeft>("TTL k").in_seconds);
  EXPECT_FALSE(body_of<core::KeyTimeLeft>("PTTL k").in_seconds);
  EXPECT_EQ(body_of<core::KeyPersist>("PERSIST k").key, "k");
  EXPECT_EQ(body_of<core::KeyAdd>("INCR k").by, 1);
  EXPECT_FALSE(body_of<core::KeyAdd>("INCRBY k -7").down);
  EXPECT_EQ(body_of<core::KeyAdd>("INCRBY k -7").by, -7);
  EXPECT_TRUE(body_of<core::KeyAdd>("DECR k").down);
  EXPECT_TRUE(body_of<core::KeyAdd>("DECRBY k 7").down);
  const auto scan = body_of<core::KeyScan>("SCAN 18446744073709551615 COUNT 5 MATCH a*");
  EXPECT_EQ(scan.cursor, UINT64_MAX);
  EXPECT_EQ(scan.pattern, "a*");
  EXPECT_EQ(scan.count, 5);
  EXPECT_FALSE(body_of<core::KeyScan>("SCAN 0").pattern);
  EXPECT_TRUE(std::holds_alternative<core::KeyCount>(decode_line("DBSIZE").value().body));
}

TEST(DecodeKeys, NamesEveryFault) {
  constexpr std::string_view kNoInteger = "ERR value is not an integer or out of range";
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"SET k", "ERR wrong number of arguments for 'set' command"},
      {"SET k v NX XX", "BADREQ field=XX and NX exclude each other"},
      {"SET k v EX 5 KEEPTTL", "BADREQ field=KEEPTTL and EX exclude each other"},
      {"SET k v PXAT 5 PX 5", "BADREQ field=PXAT and PX exclude each other"},
      {"SET k v EX", "BADREQ field=EX needs a value behind it"},
      {"SET k v EX x", kNoInteger},
      {"SET k v PX 1.5", kNoInteger},
      {"SET k v PXX 5", "BADREQ field=OPTION unknown option 'PXX'; did you mean PX?"},
      {"GET", "ERR wrong number of arguments for 'get' command"},
      {"GET a b", "ERR wrong number of arguments for 'get' command"},
      {"MGET", "ERR wrong number of arguments for 'mget' command"},
      {"EXPIRE k x", kNoInteger},
      {"INCRBY k 9223372036854775808", kNoInteger},
      {"DECRBY k", "ERR wrong number of arguments for 'decrby' command"},
      {"SCAN x", "ERR invalid cursor"},
      {"SCAN -1", "ERR invalid cursor"},
      {"SCAN 18446744073709551616", "ERR invalid cursor"},
      {"SCAN 0 COUNT x", kNoInteger},
      {"SCAN 0 MATCH", "BADREQ field=MATCH needs a value behind it"},
      {"HSET k f", "ERR wrong number of arguments for 'hset' command"},
      {"HSET k f v g", "ERR wrong number of arguments for 'hset' command"},
      {"HSETNX k f v g", "ERR wrong number of arguments for 'hsetnx' command"},
      {"HINCRBY k f x", kNoInteger},
      {"HGETALL k x", "ERR wrong number of arguments for 'hgetall' command"},
      {"DBSIZE x", "ERR wrong number of arguments for 'dbsize' command"},
  };
  for (const auto& [line, fault] : kCases) EXPECT_EQ(fault_of(line), fault) << line;
}

}  // namespace
}  // namespace protocol
