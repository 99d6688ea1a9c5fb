#include "sdk/cpp/client_core.h"

#include <gtest/gtest.h>

#include "sdk/cpp/fake_server.h"

namespace dray::detail {
namespace {

std::string args_heard(const FakeServer& server) {
  return server.heard("JOB.PUSH").back()[3];
}

TEST(ClientCore, MiddlewareStandsAroundPushesInItsOrder) {
  FakeServer server;
  Client client({.url = server.url()});
  std::string trail;
  for (const char* name : {"1", "2"}) {
    client.use([&trail, name](std::span<NewJob> jobs, const PushNext& next) {
      trail += name;
      jobs.front().args += name;
      auto pushed = next(jobs);
      trail += name;
      return pushed;
    });
  }
  const NewJob job{.queue = "q", .type = "t", .args = "a"};
  EXPECT_EQ(client.push(job).id, "0000000000001");
  EXPECT_EQ(trail, "1221");
  EXPECT_EQ(args_heard(server), "a12");
  EXPECT_EQ(job.args, "a") << "the caller's own job was changed";
}

TEST(ClientCore, MiddlewareCanAnswerInsteadOfTheServer) {
  FakeServer server;
  Client client({.url = server.url()});
  client.use([](std::span<NewJob> jobs, const PushNext&) {
    return std::vector<Pushed>(jobs.size(), Pushed{.id = "x", .created = false});
  });
  EXPECT_EQ(client.push("q", "t", "").id, "x");
  EXPECT_TRUE(server.heard("JOB.PUSH").empty());
}

TEST(ClientCore, MiddlewareThatThrowsStopsThePush) {
  FakeServer server;
  Client client({.url = server.url()});
  client.use([](std::span<NewJob>, const PushNext&) -> std::vector<Pushed> {
    throw std::runtime_error("not today");
  });
  EXPECT_THROW(client.push("q", "t", ""), std::runtime_error);
  EXPECT_TRUE(server.heard("JOB.PUSH").empty());
}

TEST(ClientCore, MiddlewareThatAnswersTooFewIsAnError) {
  FakeServer server;
  Client client({.url = server.url()});
  client.use([](std::span<NewJob>, const PushNext&) { return std::vector<Pushed>{}; });
  EXPECT_THROW(client.push("q", "t", ""), UnknownError);
}

}  // namespace
}  // namespace dray::detail
