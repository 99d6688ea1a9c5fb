#include "server/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/limits.h"
#include "server/live_server.h"

namespace server {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

Words push(const std::string& args = "{}") {
  return {"JOB.PUSH", "q", "T", args};
}

class SessionTest : public testing::Test {
 protected:
  int64_t stat(std::string_view name) {
    return std::stoll(field(other_.call({"QUEUE.STATS", "q"}), name));
  }
  // The I/O thread has seen what was sent before: rounds through it that began later are over, one
  // for each piece in which it may have been read.
  void settle() {
    constexpr int kRounds = 20;
    for (int i = 0; i < kRounds; ++i) EXPECT_EQ(show(other_.call({"PING"})), "PONG");
  }
  void wait_for_waiting(uint64_t number) {
    until([&] { return server_.counters().waiting == number; }, "waiting commands");
  }
  void wait_for_connections(size_t number) {
    const std::string line = "connected_clients:" + std::to_string(number) + "\r";
    until([&] { return other_.call({"INFO"}).text.find(line) != std::string::npos; },
          "connections");
  }

  LiveServer server_;
  TestConnection client_{server_.address()};
  TestConnection other_{server_.address()};
};

TEST_F(SessionTest, AnswersInOrderWhoeverAnswers) {
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests += request(push(std::to_string(i)));
    requests += request({"ECHO", std::to_string(i)});
    requests += request({"NOSUCH"});
    requests += request({"JOB.PUSH", "q"});
    requests += request({"QUEUE.LIST"});
  }
  client_.send(requests);
  std::string id_before;
  for (int i = 0; i < 100; ++i) {
    const std::string id = show(client_.read());
    EXPECT_GT(id, id_before);
    id_before = id;
    EXPECT_EQ(show(client_.read()), std::to_string(i));
    EXPECT_THAT(show(client_.read()), StartsWith("(error) ERR unknown command 'NOSUCH'"));
    EXPECT_THAT(show(client_.read()), StartsWith("(error) ERR wrong number of arguments"));
    EXPECT_EQ(show(client_.read()), "[q]");
  }
}

TEST_F(SessionTest, HelloChangesOnlyTheRepliesBehindIt) {
  server_.gate().close();
  client_.send(request(push()) + request({"QUEUE.STATS", "q"}) + request({"HELLO", "3"}) +
               request({"QUEUE.STATS", "q"}) + request({"HELLO", "2"}) +
               request({"QUEUE.STATS", "q"}));
  server_.gate().wait_for_append();
  settle();  // All of it is understood while the first waits for the disk.
  server_.gate().open();
  using protocol::ValueKind;
  EXPECT_EQ(client_.read().kind, ValueKind::kBulk);
  for (const ValueKind kind : {ValueKind::kArray, ValueKind::kMap, ValueKind::kMap,
                               ValueKind::kArray, ValueKind::kArray}) {
    EXPECT_EQ(client_.read().kind, kind);
  }
}

TEST_F(SessionTest, AnyByteOfAnyPieceArrives) {
  std::string args;
  for (int i = 0; i < 512; ++i) args += static_cast<char>(i);
  args += "\r\n$5\r\nhello\r\n*1\r\n";
  const std::string bytes = request(push(args));
  for (const char byte : bytes) client_.send(std::string_view(&byte, 1));
  EXPECT_EQ(client_.read().text.size(), 13u);
  const RespValue leases = client_.call(kFetch);
  ASSERT_EQ(leases.items.size(), 1u);
  EXPECT_EQ(leases.items[0].find("args")->text, args);
}

TEST_F(SessionTest, LargeArgsAreKeptAndTooLargeOnesRefused) {
  for (const size_t size : {size_t{64} << 10, core::limits::kArgsBytesMax}) {
    EXPECT_EQ(client_.call(push(std::string(size, 'x'))).text.size(), 13u);
    EXPECT_EQ(client_.call(kFetch).items.at(0).find("args")->text, std::string(size, 'x'));
  }
  const std::string large(core::limits::kArgsBytesMax + 1, 'x');
  EXPECT_THAT(show(client_.call(push(large))), StartsWith("(error) TOOBIG limit=1048576"));
  EXPECT_EQ(show(client_.call({"PING"})), "PONG");
}

TEST_F(SessionTest, ManyRequestsInOneReadAreAllAnswered) {
  client_.call(push(std::string(size_t{100} << 10, 'x')));  // Makes the input buffer large.
  constexpr int kPings = 20'000;
  std::string requests;
  for (int i = 0; i < kPings; ++i) requests += "PING\r\n";
  client_.send(requests);
  for (int i = 0; i < kPings; ++i) ASSERT_EQ(show(client_.read()), "PONG") << i;
}

TEST_F(SessionTest, AThousandOwedAnswersStopTheReadingAndNothingIsLost) {
  server_.gate().close();
  other_.call({"PING"});
  const uint64_t before = server_.counters().commands;
  constexpr uint64_t kPushes = 3'500;
  std::string requests;
  for (uint64_t i = 0; i < kPushes; ++i) requests += request(push(std::to_string(i)));
  client_.send(requests);
  until([&] { return server_.counters().commands >= before + 1'000; }, "the first thousand");
  settle();
  EXPECT_EQ(server_.counters().commands, before + 1'000);
  server_.gate().open();
  std::string id_before;
  for (uint64_t i = 0; i < kPushes; ++i) {
    const std::string id = show(client_.read());
    ASSERT_GT(id, id_before);
    id_before = id;
  }
  EXPECT_EQ(stat("ready"), static_cast<int64_t>(kPushes));
}

TEST_F(SessionTest, AClientThatDoesNotReadIsNotReadEither) {
  const std::string requests = [] {
    std::string bytes;
    while (bytes.size() < size_t{96} << 20) bytes += request({"ECHO", std::string(50'000, 'x')});
    return bytes;
  }();
  TestConnection deaf(server_.address(), 4'096);
  // What the kernel holds in both directions, one buffer of input and one of output.
  EXPECT_LT(deaf.send_while_taken(requests, milliseconds(300)), size_t{32} << 20);
  EXPECT_EQ(show(client_.call({"PING"})), "PONG");
  deaf.close();
  wait_for_connections(2);
}

TEST_F(SessionTest, AnswersOfWholeJobsAreBoundedUntilTheyAreRead) {
  const std::string id = show(client_.call(push(std::string(core::limits::kArgsBytesMax, 'x'))));
  constexpr int kGets = 300;
  std::string requests;
  for (int i = 0; i < kGets; ++i) requests += request({"JOB.GET", id});
  TestConnection slow(server_.address(), 1 << 18);
  const uint64_t before = server_.counters().commands;
  slow.send(requests);
  until([&] { return server_.counters().commands >= before + 8; }, "the first answers");
  settle();
  // 8 MiB, and those that the kernel's buffers have room for.
  EXPECT_LT(server_.counters().commands, before + 8 + 32);
  for (int i = 0; i < kGets; ++i) ASSERT_EQ(field(slow.read(), "id"), id) << i;
}

TEST_F(SessionTest, QuitAnswersAndCloses) {
  client_.send(request(push()) + request({"QUIT"}) + request(push()));
  EXPECT_EQ(client_.read().text.size(), 13u);
  EXPECT_EQ(show(client_.read()), "OK");
  EXPECT_TRUE(client_.is_at_end());
  EXPECT_EQ(stat("pushed"), 1);
}

// --- Commands that wait.

TEST_F(SessionTest, AWaitingFetchHoldsBackItsOwnConnectionOnly) {
  client_.send(request(kBlockingFetch) + request({"PING"}));
  wait_for_waiting(1);
  EXPECT_EQ(show(other_.call({"PING"})), "PONG");
  const std::string id = show(other_.call(push()));
  EXPECT_EQ(field(client_.read().items.at(0), "id"), id);
  EXPECT_EQ(show(client_.read()), "PONG");
}

TEST_F(SessionTest, AWaitingFetchIsAnsweredInTheBatchOfThePush) {
  client_.send(kBlockingFetch);
  wait_for_waiting(1);
  const uint64_t before = server_.frames();
  other_.call(push());
  EXPECT_EQ(client_.read().items.size(), 1u);
  EXPECT_EQ(server_.frames(), before + 1);
}

TEST_F(SessionTest, AFetchWaitsNoLongerThanItSays) {
  EXPECT_EQ(show(client_.call({"JOB.FETCH", "w", "BLOCK", "20", "QUEUES", "1", "q"})), "[]");
  const std::string id = show(client_.call(push()));
  const RespValue waited = client_.call({"JOB.WAIT", "1", id, "BLOCK", "20"});
  EXPECT_EQ(field(waited.items.at(0), "state"), "ready");
}

TEST_F(SessionTest, AWaitEndsWithTheJob) {
  const std::string id = show(client_.call(push()));
  client_.send({"JOB.WAIT", "1", id, "BLOCK", "25000"});
  wait_for_waiting(1);
  const RespValue lease = other_.call(kFetch).items.at(0);
  other_.call({"JOB.ACK", id, field(lease, "token"), "RESULT", "r"});
  EXPECT_EQ(field(client_.read().items.at(0), "result"), "r");
}

TEST_F(SessionTest, AWorkerThatClosesWhileItWaitsGetsNoJob) {
  for (const bool half : {false, true}) {
    TestConnection worker(server_.address());
    worker.send(kBlockingFetch);
    wait_for_waiting(1);
    half ? worker.half_close() : worker.close();
    wait_for_waiting(0);
    other_.call(push());
    const RespValue lease = other_.call(kFetch).items.at(0);
    EXPECT_EQ(field(lease, "attempt"), "1");
    EXPECT_EQ(field(lease, "fence"), "1");
    if (half) {
      EXPECT_TRUE(worker.is_at_end());
    }
  }
}

// --- Leases that do not reach their worker.

TEST_F(SessionTest, ALeaseOfAConnectionThatClosedBeforeItWasWrittenIsTakenBack) {
  const std::string id = show(other_.call(push()));
  server_.gate().close();
  client_.send(kFetch);
  server_.gate().wait_for_append();
  client_.close();
  settle();
  server_.gate().open();
  const RespValue lease = other_.call(kBlockingFetch).items.at(0);
  EXPECT_EQ(field(lease, "id"), id);
  EXPECT_EQ(field(lease, "attempt"), "1");
  EXPECT_EQ(field(lease, "fence"), "2");
  wait_for_connections(1);
}

TEST_F(SessionTest, OnlyLeasesThatTheKernelTookWhollyAreGiven) {
  constexpr int kJobs = 24;
  const std::string large(core::limits::kArgsBytesMax, 'x');
  for (int i = 0; i < kJobs; ++i) other_.call(push(large));
  TestConnection deaf(server_.address(), 4'096);
  std::string requests;
  for (int i = 0; i < kJobs; ++i) requests += request(kFetch);
  deaf.send(requests);
  // As many as it may owe; the fetches behind them wait.
  constexpr int kOwed = 8;
  until([&] { return stat("running") >= kOwed; }, "leases");
  settle();
  deaf.close();
  // What is in the kernel's buffers counts as given, and runs out one day; the rest is back at once
  // and in its old order.
  until([&] { return stat("running") < kOwed; }, "leases taken back");
  wait_for_connections(2);
  const int64_t back = stat("ready");
  EXPECT_GT(back, kJobs / 2);
  EXPECT_EQ(stat("running"), kJobs - back);
  std::string id_before;
  for (int64_t i = 0; i < back; ++i) {
    const RespValue lease = other_.call(kFetch).items.at(0);
    EXPECT_EQ(field(lease, "attempt"), "1");
    EXPECT_GT(field(lease, "id"), id_before);
    id_before = field(lease, "id");
  }
}

TEST_F(SessionTest, WhatAClosedConnectionPushedIsKept) {
  server_.gate().close();
  client_.send(request(push()) + request(push()));
  server_.gate().wait_for_append();
  client_.close();
  settle();
  server_.gate().open();
  until([&] { return stat("ready") == 2; }, "both jobs");
}

TEST_F(SessionTest, AHalfCloseLeavesTheAnswersOfWhatWasSent) {
  std::string requests;
  for (int i = 0; i < 2'000; ++i) requests += request(push());
  client_.send(requests + request({"PING"}));
  client_.half_close();
  for (int i = 0; i < 2'000; ++i) ASSERT_EQ(client_.read().text.size(), 13u) << i;
  EXPECT_EQ(show(client_.read()), "PONG");
  EXPECT_TRUE(client_.is_at_end());
}

TEST_F(SessionTest, AHalfCloseIsNotTakenForThatOfAnEarlierFetch) {
  EXPECT_EQ(show(client_.call(kFetch)), "[]");  // Its slot is used again.
  server_.gate().close();
  client_.send(request({"NOSUCH"}) + request(push()));
  EXPECT_TRUE(client_.read().is_error());
  client_.send(request({"PING"}));
  client_.half_close();
  server_.gate().wait_for_append();
  settle();
  server_.gate().open();
  EXPECT_EQ(client_.read().text.size(), 13u);
  EXPECT_EQ(show(client_.read()), "PONG");
  EXPECT_TRUE(client_.is_at_end());
}

TEST_F(SessionTest, AFetchBehindAHangUpGetsNoJob) {
  server_.gate().close();
  std::string requests;
  for (int i = 0; i < 1'000; ++i) requests += request(push());
  const uint64_t before = server_.counters().commands;
  client_.send(requests + request(kFetch));  // The fetch is not looked at before there is room.
  client_.half_close();
  until([&] { return server_.counters().commands >= before + 1'000; }, "the pushes");
  settle();
  server_.gate().open();
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(client_.read().text.size(), 13u) << i;
  EXPECT_EQ(show(client_.read()), "[]");
  EXPECT_TRUE(client_.is_at_end());
  EXPECT_EQ(stat("started"), 0);
}

// --- MULTI.

TEST_F(SessionTest, ExecAnswersForEachOfItsCommands) {
  client_.send(request({"MULTI"}) + request(push("a")) + request(push("b")) + request({"EXEC"}));
  EXPECT_EQ(show(client_.read()), "OK");
  EXPECT_EQ(show(client_.read()), "QUEUED");
  EXPECT_EQ(show(client_.read()), "QUEUED");
  EXPECT_THAT(show(client_.read()), MatchesRegex("\\[[0-9A-Z]{13} [0-9A-Z]{13}\\]"));
  EXPECT_EQ(stat("ready"), 2);
}

TEST_F(SessionTest, NothingHappensBeforeExec) {
  client_.call({"MULTI"});
  client_.call(push());
  EXPECT_EQ(stat("pushed"), 0);
  client_.call({"EXEC"});
  EXPECT_EQ(stat("pushed"), 1);
}

TEST_F(SessionTest, ExecIsAllOrNothing) {
  const std::string id = show(client_.call(push()));
  const std::string token = field(client_.call(kFetch).items.at(0), "token");
  client_.call({"JOB.RELEASE", id, token});
  client_.send(request({"MULTI"}) + request(push()) + request({"JOB.ACK", id, token}) +
               request(push()) + request({"EXEC"}));
  for (int i = 0; i < 4; ++i) client_.read();
  EXPECT_THAT(show(client_.read()), StartsWith("(error) EXECABORT index=1 LEASELOST"));
  EXPECT_EQ(stat("pushed"), 1);
  EXPECT_EQ(stat("ready"), 1);
}

TEST_F(SessionTest, ARefusedCommandSpoilsTheTransaction) {
  const Words refused[] = {{"NOSUCH"},
                           {"JOB.PUSH", "q"},
                           {"PING"},
                           {"JOB.FETCH", "w"},
                           {"JOB.PUSH", "q", "T", "{}", "DELYA", "1"},
                           {"JOB.WHY", "0000000000001"},
                           {"SCAN", "0"},
                           {"EXEC", "now"}};
  for (const Words& words : refused) {
    client_.send(request({"MULTI"}) + request(push()) + request(words) + request({"EXEC"}) +
                 request({"EXEC"}));
    EXPECT_EQ(show(client_.read()), "OK");
    EXPECT_EQ(show(client_.read()), "QUEUED");
    EXPECT_TRUE(client_.read().is_error()) << words[0];
    EXPECT_EQ(show(client_.read()),
              "(error) EXECABORT Transaction discarded because of previous errors.");
    EXPECT_EQ(show(client_.read()), "(error) ERR EXEC without MULTI");
  }
  EXPECT_EQ(stat("pushed"), 0);
}

TEST_F(SessionTest, KeysAndJobsAreOneTransaction) {
  client_.send(request({"MULTI"}) + request({"SET", "order", "1"}) + request(push()) +
               request({"INCR", "order"}) + request({"EXEC"}) + request({"GET", "order"}) +
               request({"SCAN", "0"}));
  for (int i = 0; i < 4; ++i) client_.read();
  EXPECT_THAT(show(client_.read()), StartsWith("[OK 00"));
  EXPECT_EQ(show(client_.read()), "2");
  EXPECT_EQ(show(client_.read()), "[0 [order]]");
  client_.send(request({"MULTI"}) + request({"SET", "order", "x"}) + request({"INCR", "order"}) +
               request({"EXEC"}) + request({"GET", "order"}));
  for (int i = 0; i < 3; ++i) client_.read();
  EXPECT_EQ(show(client_.read()),
            "(error) EXECABORT index=1 ERR value is not an integer or out of range; nothing was "
            "done");
  EXPECT_EQ(show(client_.read()), "2");
}

TEST_F(SessionTest, DiscardAndResetDropTheTransaction) {
  for (const std::string word : {"DISCARD", "RESET"}) {
    client_.send(request({"MULTI"}) + request(push()) + request({word}));
    EXPECT_EQ(show(client_.read()), "OK");
    EXPECT_EQ(show(client_.read()), "QUEUED");
    EXPECT_EQ(show(client_.read()), word == "RESET" ? "RESET" : "OK");
    EXPECT_EQ(show(client_.call({"DISCARD"})), "(error) ERR DISCARD without MULTI");
    EXPECT_EQ(show(client_.call({"MULTI"})), "OK");
    EXPECT_EQ(show(client_.call({"EXEC"})), "[]");
  }
  EXPECT_EQ(stat("pushed"), 0);
}

TEST_F(SessionTest, MultiDoesNotNest) {
  client_.call({"MULTI"});
  EXPECT_EQ(show(client_.call({"MULTI"})), "(error) ERR MULTI calls can not be nested");
  EXPECT_EQ(show(client_.call(push())), "QUEUED");
  EXPECT_EQ(client_.call({"EXEC"}).items.size(), 1u);
}

// --- What is no RESP.

TEST_F(SessionTest, AProtocolErrorIsAnsweredBehindWhatCameBeforeAndEndsTheConnection) {
  const std::pair<std::string, std::string> faults[] = {
      {"*1\r\n+PING\r\n", "ERR Protocol error: expected '$', got '+'"},
      {"*x\r\n", "ERR Protocol error: invalid multibulk length"},
      {"*1\r\n$-5\r\n", "ERR Protocol error: invalid bulk length"},
      {"*2\r\n$4\r\nPING\r\n$16777217\r\n", "ERR Protocol error: invalid bulk length: 16777217"},
      {"*1048577\r\n", "ERR Protocol error: invalid multibulk length: 1048577"},
      {"ECHO \"open\r\n", "ERR Protocol error: unbalanced quotes"},
      {std::string(70'000, 'x'), "ERR Protocol error: too big inline request"}};
  for (const auto& [bytes, text] : faults) {
    TestConnection client(server_.address());
    server_.gate().close();
    client.send(request(push()) + request(kFetch) + bytes);
    server_.gate().wait_for_append();
    settle();
    server_.gate().open();
    EXPECT_EQ(client.read().text.size(), 13u);
    EXPECT_EQ(client.read().items.size(), 1u);
    EXPECT_THAT(client.read().text, StartsWith(text));
    EXPECT_TRUE(client.is_at_end());
  }
}

TEST_F(SessionTest, HttpAndTlsAreTurnedAwayWithOneLine) {
  for (const std::string bytes : {"GET / HTTP/1.1\r\n", "POST /x HTTP/1.1\r\nHost: a\r\n\r\n",
                                  "\x16\x03\x01\x02", "Host: localhost\r\n"}) {
    TestConnection client(server_.address());
    client.send(bytes);
    EXPECT_THAT(client.read_to_end(),
                MatchesRegex("-ERR Protocol error: this port speaks RESP[^\n]*\n"))
        << bytes;
  }
  TestConnection sneaky(server_.address());
  sneaky.send("POST / HTTP/1.1\r\nX: y\r\n\r\nJOB.PUSH q T {}\r\n");
  EXPECT_THAT(sneaky.read_to_end(),
              StartsWith("-ERR Protocol error: this port speaks RESP, not HTTP"));
  EXPECT_EQ(stat("pushed"), 0);
}

// --- Login.

TEST(SessionLogin, AStrangerMayLogInAndNoMore) {
  LiveServer server(kToken);
  TestConnection client(server.address());
  EXPECT_EQ(show(client.call({"PING"})),
            "(error) NOAUTH Authentication required: AUTH <token> first");
  EXPECT_THAT(show(client.call({"NOSUCH"})), StartsWith("(error) NOAUTH "));
  EXPECT_THAT(show(client.call({"MULTI"})), StartsWith("(error) NOAUTH "));
  EXPECT_THAT(show(client.call({"HELLO", "3"})), StartsWith("(error) NOAUTH HELLO must be called"));
  EXPECT_THAT(show(client.call({"AUTH", "0123456789abcdef-tokem"})),
              StartsWith("(error) WRONGPASS"));
  EXPECT_THAT(show(client.call({"AUTH", ""})), StartsWith("(error) WRONGPASS"));
  EXPECT_EQ(show(client.call({"AUTH", kToken})), "OK");
  EXPECT_EQ(show(client.call({"PING"})), "PONG");
  EXPECT_EQ(show(client.call({"RESET"})), "RESET");
  EXPECT_THAT(show(client.call({"PING"})), StartsWith("(error) NOAUTH "));
  const RespValue hello = client.call({"HELLO", "3", "AUTH", "anyone", kToken, "SETNAME", "me"});
  EXPECT_EQ(field(hello, "proto"), "3");
  EXPECT_EQ(show(client.call({"CLIENT", "GETNAME"})), "me");
}

TEST(SessionLogin, TheBoundsOfStrangersAreNarrow) {
  LiveServer server(kToken);
  const std::pair<std::string, std::string> faults[] = {
      {"*9\r\n", "ERR Protocol error: unauthenticated multibulk length: 9"},
      {"*2\r\n$4\r\nAUTH\r\n$4097\r\n", "ERR Protocol error: unauthenticated bulk length: 4097"}};
  for (const auto& [bytes, text] : faults) {
    TestConnection client(server.address());
    client.send(bytes);
    EXPECT_THAT(client.read().text, StartsWith(text));
    EXPECT_TRUE(client.is_at_end());
  }
  // In one piece with the login: the wide bounds hold for what is behind it.
  TestConnection client(server.address());
  client.send(request({"AUTH", kToken}) + request(push(std::string(8'000, 'x'))));
  EXPECT_EQ(show(client.read()), "OK");
  EXPECT_EQ(client.read().text.size(), 13u);
}

TEST(SessionLogin, ATransactionEndsWithTheLogin) {
  LiveServer server(kToken);
  TestConnection client(server.address());
  client.send(request({"AUTH", kToken}) + request({"MULTI"}) + request(push()) +
              request({"RESET"}) + request({"EXEC"}));
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(client.read().is_error());
  EXPECT_THAT(show(client.read()), StartsWith("(error) NOAUTH "));
}

}  // namespace
}  // namespace server
