#include "dray/keys.h"

#include <gtest/gtest.h>

#include "dray/client.h"
#include "sdk/cpp/fake_server.h"

namespace dray {
namespace {

using std::chrono_literals::operator""s;
using detail::fake_bulk;
using detail::fake_integer;
using detail::FakeAnswer;
using detail::FakeServer;
using detail::FakeWords;

TEST(Keys, SetSaysWhatItIsTold) {
  FakeServer server;
  Client client({.url = server.url()});
  EXPECT_TRUE(client.keys().set("a", "1"));
  EXPECT_TRUE(client.keys().set("b", "2", {.ttl = 5s, .when = SetOptions::When::kIfAbsent}));
  client.keys().set("c", "3", {.until = WallTime(7s), .when = SetOptions::When::kIfPresent});
  const auto heard = server.heard("SET");
  EXPECT_EQ(heard[0], (FakeWords{"SET", "a", "1"}));
  EXPECT_EQ(heard[1], (FakeWords{"SET", "b", "2", "PX", "5000", "NX"}));
  EXPECT_EQ(heard[2], (FakeWords{"SET", "c", "3", "PXAT", "7000", "XX"}));
}

TEST(Keys, ConditionThatDoesNotHoldIsFalse) {
  FakeServer server;
  server.on("SET", [](const FakeWords&) { return FakeAnswer{"_\r\n"}; });
  Client client({.url = server.url()});
  EXPECT_FALSE(client.keys().set("a", "1", {.when = SetOptions::When::kIfAbsent}));
}

TEST(Keys, GetTellsAbsentFromEmpty) {
  FakeServer server;
  server.on("GET", [](const FakeWords& words) {
    return FakeAnswer{words[1] == "there" ? fake_bulk("") : "_\r\n"};
  });
  Client client({.url = server.url()});
  EXPECT_EQ(client.keys().get("there"), "");
  EXPECT_EQ(client.keys().get("nowhere"), std::nullopt);
}

TEST(Keys, TimesAreMilliseconds) {
  FakeServer server;
  server.on("PEXPIRE", [](const FakeWords&) { return FakeAnswer{fake_integer(1)}; });
  server.on("PTTL", [](const FakeWords& words) {
    return FakeAnswer{fake_integer(words[1] == "a" ? 5'000 : -1)};
  });
  Client client({.url = server.url()});
  EXPECT_TRUE(client.keys().expire_in("a", 5s));
  EXPECT_EQ(server.heard("PEXPIRE").front(), (FakeWords{"PEXPIRE", "a", "5000"}));
  EXPECT_EQ(client.keys().time_left("a"), 5s);
  EXPECT_EQ(client.keys().time_left("b"), std::nullopt);
}

TEST(Keys, WhatCouldCountTwiceIsNeverSentTwice) {
  FakeServer server;
  const auto lose = [](const FakeWords&) { return FakeAnswer{"", true}; };
  server.on("INCRBY", lose);
  server.on("SET", lose);
  Client client({.url = server.url()});
  EXPECT_THROW(client.keys().add("n"), UnknownError);
  EXPECT_THROW(client.keys().set("a", "1", {.when = SetOptions::When::kIfAbsent}), UnknownError);
  EXPECT_EQ(server.heard("INCRBY").size(), 1U);
  EXPECT_EQ(server.heard("SET").size(), 1U);
}

TEST(Keys, WhatComesToTheSameIsSentAgain) {
  FakeServer server;
  std::atomic<int> lost{1};
  server.on("DEL", [&](const FakeWords&) {
    return lost-- > 0 ? FakeAnswer{"", true} : FakeAnswer{fake_integer(0)};
  });
  Client client({.url = server.url()});
  client.keys().remove("a");
  EXPECT_EQ(server.heard("DEL").size(), 2U);
}

}  // namespace
}  // namespace dray
