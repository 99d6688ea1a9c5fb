#include "sdk/cpp/channel.h"

#include <gtest/gtest.h>

#include <thread>

#include "sdk/cpp/fake_server.h"
#include "sdk/cpp/request.h"

namespace dray::detail {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;

Target target_for(const FakeServer& server) {
  ClientOptions options;
  options.url = server.url();
  return target_of(options);
}

TEST(Channel, PausesDoubleUpToALimitAndAreSpread) {
  base::SeededRandom random(1);
  for (int goes = 1; goes < 100; ++goes) {
    const int64_t most = std::min<int64_t>(25LL << std::min(goes - 1, 20), 2'000);
    const milliseconds pause = pause_after(goes, random);
    EXPECT_GE(pause.count(), most / 2);
    EXPECT_LE(pause.count(), most);
  }
  EXPECT_NE(pause_after(20, random), pause_after(20, random));
}

TEST(Channel, WrongPasswordIsFinal) {
  FakeServer server;
  server.on("HELLO", [](const FakeWords&) { return FakeAnswer{"-WRONGPASS no\r\n"}; });
  Channel channel(target_for(server), nullptr);
  const auto reply = channel.exchange({.bytes = request({"PING"})});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, base::ErrorCode::kWrongPass);
  EXPECT_EQ(server.connections_made(), 1U);
}

TEST(Channel, ServerThatIsFullIsAskedAgain) {
  FakeServer server;
  std::atomic<int> refusals{1};
  server.on("HELLO", [&](const FakeWords&) {
    return FakeAnswer{refusals-- > 0 ? "-MAXCONN limit=1\r\n" : "+OK\r\n"};
  });
  Channel channel(target_for(server), nullptr);
  EXPECT_TRUE(channel.exchange({.bytes = request({"PING"})}).has_value());
}

TEST(Channel, LoginThatIsBarredForAWhileIsTriedAgain) {
  FakeServer server;
  std::atomic<int> refusals{1};
  server.on("HELLO", [&](const FakeWords&) {
    return FakeAnswer{refusals-- > 0 ? "-RATELIMITED retry_ms=1 limit=10\r\n" : "+OK\r\n"};
  });
  Channel channel(target_for(server), nullptr);
  EXPECT_TRUE(channel.exchange({.bytes = request({"PING"})}).has_value());
}

TEST(Channel, LoginThatIsBarredForLongerThanAnybodyWaitsIsToldAtOnce) {
  FakeServer server;
  server.on("HELLO", [&](const FakeWords&) {
    return FakeAnswer{"-RATELIMITED retry_ms=3600000 limit=10\r\n"};
  });
  Channel channel(target_for(server), nullptr);
  const auto reply = channel.exchange({.bytes = request({"PING"})});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, base::ErrorCode::kRateLimited);
  EXPECT_EQ(server.connections_made(), 1U);
}

TEST(Channel, WhatACommandWaitsByItselfIsNoFailure) {
  FakeServer server;
  Target target = target_for(server);
  target.retry_for = 2 * kPauseFirst;
  std::atomic<int> goes{0};
  server.on("JOB.WAIT", [&](const FakeWords&) {
    if (goes++ > 0) return FakeAnswer{"*0\r\n"};
    const Deadline too_late = Deadline::in(target.retry_for);
    while (!too_late.is_over()) std::this_thread::yield();
    return FakeAnswer{.close_after = true};
  });
  Channel channel(target, nullptr);
  EXPECT_TRUE(channel.exchange({.bytes = request({"JOB.WAIT"}), .wait = 1h}).has_value());
}

TEST(Channel, WordThatNoServerReadsIsRefusedHere) {
  const std::string word((size_t{16} << 20) + 1, 'x');
  try {
    request({"JOB.PUSH", word});
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTooBig);
  }
}

TEST(Channel, WakeEndsThePauseBetweenGoes) {
  FakeServer server;
  server.set_reachable(false);
  const Wake wake;
  Target target = target_for(server);
  target.retry_for = 1h;
  Channel channel(target, &wake);
  std::thread other([&] { wake.set(); });
  EXPECT_FALSE(channel.exchange({.bytes = request({"PING"})}).has_value());
  other.join();
  server.set_reachable(true);
}

TEST(Channel, SilentServerIsLeftForANewConnection) {
  FakeServer server;
  std::atomic<int> silences{1};
  server.on("PING",
            [&](const FakeWords&) { return FakeAnswer{silences-- > 0 ? "" : "+PONG\r\n"}; });
  Target target = target_for(server);
  target.answer_timeout = 30ms;
  Channel channel(target, nullptr);
  const auto reply = channel.exchange({.bytes = request({"PING"})});
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->text, "PONG");
  EXPECT_EQ(server.connections_made(), 2U);
}

TEST(Channel, NamesDiffer) {
  base::SystemRandom random;
  EXPECT_NE(unique_name(random), unique_name(random));
  EXPECT_LE(unique_name(random).size(), 120U);
}

}  // namespace
}  // namespace dray::detail
