#include "server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <optional>

#include "server/live_server.h"
#include "store/memory/null_journal.h"

namespace server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The status line's code of a GET.
// Empty when the server closes the connection without a word.
std::string http_status(const std::string& address, const std::string& path) {
  TestConnection client(address);
  client.send("GET " + path + " HTTP/1.0\r\n\r\n");
  const std::string answer = client.read_to_end();
  return answer.size() < 12 ? "" : answer.substr(9, 3);
}

// Sets the soft limit of open files while it lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t files) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    set(files);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  void set(rlim_t files) {
    rlimit limit = before_;
    limit.rlim_cur = files;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }

 private:
  rlimit before_{};
};

// --- The end.

TEST(ServerStop, WaitingFetchesGetAnEmptyArray) {
  LiveServer server;
  TestConnection first(server.address());
  TestConnection second(server.address());
  first.send(kBlockingFetch);
  second.send(kBlockingFetch);
  until([&] { return server.counters().waiting == 2; }, "waiting fetches");
  server.request_stop();
  for (TestConnection* worker : {&first, &second}) {
    EXPECT_EQ(show(worker->read()), "[]");
    EXPECT_TRUE(worker->is_at_end());
  }
  EXPECT_EQ(server.join(), kExitOk);
}

TEST(ServerStop, AnAckUnderWayIsAnswered) {
  LiveServer server;
  TestConnection worker(server.address());
  const std::string id = show(worker.call(kPush));
  const std::string token = field(worker.call(kFetch).items.at(0), "token");
  server.gate().close();
  worker.send({"JOB.ACK", id, token});
  server.gate().wait_for_append();
  server.request_stop();
  until([&] { return http_status(server.http_address(), "/readyz") == "503"; }, "not ready");
  server.gate().open();
  EXPECT_EQ(show(worker.read()), "OK");
  EXPECT_TRUE(worker.is_at_end());
  EXPECT_EQ(server.join(), kExitOk);
}

// The second request comes while an answer is held up: it still goes out, since stopping the engine
// makes all durable that was applied.
TEST(ServerStop, ASecondRequestEndsAtOnceAndLosesNoAnswer) {
  LiveServer server;
  TestConnection client(server.address());
  server.gate().close();
  client.send(kPush);
  server.gate().wait_for_append();
  server.request_stop();
  server.request_stop();
  server.request_stop();
  server.gate().open();
  EXPECT_EQ(client.read().text.size(), 13u);
  EXPECT_TRUE(client.is_at_end());
  EXPECT_EQ(server.join(), kExitOk);
}

TEST(ServerStop, FetchesThatComeMeanwhileWaitForTheEnd) {
  LiveServer server;
  TestConnection producer(server.address());
  TestConnection worker(server.address());
  worker.call({"PING"});
  server.gate().close();
  producer.send(kPush);
  server.gate().wait_for_append();
  server.request_stop();
  until([&] { return http_status(server.http_address(), "/readyz") == "503"; }, "not ready");
  worker.send(request(kFetch) + request({"PING"}) + request(kBlockingFetch));
  server.gate().open();
  EXPECT_EQ(producer.read().text.size(), 13u);
  EXPECT_EQ(show(worker.read()), "[]");
  EXPECT_EQ(show(worker.read()), "PONG");
  EXPECT_EQ(show(worker.read()), "[]");
  EXPECT_TRUE(worker.is_at_end());
  EXPECT_EQ(server.join(), kExitOk);
}

TEST(ServerStop, NobodyNewIsLetIn) {
  LiveServer server;
  TestConnection client(server.address());
  server.gate().close();
  client.send(kPush);
  server.gate().wait_for_append();
  server.request_stop();
  until([&] { return http_status(server.http_address(), "/readyz") == "503"; }, "not ready");
  EXPECT_THROW(TestConnection late(server.address()), std::runtime_error);
  EXPECT_EQ(http_status(server.http_address(), "/livez"), "200");
}

TEST(ServerStop, WithNothingUnderWayItDoesNotWait) {
  const base::SystemClock clock;
  std::chrono::nanoseconds fastest = std::chrono::hours(1);
  for (int i = 0; i < 5; ++i) {  // The best of some: the machine may be busy.
    LiveServer server;
    TestConnection idle(server.address());
    idle.call(kPush);
    idle.call(kFetch);  // A lease is no reason to wait: it stays valid.
    const base::MonoTime start = clock.mono();
    server.request_stop();
    EXPECT_EQ(server.join(), kExitOk);
    fastest = std::min(fastest, clock.mono() - start);
  }
  EXPECT_LT(fastest, std::chrono::milliseconds(500));
}

TEST(ServerStop, AStopBeforeTheStartIsHeard) {
  base::SystemClock clock;
  base::SystemRandom random;
  engine::BufferGauge gauge;
  engine::Engine engine(std::make_unique<store::NullJournal>(), nullptr, clock, random, gauge);
  ASSERT_TRUE(engine.recover());
  auth::Roll roll{auth::RollOptions{}};
  AuditLog audit_log(clock);
  Server server({{std::string(auth::kDefaultNamespace), engine}}, gauge, clock, {roll, audit_log});
  ASSERT_TRUE(server.listen({"127.0.0.1", 0}, {"127.0.0.1", 0}));
  ASSERT_EQ(::raise(SIGTERM), 0);
  EXPECT_EQ(server.run(), kExitOk);
}

// --- Connections.

TEST(ServerConnections, OneTooManyIsToldSo) {
  std::optional<FileLimit> limit(128 + 128 + 3);
  LiveServer server;
  limit.reset();
  TestConnection one(server.address());
  TestConnection two(server.address());
  TestConnection three(server.address());
  for (TestConnection* client : {&one, &two, &three})
    EXPECT_EQ(show(client->call({"PING"})), "PONG");
  TestConnection late(server.address());
  EXPECT_THAT(show(late.read()), StartsWith("(error) MAXCONN limit=3 connections"));
  EXPECT_TRUE(late.is_at_end());
  two.close();
  until(
      [&] {
        TestConnection next(server.address());
        return show(next.call({"PING"})) == "PONG";
      },
      "a free place");
}

// UndefinedBehaviorSanitizer itself ends the process when it gets no file.
#ifndef DRAY_SANITIZED
TEST(ServerConnections, WithoutFilesItWaitsForSome) {
  LiveServer server;
  TestConnection client(server.address());
  client.call({"PING"});
  constexpr rlim_t kPlenty = 1'024;
  constexpr rlim_t kNone = 3;  // Those three are open.
  constexpr int kPings = 2'000;
  FileLimit limit(kPlenty);
  testing::internal::CaptureStderr();
  TestConnection late(server.address(), 0, [&] { limit.set(kNone); });
  for (int i = 0; i < kPings; ++i) ASSERT_EQ(show(client.call({"PING"})), "PONG");
  limit.set(kPlenty);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(show(late.call({"PING"})), "PONG");
  // It has tried, and it has paused in between: not a try with each round of the loop.
  int attempts = 0;
  for (size_t at = 0; (at = log.find("could not be accepted", at)) != std::string::npos; ++at)
    ++attempts;
  EXPECT_GT(attempts, 0);
  EXPECT_LT(attempts, kPings / 10);
}
#endif

TEST(ServerConnections, HttpHasABoundOfItsOwn) {
  LiveServer server;
  std::vector<std::unique_ptr<TestConnection>> idle;
  for (int i = 0; i < 128; ++i) {
    idle.push_back(std::make_unique<TestConnection>(server.http_address()));
  }
  TestConnection late(server.http_address());
  EXPECT_THAT(late.read_to_end(), StartsWith("HTTP/1.1 503 "));
  idle.clear();
  until([&] { return http_status(server.http_address(), "/livez") == "200"; }, "a free place");
}

// --- Addresses.

class ServerListen : public testing::Test {
 protected:
  base::Status listen(const Address& resp, const std::string& token = "", bool risk = false) {
    auth::Roll roll({.file = {}, .must_exist = false, .admin_secret = token});
    AuditLog audit_log(clock_);
    Server server({{std::string(auth::kDefaultNamespace), engine_}}, gauge_, clock_,
                  {roll, audit_log, nullptr, risk});
    const base::Status status = server.listen(resp, {"127.0.0.1", 0});
    if (status) bound_ = server.resp_address();
    return status;
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  engine::BufferGauge gauge_;
  engine::Engine engine_{std::make_unique<store::NullJournal>(), nullptr, clock_, random_, gauge_};
  std::string bound_;
};

TEST_F(ServerListen, SaysWhereItListens) {
  ASSERT_TRUE(listen({"127.0.0.1", 0}));
  EXPECT_THAT(bound_, testing::MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
  if (!listen({"::1", 0})) return;  // A machine without IPv6.
  EXPECT_THAT(bound_, StartsWith("[::1]:"));
}

TEST_F(ServerListen, NamesAnAddressThatIsTaken) {
  LiveServer other;
  const std::string& address = other.address();
  const auto port = static_cast<uint16_t>(std::stoul(address.substr(address.find(':') + 1)));
  const base::Status status = listen({"127.0.0.1", port});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kUnavailable);
  EXPECT_EQ(status.error().message, "cannot listen on " + address + ": Address already in use");
}

TEST_F(ServerListen, WhereStrangersReachTokensAndTlsAreNeeded) {
  const std::string token = "0123456789abcdef";
  for (const char* host : {"0.0.0.0", "::"}) {
    for (const std::string& given : {std::string(), token}) {
      const base::Status status = listen({host, 0}, given);
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, base::ErrorCode::kBadReq);
      EXPECT_THAT(status.error().message, HasSubstr("--token-file"));
      EXPECT_THAT(status.error().message, HasSubstr("--tls-cert"));
      EXPECT_THAT(status.error().message, HasSubstr("--insecure-i-know"));
    }
  }
  EXPECT_TRUE(listen({"0.0.0.0", 0}, token, true));
  EXPECT_TRUE(listen({"0.0.0.0", 0}, "", true));
}

TEST_F(ServerListen, RefusesWhatIsNoAddress) {
  const base::Status status = listen({"example", 1});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "example is not an IP address");
}

}  // namespace
}  // namespace server
