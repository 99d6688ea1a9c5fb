#include "sdk/cpp/connection.h"

#include <gtest/gtest.h>

#include <thread>

#include "sdk/cpp/fake_server.h"
#include "sdk/cpp/request.h"

namespace dray::detail {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Connection> open_to(const FakeServer& server, const Wake* wake = nullptr) {
  auto opened = Connection::open(*parse_endpoint(server.url()), "me", Deadline::in(5s), wake);
  EXPECT_TRUE(opened.has_value());
  return std::move(*opened);
}

TEST(Connection, IntroducesItself) {
  FakeServer server;
  open_to(server);
  EXPECT_EQ(server.heard("HELLO").front(), (FakeWords{"HELLO", "3", "SETNAME", "me"}));
}

TEST(Connection, SendsPasswordAndNamespace) {
  FakeServer server;
  const auto endpoint = parse_endpoint("dray://ann:secret@" + server.url().substr(7) + "/shop");
  ASSERT_TRUE(Connection::open(*endpoint, "me", Deadline::in(5s), nullptr).has_value());
  EXPECT_EQ(server.heard("HELLO").front(),
            (FakeWords{"HELLO", "3", "AUTH", "ann", "secret", "SETNAME", "me"}));
  EXPECT_EQ(server.heard("SELECT").front(), (FakeWords{"SELECT", "shop"}));
}

TEST(Connection, WrongPasswordKeepsItsCode) {
  FakeServer server;
  server.on("HELLO", [](const FakeWords&) { return FakeAnswer{"-WRONGPASS no\r\n"}; });
  const auto opened =
      Connection::open(*parse_endpoint(server.url()), "me", Deadline::in(5s), nullptr);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, base::ErrorCode::kWrongPass);
}

TEST(Connection, NobodyThereIsAnIoErrorThatNamesTheAddress) {
  FakeServer server;
  server.set_reachable(false);
  const auto opened =
      Connection::open(*parse_endpoint(server.url()), "me", Deadline::in(5s), nullptr);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, base::ErrorCode::kIo);
  EXPECT_NE(opened.error().message.find("127.0.0.1"), std::string::npos);
  server.set_reachable(true);
}

TEST(Connection, SilenceEndsAtTheDeadline) {
  FakeServer server;
  server.on("PING", [](const FakeWords&) { return FakeAnswer{""}; });
  const auto connection = open_to(server);
  ASSERT_TRUE(connection->send(request({"PING"}), Deadline::in(5s)).has_value());
  const auto reply = connection->receive(Deadline::in(20ms));
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, base::ErrorCode::kIo);
}

TEST(Connection, WakeEndsAWaitFromAnotherThread) {
  FakeServer server;
  const Wake wake;
  const auto connection = open_to(server, &wake);
  std::thread other([&] { wake.set(); });
  const auto reply = connection->receive(Deadline::never());
  other.join();
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, base::ErrorCode::kUnavailable);
}

TEST(Connection, AnswerThatHasComeIsReadBeforeTheWakeIsHeard) {
  FakeServer server;
  server.on("PING", [](const FakeWords&) { return FakeAnswer{"+ONE\r\n+TWO\r\n"}; });
  const Wake wake;
  const auto connection = open_to(server, &wake);
  ASSERT_TRUE(connection->send(request({"PING"}), Deadline::in(5s)).has_value());
  ASSERT_TRUE(connection->receive(Deadline::in(5s)).has_value());
  wake.set();
  EXPECT_TRUE(connection->receive(Deadline::in(5s)).has_value());
}

TEST(Connection, LargeRequestsAndRepliesPassWhole) {
  FakeServer server;
  server.on("ECHO", [](const FakeWords& words) { return FakeAnswer{fake_bulk(words[1])}; });
  const auto connection = open_to(server);
  const std::string large(3'000'000, 'x');
  ASSERT_TRUE(connection->send(request({"ECHO", large}), Deadline::in(10s)).has_value());
  const auto reply = connection->receive(Deadline::in(10s));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->text, large);
}

TEST(Connection, PushMessagesArePassedOver) {
  FakeServer server;
  server.on("PING", [](const FakeWords&) { return FakeAnswer{">1\r\n$4\r\nnews\r\n+PONG\r\n"}; });
  const auto connection = open_to(server);
  ASSERT_TRUE(connection->send(request({"PING"}), Deadline::in(5s)).has_value());
  EXPECT_EQ(connection->receive(Deadline::in(5s))->text, "PONG");
}

TEST(Connection, KnowsWhenTheServerHasGone) {
  FakeServer server;
  const auto connection = open_to(server);
  EXPECT_FALSE(connection->is_closed());
  server.cut_all();
  const Deadline until = Deadline::in(10s);
  while (!connection->is_closed() && !until.is_over()) {
  }
  EXPECT_TRUE(connection->is_closed());
}

TEST(Connection, NonsenseIsAnError) {
  FakeServer server;
  server.on("PING", [](const FakeWords&) { return FakeAnswer{"HTTP/1.1 400 Bad\r\n"}; });
  const auto connection = open_to(server);
  ASSERT_TRUE(connection->send(request({"PING"}), Deadline::in(5s)).has_value());
  EXPECT_FALSE(connection->receive(Deadline::in(5s)).has_value());
}

}  // namespace
}  // namespace dray::detail
