#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/live_server.h"
#include "server/session.h"

namespace server {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr size_t kMebibyte = size_t{1} << 20;

// A second passes in a moment; for what a test itself has to do in time, there is time.
ConnectionLimits quick() {
  return {.connections_max = 100,
          .strangers_max = 5,
          .strangers_of_address_max = 3,
          .failed_logins_max = 3,
          .failed_login_delay = milliseconds(1),
          .tick = milliseconds(20),
          .login_ticks = 100,
          .request_ticks = 30,
          .owing_ticks = 1'000};
}

class SessionWatchTest : public testing::Test {
 protected:
  explicit SessionWatchTest(const ConnectionLimits& limits = quick()) : server_({}, limits) {}

  double metric(const std::string& name) {
    TestConnection client(server_.http_address());
    client.send("GET /metrics HTTP/1.0\r\n\r\n");
    return metric_in(client.read_to_end(), name);
  }
  static double metric_in(const std::string& text, const std::string& name) {
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }
  double closed(const std::string& reason) {
    return metric("dray_connections_closed_total{reason=\"" + reason + "\"}");
  }
  double buffers() { return metric("dray_buffer_bytes"); }

  LiveServer server_;
};

// Has no patience with who does not read.
class HastyWatchTest : public SessionWatchTest {
 protected:
  static ConnectionLimits hasty() {
    ConnectionLimits limits = quick();
    limits.owing_ticks = 6;
    return limits;
  }
  HastyWatchTest() : SessionWatchTest(hasty()) {}
};

TEST_F(SessionWatchTest, ARequestThatIsBegunAndNotEndedIsClosed) {
  TestConnection half(server_.address());
  half.send("*2\r\n$4\r\nECHO\r\n$100\r\nx");
  EXPECT_TRUE(half.is_at_end());
  EXPECT_EQ(closed("request_time"), 1);
}

TEST_F(SessionWatchTest, AConnectionThatSaysNothingStays) {
  TestConnection idle(server_.address());
  EXPECT_EQ(show(idle.call({"PING"})), "PONG");
  TestConnection half(server_.address());
  half.send("*2\r\n");
  EXPECT_TRUE(half.is_at_end()) << "so that very many ticks are over";
  EXPECT_EQ(show(idle.call({"PING"})), "PONG");
}

TEST_F(HastyWatchTest, APeerThatDoesNotTakeItsRepliesIsClosed) {
  TestConnection other(server_.address());
  other.call({"SET", "large", std::string(kMebibyte, 'x')});
  TestConnection client(server_.address(), 4'096);
  std::string gets;
  for (int i = 0; i < 100; ++i) gets += request({"GET", "large"});
  client.send_while_taken(gets, milliseconds(100));
  until([&] { return closed("not_reading") == 1; }, "the closing of who does not read");
  until([&] { return buffers() < kMebibyte; }, "that its memory is given back");
}

TEST_F(SessionWatchTest, LargeRepliesAreMadeAsTheyAreTakenAndInOrder) {
  TestConnection other(server_.address());
  other.call({"SET", "large", std::string(kMebibyte, 'x')});
  TestConnection client(server_.address());
  constexpr int kRounds = 60;
  std::string requests;
  for (int i = 0; i < kRounds; ++i) {
    requests += request({"GET", "large"}) + request({"INCR", "n"});
  }
  client.send(requests);
  // Until it reads, no more is made than a connection may owe.
  until([&] { return buffers() > 2.0 * kMebibyte; }, "the first replies");
  EXPECT_LT(buffers(), 24.0 * kMebibyte);
  for (int i = 1; i <= kRounds; ++i) {
    ASSERT_EQ(client.read().text.size(), kMebibyte);
    ASSERT_EQ(show(client.read()), std::to_string(i));
  }
}

// The question of the metrics is answered in one batch with replies that are just handed out.
TEST_F(SessionWatchTest, RepliesCountOnceWhileTheyAreHandedOut) {
  constexpr size_t kReplies = 8 * kMebibyte;
  constexpr size_t kOther = kMebibyte / 2;
  TestConnection other(server_.address());
  other.call({"SET", "large", std::string(kMebibyte, 'x')});
  other.call({"JOB.PUSH", "q", "T", "{}"});
  server_.gate().close();
  other.send(Words{"JOB.PUSH", "q", "T", "{}"});
  server_.gate().wait_for_append();
  TestConnection client(server_.address(), 4'096);
  std::string gets;
  for (size_t i = 0; i < kReplies / kMebibyte; ++i) gets += request({"GET", "large"});
  client.send(gets);
  until([&] { return server_.gauge().used() >= kReplies; }, "the replies");
  const uint64_t before = server_.counters().commands.load();
  TestConnection scraper(server_.http_address());
  scraper.send("GET /metrics HTTP/1.0\r\n\r\n");
  until([&] { return server_.counters().commands.load() > before; }, "the question");
  server_.gate().open();
  const double held = metric_in(scraper.read_to_end(), "dray_buffer_bytes");
  EXPECT_GT(held, 1.0 * kMebibyte) << "the client has not read";
  EXPECT_LT(held, 1.0 * (kReplies + kOther));
}

// Those cannot leave before the large ones, which wait for room.
TEST_F(SessionWatchTest, LargeRepliesAreMadeWhateverIsAnsweredBehindThem) {
  TestConnection other(server_.address());
  other.call({"SET", "large", std::string(kMebibyte, 'x')});
  TestConnection client(server_.address());
  constexpr int kLarge = 12;
  std::string requests;
  for (int i = 0; i < kLarge; ++i) requests += request({"GET", "large"});
  const std::string echoed(kMebibyte, 'y');
  requests += request({"ECHO", echoed}) + request({"ECHO", echoed});
  client.send(requests);
  for (int i = 0; i < kLarge; ++i) ASSERT_EQ(client.read().text.size(), kMebibyte);
  EXPECT_EQ(client.read().text, echoed);
  EXPECT_EQ(client.read().text, echoed);
}

TEST_F(SessionWatchTest, EmptyRequestsCountNoAnswerAgain) {
  TestConnection client(server_.address());
  std::string requests = request({"ECHO", std::string(kMebibyte / 2, 'x')});
  for (int i = 0; i < 20; ++i) requests += "*0\r\n";
  client.send(requests + request({"ECHO", "after"}));
  EXPECT_EQ(client.read().text.size(), kMebibyte / 2);
  EXPECT_EQ(client.read().text, "after");
  EXPECT_EQ(show(client.call({"PING"})), "PONG");
}

TEST_F(SessionWatchTest, ABusyConnectionThatFallsSilentGivesItsMemoryBack) {
  TestConnection client(server_.address());
  std::string requests;
  for (int i = 0; i < 1'000; ++i)
    requests += request({"JOB.PUSH", "q", "T", std::string(1'000, 'x')});
  client.send(requests);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(client.read().text.size(), 13U);
  until([&] { return buffers() < 2'000; }, "that its memory is given back");
  EXPECT_EQ(show(client.call({"PING"})), "PONG");
}

TEST_F(SessionWatchTest, WhatIsBeyondTheBudgetIsTheEndOfWhoHoldsMost) {
  engine::BufferGauge& gauge = server_.gauge();
  gauge.held(0, gauge.budget() - 8 * kMebibyte);  // By others.
  TestConnection small(server_.address());
  TestConnection large(server_.address());
  large.send_while_taken("*2\r\n$4\r\nECHO\r\n$16000000\r\n" + std::string(15 * kMebibyte, 'x'),
                         milliseconds(200));
  EXPECT_TRUE(large.is_at_end());
  EXPECT_GE(closed("buffer_budget"), 1);
  EXPECT_EQ(show(small.call({"PING"})), "PONG");
}

TEST_F(SessionWatchTest, UnderPressureNewJobsAreRefusedAndAcksAreTaken) {
  TestConnection client(server_.address());
  client.call({"JOB.PUSH", "q", "T", "{}"});
  const RespValue leases = client.call({"JOB.FETCH", "w", "QUEUES", "1", "q"});
  const std::string id = leases.items.at(0).find("id")->text;
  const std::string token = leases.items.at(0).find("token")->text;
  server_.gauge().held(0, server_.gauge().budget());
  EXPECT_THAT(show(client.call({"JOB.PUSH", "q", "T", "{}"})),
              MatchesRegex("\\(error\\) OVERLOADED retry_ms=[0-9]+ limit=[0-9]+ got=[0-9]+ .*"));
  EXPECT_THAT(show(client.call({"JOB.GET", id})), StartsWith("(error) OVERLOADED retry_ms="));
  EXPECT_EQ(show(client.call({"JOB.ACK", id, token})), "OK");
  EXPECT_EQ(metric("dray_overload_level"), 3);
  TestConnection http(server_.http_address());
  http.send("GET /readyz HTTP/1.0\r\n\r\n");
  const std::string answer = http.read_to_end();
  EXPECT_THAT(answer, StartsWith("HTTP/1.0 503 "));
  EXPECT_THAT(answer, HasSubstr("not ready, overload red"));
}

// --- Before the login.

class StrangersTest : public testing::Test {
 protected:
  LiveServer server_{kToken, quick()};
};

TEST_F(StrangersTest, WhoDoesNotLogInIsClosedAndWhoDoesStays) {
  TestConnection client(server_.address());
  EXPECT_EQ(show(client.call({"AUTH", kToken})), "OK");
  TestConnection stranger(server_.address());
  EXPECT_TRUE(stranger.is_at_end());
  EXPECT_EQ(show(client.call({"PING"})), "PONG");
}

TEST_F(StrangersTest, ManyOfOneAddressAreRefusedUntilOneLogsIn) {
  TestConnection first(server_.address());
  EXPECT_EQ(show(first.call({"HELLO", "2", "AUTH", "x", kToken})).substr(0, 8), "[server ");
  TestConnection a(server_.address());
  TestConnection b(server_.address());
  TestConnection c(server_.address());
  TestConnection d(server_.address());
  EXPECT_THAT(d.read_to_end(), StartsWith("-MAXCONN limit=3 connections of one address"));
  EXPECT_EQ(show(first.call({"PING"})), "PONG");
}

TEST_F(StrangersTest, TooManyFailedLoginsBarTheAddress) {
  TestConnection client(server_.address());
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(show(client.call({"AUTH", "wrong"})), StartsWith("(error) WRONGPASS"));
  }
  EXPECT_THAT(show(client.call({"AUTH", kToken})), StartsWith("(error) RATELIMITED retry_ms="));
  EXPECT_TRUE(client.is_at_end());
}

TEST_F(StrangersTest, WhatIsPipelinedBehindAFailedLoginWaitsForItsAnswer) {
  TestConnection client(server_.address());
  client.send(request({"AUTH", "wrong"}) + request({"AUTH", kToken}) + request({"PING"}));
  EXPECT_THAT(show(client.read()), StartsWith("(error) WRONGPASS"));
  EXPECT_EQ(show(client.read()), "OK");
  EXPECT_EQ(show(client.read()), "PONG");
}

TEST(ConnectionsMax, BeyondItTheyAreToldAndClosed) {
  LiveServer server({}, {.connections_max = 2, .tick = milliseconds(20)});
  TestConnection first(server.address());
  TestConnection second(server.address());
  EXPECT_EQ(show(second.call({"PING"})), "PONG");
  TestConnection third(server.address());
  EXPECT_THAT(third.read_to_end(), StartsWith("-MAXCONN limit=2 connections"));
}

}  // namespace
}  // namespace server
