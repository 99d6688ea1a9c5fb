#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/live_server.h"
#include "server/test_connection.h"

namespace server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr size_t kShop = 1;
constexpr size_t kIdLetters = 13;

class SessionLocalTest : public testing::Test {
 protected:
  std::string call(const Words& words) { return show(client.call(words)); }
  static std::string wire(const std::vector<Words>& requests) {
    std::string bytes;
    for (const Words& words : requests) bytes += request(words);
    return bytes;
  }

  LiveServer server{{}, {}, {"shop"}};
  TestConnection client{server.address()};
};

TEST_F(SessionLocalTest, TheSameNamesAreDifferentThings) {
  call({"SET", "key", "here"});
  call({"JOB.PUSH", "q", "T", "here", "KEY", "order:1"});
  EXPECT_EQ(call({"SELECT", "shop"}), "OK");
  EXPECT_EQ(call({"GET", "key"}), "nil");
  EXPECT_EQ(call({"JOB.GET", "key:order:1"}), "nil");
  EXPECT_EQ(call({"JOB.PUSH", "q", "T", "there", "KEY", "order:1"}).size(), kIdLetters);
  EXPECT_THAT(call({"JOB.FETCH", "w", "QUEUES", "1", "q"}), HasSubstr("there"));
  EXPECT_EQ(call({"SELECT", "0"}), "OK");
  EXPECT_EQ(call({"GET", "key"}), "here");
  EXPECT_THAT(call({"JOB.FETCH", "w", "QUEUES", "1", "q"}), HasSubstr("here"));
}

TEST_F(SessionLocalTest, APipelineIsSplitWhereItSelects) {
  client.send(wire({{"SET", "k", "1"},
                    {"SELECT", "shop"},
                    {"SET", "k", "2"},
                    {"GET", "k"},
                    {"SELECT", "default"},
                    {"GET", "k"}}));
  for (const char* const wanted : {"OK", "OK", "OK", "2", "OK", "1"}) {
    EXPECT_EQ(show(client.read()), wanted);
  }
}

TEST_F(SessionLocalTest, WhatAClientSentBeforeItHungUpIsDone) {
  server.gate().close();
  client.send(wire({{"SET", "k", "1"}, {"SELECT", "shop"}, {"SET", "k", "2"}}));
  client.half_close();
  server.gate().wait_for_append();
  server.gate().open();
  EXPECT_EQ(client.read_to_end(), "+OK\r\n+OK\r\n+OK\r\n");
  TestConnection other(server.address());
  other.call({"SELECT", "shop"});
  EXPECT_EQ(show(other.call({"GET", "k"})), "2");
}

TEST_F(SessionLocalTest, SelectWaitsForWhatWasAskedBefore) {
  client.send(wire(
      {{"JOB.FETCH", "w", "QUEUES", "1", "q", "BLOCK", "60000"}, {"SELECT", "shop"}, {"DBSIZE"}}));
  TestConnection other(server.address());
  until([&] { return server.counters().waiting.load() == 1; }, "that it waits");
  other.call({"JOB.PUSH", "q", "T", "args"});
  EXPECT_THAT(show(client.read()), HasSubstr("args"));
  EXPECT_EQ(show(client.read()), "OK");
  EXPECT_EQ(show(client.read()), "0");
}

TEST_F(SessionLocalTest, OneThatIsHeldUpHoldsUpNoOther) {
  TestConnection other(server.address());
  other.call({"SELECT", "shop"});
  server.gate(kShop).close();
  other.send(Words{"SET", "k", "v"});
  server.gate(kShop).wait_for_append();
  EXPECT_EQ(call({"SET", "k", "v"}), "OK");
  EXPECT_EQ(call({"GET", "k"}), "v");
  server.gate(kShop).open();
  EXPECT_EQ(show(other.read()), "OK");
}

TEST_F(SessionLocalTest, LeasesGoBackToWhereTheyWereTaken) {
  call({"SELECT", "shop"});
  client.send(Words{"JOB.FETCH", "w", "QUEUES", "1", "q", "BLOCK", "60000"});
  until([&] { return server.counters(kShop).waiting.load() == 1; }, "that it waits");
  client.close();
  until([&] { return server.counters(kShop).waiting.load() == 0; }, "that its wait ends");
  TestConnection other(server.address());
  other.call({"SELECT", "shop"});
  other.call({"JOB.PUSH", "q", "T", "args"});
  EXPECT_THAT(show(other.call({"JOB.FETCH", "w", "QUEUES", "1", "q"})), HasSubstr("args"));
}

TEST_F(SessionLocalTest, AnUnknownOneIsNamedWithTheSetting) {
  EXPECT_THAT(call({"SELECT", "nowhere"}),
              StartsWith("(error) NOTFOUND the namespace nowhere is not served: name it in the "
                         "setting server.namespaces"));
  EXPECT_THAT(call({"SELECT", "1"}), StartsWith("(error) ERR DB index is out of range"));
  EXPECT_THAT(call({"CLIENT", "INFO"}), HasSubstr(" namespace=default\n"));
}

TEST_F(SessionLocalTest, IsNotForMulti) {
  EXPECT_EQ(call({"MULTI"}), "OK");
  EXPECT_THAT(call({"SELECT", "shop"}), StartsWith("(error) ERR SELECT is not for MULTI"));
  EXPECT_THAT(call({"EXEC"}), StartsWith("(error) EXECABORT"));
}

TEST_F(SessionLocalTest, ResetGoesBackToTheDefaultOne) {
  call({"SELECT", "shop"});
  call({"SET", "k", "v"});
  EXPECT_EQ(call({"RESET"}), "RESET");
  EXPECT_EQ(call({"GET", "k"}), "nil");
}

TEST_F(SessionLocalTest, ASubscriberStaysAndHearsOfItsOwn) {
  TestConnection other(server.address());
  call({"HELLO", "3"});
  call({"SELECT", "shop"});
  client.call({"SUBSCRIBE", "job.pushed.q"});
  EXPECT_THAT(call({"SELECT", "default"}),
              StartsWith("(error) ERR this connection is subscribed in the namespace shop"));
  EXPECT_EQ(call({"SELECT", "shop"}), "OK");
  other.call({"JOB.PUSH", "q", "T", "{}"});
  other.call({"SELECT", "shop"});
  const std::string id = show(other.call({"JOB.PUSH", "q", "Mine", "{}"}));
  EXPECT_THAT(show(client.read()), HasSubstr(R"("type":"Mine")"));
  client.call({"UNSUBSCRIBE"});
  EXPECT_EQ(call({"SELECT", "default"}), "OK");
}

TEST_F(SessionLocalTest, TheListTellsHowMuchIsInEach) {
  call({"SELECT", "shop"});
  call({"JOB.PUSH", "q", "T", "{}"});
  call({"JOB.PUSH", "r", "T", "{}"});
  call({"SET", "k", "v"});
  call({"HELLO", "3"});
  EXPECT_EQ(call({"NAMESPACE.LIST"}),
            "[{name default jobs 0 queues 0 keys 0} {name shop jobs 2 queues 2 keys 1}]");
}

TEST_F(SessionLocalTest, InfoIsOfTheOneThatIsChosen) {
  call({"SELECT", "shop"});
  call({"JOB.PUSH", "q", "T", "{}"});
  EXPECT_THAT(call({"INFO"}), HasSubstr("\r\njobs:1\r\n"));
  EXPECT_THAT(call({"INFO"}), HasSubstr("\r\nnamespace:shop\r\n"));
  call({"SELECT", "0"});
  EXPECT_THAT(call({"INFO"}), HasSubstr("\r\njobs:0\r\n"));
}

TEST_F(SessionLocalTest, WhatConnectionsHoldPressesAll) {
  server.gauge().held(0, server.gauge().budget());
  EXPECT_THAT(call({"JOB.PUSH", "q", "T", "{}"}), StartsWith("(error) OVERLOADED"));
  call({"SELECT", "shop"});
  EXPECT_THAT(call({"JOB.PUSH", "q", "T", "{}"}), StartsWith("(error) OVERLOADED"));
  server.gauge().held(server.gauge().budget(), 0);
}

// --- NAMESPACE.RESET.

TEST_F(SessionLocalTest, AResetForgetsAllInOneAndNothingElsewhere) {
  call({"SET", "k", "here"});
  call({"SELECT", "shop"});
  call({"SET", "k", "there"});
  call({"JOB.PUSH", "q", "T", "{}"});
  EXPECT_EQ(call({"NAMESPACE.RESET", "shop"}), "OK");
  EXPECT_EQ(call({"GET", "k"}), "nil");
  EXPECT_EQ(call({"JOB.COUNT"}), "0");
  EXPECT_EQ(call({"SET", "k", "again"}), "OK");
  EXPECT_EQ(call({"NAMESPACE.RESET", "shop"}), "OK");
  EXPECT_EQ(call({"GET", "k"}), "nil");
  call({"SELECT", "0"});
  EXPECT_EQ(call({"GET", "k"}), "here");
}

TEST_F(SessionLocalTest, AResetIsAskedWhereItIsMeant) {
  EXPECT_THAT(call({"NAMESPACE.RESET", "shop"}),
              StartsWith("(error) BADREQ name=shop this connection is in the namespace default"));
  EXPECT_THAT(call({"NAMESPACE.RESET", "default"}), StartsWith("(error) BADREQ name=default"));
  EXPECT_THAT(call({"NAMESPACE.RESET"}), StartsWith("(error) ERR wrong number of arguments"));
}

TEST_F(SessionLocalTest, WhatIsAskedDuringAResetIsAnsweredByTheNewOne) {
  TestConnection other(server.address());
  TestConnection waits(server.address());
  for (TestConnection* const each : {&client, &other, &waits}) each->call({"SELECT", "shop"});
  call({"SET", "k", "old"});
  waits.send(Words{"JOB.FETCH", "w", "QUEUES", "1", "q", "BLOCK", "60000"});
  until([&] { return server.counters(kShop).waiting.load() == 1; }, "that it waits");
  // The old engine owes an answer: it can't be left before that.
  server.gate(kShop).close();
  other.send(wire({{"SET", "k", "late"}, {"GET", "k"}, {"JOB.PUSH", "q", "T", "new"}}));
  server.gate(kShop).wait_for_append();
  client.send(wire({{"NAMESPACE.RESET", "shop"}, {"GET", "k"}}));
  // The default one is served meanwhile.
  TestConnection elsewhere(server.address());
  EXPECT_EQ(show(elsewhere.call({"SET", "k", "v"})), "OK");
  server.gate(kShop).open();
  EXPECT_EQ(show(client.read()), "OK");
  EXPECT_EQ(show(client.read()), "nil");
  EXPECT_EQ(show(other.read()), "OK");
  EXPECT_EQ(show(other.read()), "late");
  EXPECT_EQ(show(other.read()).size(), kIdLetters);
  show(waits.read());
}

TEST_F(SessionLocalTest, WhoAskedForAResetMayLeave) {
  call({"SELECT", "shop"});
  call({"SET", "k", "v"});
  client.send(Words{"NAMESPACE.RESET", "shop"});
  client.close();
  TestConnection other(server.address());
  other.call({"SELECT", "shop"});
  until([&] { return show(other.call({"GET", "k"})) == "nil"; }, "that it is forgotten");
}

TEST_F(SessionLocalTest, ASubscriberHearsOfTheNewOneToo) {
  TestConnection other(server.address());
  call({"HELLO", "3"});
  call({"SELECT", "shop"});
  client.call({"PSUBSCRIBE", "job.*"});
  other.call({"SELECT", "shop"});
  EXPECT_EQ(show(other.call({"NAMESPACE.RESET", "shop"})), "OK");
  other.call({"JOB.PUSH", "q", "T", "{}"});
  while (show(client.read()).find("job.pushed.q") == std::string::npos) {
  }
}

}  // namespace
}  // namespace server
