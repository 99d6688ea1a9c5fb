// What handlers are given and may do: args of their own type, errors of their own, what comes next.
// tidy: allow test because it is the other half of worker_test.cc
#include "dray/worker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "sdk/cpp/deadline.h"
#include "sdk/cpp/fake_server.h"
#include "sdk/cpp/running_worker.h"

namespace dray {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;
using detail::fake_array;
using detail::fake_bulk;
using detail::fake_integer;
using detail::fake_map;
using detail::FakeAnswer;
using detail::FakeLease;
using detail::FakeServer;
using detail::FakeWords;
using detail::Flag;
using detail::quiet_options;
using detail::Running;

struct EmailArgs {
  std::string to;
};

}  // namespace

template <>
struct Codec<EmailArgs> {
  static std::string encode(const EmailArgs& args) { return "to=" + args.to; }
  static EmailArgs decode(std::string_view text) {
    if (!text.starts_with("to=")) throw std::runtime_error("no receiver");
    return {std::string(text.substr(3))};
  }
};

namespace {

TEST(Worker, HandlersTakeArgsOfTheirOwnType) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on<EmailArgs>(
      "send_email", [](Context&, const EmailArgs& args) { return EmailArgs{"re:" + args.to}; });
  server.offer({.id = "a", .token = "t", .args = "to=ann"});
  server.offer({.id = "b", .token = "u", .args = "{}"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  EXPECT_EQ(server.heard("JOB.ACK").front(),
            (FakeWords{"JOB.ACK", "a", "t", "RESULT", "to=re:ann"}));
  EXPECT_EQ(server.heard("JOB.FAIL").front(),
            (FakeWords{"JOB.FAIL", "b", "u", "dray::BadArgs",
                       "the args cannot be read: no receiver", "NORETRY"}));
}

TEST(Worker, StopTokenFiresWhenTheJobIsCancelled) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    Flag stopped;
    const std::stop_callback callback(context.stop_token(), [&] { stopped.set(); });
    EXPECT_TRUE(stopped.wait());
    EXPECT_EQ(context.cancel_reason(), CancelReason::kTimeout);
  });
  server.offer({.id = "a", .token = "t", .timeout_ms = 20});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
}

TEST(Worker, PermanentClassesAreNotRunAgain) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.permanent<std::logic_error>();
  running.worker.on("send_email", [](Context&) { throw std::invalid_argument("no such user"); });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  EXPECT_EQ(server.heard("JOB.FAIL").front(),
            (FakeWords{"JOB.FAIL", "a", "t", "std::invalid_argument", "no such user", "NORETRY"}));
}

TEST(Worker, EventsTellHowJobsGo) {
  FakeServer server;
  std::mutex mutex;
  std::vector<std::string> told;
  WorkerOptions options = quiet_options(1);
  options.on_event = [&](const WorkerEvent& event) {
    const std::lock_guard lock(mutex);
    told.push_back(event.job.id() + " " + std::string(event_name(event.kind)));
    if (event.failure != nullptr) told.back() += " " + event.failure->message;
  };
  Running running(server, options);
  running.worker.on("send_email", [](Context& context) {
    if (context.id() == "b") throw std::runtime_error("smtp is away");
    if (context.id() == "c") throw Snooze(1s);
  });
  for (const char* id : {"a", "b", "c"}) server.offer({.id = id, .token = id});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.RELEASE", 1));
  running.finish();
  EXPECT_EQ(told, (std::vector<std::string>{"a started", "a succeeded", "b started",
                                            "b failed smtp is away", "c started", "c released"}));
}

TEST(Worker, FinishCommitsTheAckWithWhatComesNext) {
  FakeServer server;
  server.on("EXEC", [](const FakeWords&) {
    return FakeAnswer{fake_array({"+OK\r\n", fake_bulk("0000000000002"), "+OK\r\n"})};
  });
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    Transaction next = context.client().transaction();
    next.push({.queue = "emails", .type = "archive"});
    next.set("last", context.id());
    EXPECT_EQ(context.finish(next, "sent").front().id, "0000000000002");
    return "dropped";
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("EXEC", 1));
  EXPECT_EQ(running.finish().succeeded, 1U);
  const auto heard = server.heard();
  const auto multi = std::ranges::find_if(heard, [](auto& words) { return words[0] == "MULTI"; });
  ASSERT_GE(heard.end() - multi, 5);
  EXPECT_EQ(multi[1], (FakeWords{"JOB.ACK", "a", "t", "RESULT", "sent"}));
  EXPECT_EQ(multi[2][0], "JOB.PUSH");
  EXPECT_EQ(multi[3], (FakeWords{"SET", "last", "a"}));
  EXPECT_EQ(server.heard("JOB.ACK").size(), 1U) << "what the handler returns is dropped";
}

TEST(Worker, WhatHandlersPushGoesThroughTheMiddlewareOfTheClient) {
  FakeServer server;
  Client client({.url = server.url()});
  client.use([](std::span<NewJob> jobs, const PushNext& next) {
    jobs.front().args = "stamped";
    return next(jobs);
  });
  Worker worker(client, quiet_options(1));
  worker.on("send_email", [&](Context& context) {
    context.client().push("emails", "archive", "plain");
    worker.stop();
  });
  server.offer({.id = "a", .token = "t"});
  EXPECT_EQ(worker.run().succeeded, 1U);
  EXPECT_EQ(server.heard("JOB.PUSH").front()[3], "stamped");
}

TEST(Worker, FinishOfALostLeaseChangesNothing) {
  FakeServer server;
  server.on("WORKER.BEAT", [](const FakeWords& words) {
    std::vector<std::string> lost;
    if (words[3] != "0") lost.push_back(fake_bulk(words[4]));
    return FakeAnswer{fake_map(
        {{"state", fake_bulk("run")}, {"cancel", fake_array({})}, {"lost", fake_array(lost)}})};
  });
  Running running(server, quiet_options(1));
  Flag refused;
  running.worker.on("send_email", [&](Context& context) {
    EXPECT_TRUE(context.wait(1h));
    Transaction next = context.client().transaction();
    next.push({.queue = "emails", .type = "archive"});
    try {
      context.finish(next);
    } catch (const RejectedError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kLeaseLost);
      refused.set();
    }
  });
  server.offer({.id = "a", .token = "t", .lease_ms = 30});
  running.start();
  ASSERT_TRUE(refused.wait());
  EXPECT_TRUE(server.heard("EXEC").empty());
  EXPECT_EQ(running.finish().lost, 1U);
}

TEST(Worker, FinishThatIsRefusedLeavesTheJobToItsHandler) {
  FakeServer server;
  server.on("EXEC",
            [](const FakeWords&) { return FakeAnswer{"-EXECABORT command 1: QUEUEFULL\r\n"}; });
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    Transaction next = context.client().transaction();
    next.push({.queue = "emails", .type = "archive"});
    context.finish(next);
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  EXPECT_EQ(server.heard("JOB.FAIL").front()[3], "dray::RejectedError");
  EXPECT_EQ(running.finish().failed, 1U);
}

}  // namespace
}  // namespace dray
