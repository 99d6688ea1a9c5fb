#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/connection_limits.h"
#include "server/live_server.h"
#include "server/test_connection.h"

namespace server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SessionEventsTest : public testing::Test {
 protected:
  std::string call(const Words& words) { return show(client.call(words)); }
  void push(const std::string& queue, const std::string& args = "{}") {
    ASSERT_EQ(show(client.call({"JOB.PUSH", queue, "T", args})).size(), 13U);
  }

  LiveServer server;
  TestConnection listener{server.address()};
  TestConnection client{server.address()};
};

TEST_F(SessionEventsTest, TellsInTheOrderOfCommits) {
  EXPECT_EQ(show(listener.call({"SUBSCRIBE", "job.pushed.a", "job.deleted.a"})),
            "[subscribe job.pushed.a 1]");
  EXPECT_EQ(show(listener.read()), "[subscribe job.deleted.a 2]");
  const std::string id = call({"JOB.PUSH", "a", "T", "{}"});
  push("b");
  call({"JOB.DELETE", "IDS", "1", id});
  const std::string pushed = show(listener.read());
  EXPECT_THAT(pushed, StartsWith("[message job.pushed.a {\"event\":\"pushed\",\"job\":\"" + id));
  EXPECT_THAT(show(listener.read()), StartsWith("[message job.deleted.a "));
}

TEST_F(SessionEventsTest, NothingIsToldBeforeItIsDurable) {
  listener.call({"PSUBSCRIBE", "job.*"});
  server.gate().close();
  client.send(Words{"JOB.PUSH", "q", "T", "{}"});
  server.gate().wait_for_append();
  listener.send(Words{"PING"});
  EXPECT_EQ(show(listener.read()), "[pong ]");
  server.gate().open();
  EXPECT_THAT(show(listener.read()), StartsWith("[pmessage job.* job.pushed.q "));
}

TEST_F(SessionEventsTest, InResp2AListenerOnlyListens) {
  listener.call({"SUBSCRIBE", "x"});
  EXPECT_THAT(show(listener.call({"JOB.PUSH", "q", "T", "{}"})),
              StartsWith("(error) ERR Can't execute 'job.push': only (P)SUBSCRIBE"));
  EXPECT_EQ(show(listener.call({"PING", "hello"})), "[pong hello]");
  EXPECT_EQ(show(listener.call({"UNSUBSCRIBE"})), "[unsubscribe x 0]");
  EXPECT_EQ(show(listener.call({"PING"})), "PONG");
}

TEST_F(SessionEventsTest, InResp3EventsComeBetweenTheAnswers) {
  listener.call({"HELLO", "3"});
  const RespValue confirmed = listener.call({"SUBSCRIBE", "job.pushed.q"});
  EXPECT_EQ(confirmed.kind, protocol::ValueKind::kPush);
  // A worker that waits is told of others' jobs meanwhile.
  listener.send(Words{"JOB.FETCH", "w", "BLOCK", "60000", "QUEUES", "1", "r"});
  until([&] { return server.counters().waiting.load() != 0; }, "waiting fetch");
  push("q");
  const RespValue message = listener.read();
  EXPECT_EQ(message.kind, protocol::ValueKind::kPush);
  push("r");
  EXPECT_THAT(show(listener.read()), HasSubstr("token"));
}

TEST_F(SessionEventsTest, WhatCameBeforeASubscriptionIsAnsweredBeforeIt) {
  listener.send(Words{"JOB.PUSH", "q", "T", "{}"});
  listener.send(Words{"SUBSCRIBE", "job.pushed.q"});
  listener.send(Words{"PING"});
  EXPECT_EQ(show(listener.read()).size(), 13U);
  EXPECT_EQ(show(listener.read()), "[subscribe job.pushed.q 1]");
  EXPECT_EQ(show(listener.read()), "[pong ]");
}

TEST_F(SessionEventsTest, ResetEndsSubscriptions) {
  listener.call({"SUBSCRIBE", "job.pushed.q"});
  EXPECT_EQ(show(listener.call({"RESET"})), "RESET");
  push("q");
  EXPECT_EQ(show(listener.call({"PING"})), "PONG");
}

TEST_F(SessionEventsTest, RefusesWhatIsTooMuch) {
  EXPECT_THAT(show(listener.call({"SUBSCRIBE", std::string(300, 'x')})),
              StartsWith("(error) TOOBIG limit=256"));
  EXPECT_THAT(show(listener.call({"SUBSCRIBE"})), StartsWith("(error) ERR wrong number"));
  EXPECT_EQ(show(listener.call({"PING"})), "PONG");
}

TEST_F(SessionEventsTest, WhoReadsMissesNothingOfABurst) {
  listener.call({"SUBSCRIBE", "job.pushed.q"});
  constexpr int kJobs = 3'000;
  Words push = {"JOB.MPUSH", std::to_string(kJobs)};
  for (int i = 0; i < kJobs; ++i) push.insert(push.end(), {"q", "T", "{}", "0"});
  client.send(push);
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_THAT(listener.read().items.at(2).text, StartsWith(R"({"event":"pushed")")) << i;
  }
}

TEST_F(SessionEventsTest, HelloTwoIsRefusedWhileMessagesComeBetweenAnswers) {
  listener.call({"HELLO", "3"});
  listener.call({"SUBSCRIBE", "x"});
  EXPECT_THAT(show(listener.call({"HELLO", "2"})), StartsWith("(error) ERR HELLO 2 while subscr"));
  listener.call({"UNSUBSCRIBE"});
  EXPECT_THAT(show(listener.call({"HELLO", "2"})), HasSubstr("proto 2"));
}

TEST_F(SessionEventsTest, ASlowListenerIsToldHowManyItMissed) {
  TestConnection slow(server.address(), 4'096);
  slow.call({"SUBSCRIBE", "job.progress.q"});
  push("q");
  client.call({"HELLO", "3"});
  const RespValue leases = client.call({"JOB.FETCH", "w", "QUEUES", "1", "q"});
  const std::string id = leases.items.at(0).find("id")->text;
  const std::string token = leases.items.at(0).find("token")->text;
  // More than the kernel and the connection hold for it.
  const std::string large(60'000, 'x');
  constexpr int kEvents = 400;
  for (int i = 0; i < kEvents; ++i) client.call({"JOB.PROGRESS", id, token, large});
  // It reads again: what was kept, and, once it has taken most of that, how many are missing. The
  // answer may come before that or after, as the server hears of the request or of the room first.
  slow.send(Words{"PING"});
  int kept = 0;
  std::string notice;
  const auto take = [&] {
    const RespValue message = slow.read();
    const std::string& text = message.items.at(message.items.size() - 1).text;
    if (text.find("missed") != std::string::npos) {
      notice = text;
    } else if (message.items.at(0).text == "message") {
      ++kept;
    }
    return text;
  };
  while (!take().empty()) {
  }
  const int missing = kEvents - kept;
  EXPECT_GT(missing, 0);
  client.call({"JOB.PROGRESS", id, token, "1"});
  while (take().find(R"("progress":"1"})") == std::string::npos) {
  }
  EXPECT_EQ(notice, fmt::format(R"({{"event":"missed","count":{}}})", missing));
}

}  // namespace
}  // namespace server
