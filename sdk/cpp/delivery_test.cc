#include "sdk/cpp/delivery.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sdk/cpp/fake_server.h"
#include "sdk/cpp/running_worker.h"

namespace dray::detail {
namespace {

// Collects what a worker tells its operator.
class Notices {
 public:
  WorkerOptions options() {
    WorkerOptions options = quiet_options(1);
    options.notice = [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    };
    return options;
  }
  size_t with(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST(Delivery, LogLinesGoInOrderBeforeTheEnd) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    context.log(LogLevel::kInfo, "connecting");
    context.log(LogLevel::kWarn, "slow");
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  EXPECT_EQ(server.heard("JOB.LOG"), (std::vector<FakeWords>{
                                         {"JOB.LOG", "a", "t", "info", "connecting"},
                                         {"JOB.LOG", "a", "t", "warn", "slow"},
                                     }));
}

TEST(Delivery, ServerWithoutALogIsToldOfOnceAndFailsNoJob) {
  FakeServer server;
  server.on("JOB.LOG",
            [](const FakeWords&) { return FakeAnswer{"-NOTYET JOB.LOG is not built yet\r\n"}; });
  Notices notices;
  Running running(server, notices.options());
  running.worker.on("send_email",
                    [](Context& context) { context.log(LogLevel::kError, context.id()); });
  for (const char* id : {"a", "b", "c"}) server.offer({.id = id, .token = id});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 3));
  EXPECT_EQ(running.finish().succeeded, 3U);
  EXPECT_EQ(notices.with("NOTYET"), 1U);
  EXPECT_EQ(server.heard("JOB.LOG").size(), 1U);
}

TEST(Delivery, LinesBeyondTheLimitAreDroppedAndTheJobSucceeds) {
  FakeServer server;
  Flag may_answer;
  // Nothing is delivered until all is written, so that everything has to wait.
  server.on("JOB.PROGRESS", [&](const FakeWords&) {
    EXPECT_TRUE(may_answer.wait());
    return FakeAnswer{fake_map({{"cancelled", fake_integer(0)}})};
  });
  Notices notices;
  Running running(server, notices.options());
  running.worker.on("send_email", [&](Context& context) {
    context.progress(1);
    EXPECT_TRUE(server.wait_heard("JOB.PROGRESS", 1));
    for (size_t i = 0; i < kLogLinesMax + 50; ++i) context.log(LogLevel::kDebug, "line");
    may_answer.set();
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  EXPECT_EQ(running.finish().succeeded, 1U);
  EXPECT_EQ(server.heard("JOB.LOG").size(), kLogLinesMax);
  EXPECT_EQ(notices.with("more are dropped"), 1U);
}

TEST(Delivery, LineOfALeaseThatIsOverIsNobodysBusiness) {
  FakeServer server;
  server.on("JOB.LOG", [](const FakeWords&) { return FakeAnswer{"-LEASELOST x\r\n"}; });
  Notices notices;
  Running running(server, notices.options());
  running.worker.on("send_email", [](Context& context) { context.log(LogLevel::kInfo, "x"); });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  EXPECT_EQ(running.finish().succeeded, 1U) << "the ack alone says how the run ended";
  EXPECT_EQ(notices.with("refused"), 0U);
}

TEST(Delivery, ResultThatNoServerReadsFailsItsJobAndHoldsNobodyUp) {
  FakeServer server;
  Running running(server, quiet_options(2));
  running.worker.on("large", [&](Context&) {
    EXPECT_TRUE(server.wait_heard("JOB.ACK", 1));
    return std::string(size_t{17} << 20, 'x');
  });
  running.worker.on("small", [](Context&) { return std::string("y"); });
  server.offer({.id = "a", .token = "t", .type = "large"});
  server.offer({.id = "b", .token = "u", .type = "small"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  const FakeWords fail = server.heard("JOB.FAIL").front();
  EXPECT_EQ(fail[1], "a");
  EXPECT_EQ(fail[3], "ResultRefused");
  EXPECT_EQ(fail.back(), "NORETRY");
  EXPECT_EQ(server.heard("JOB.ACK"),
            (std::vector<FakeWords>{{"JOB.ACK", "b", "u", "RESULT", "y"}}));
}

TEST(Delivery, TextsThatNoServerReadsAreCut) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    const std::string text(size_t{17} << 20, 'x');
    context.log(LogLevel::kInfo, text);
    throw JobError(Failure{.error_class = text, .message = text, .trace = text});
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  const std::string most(size_t{1} << 20, 'x');
  EXPECT_EQ(server.heard("JOB.LOG").front().back(), most);
  EXPECT_EQ(server.heard("JOB.FAIL").front(),
            (FakeWords{"JOB.FAIL", "a", "t", most, most, "TRACE", most}));
}

TEST(Delivery, TimesBeyondTheirRangeAreBroughtIntoIt) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    if (context.id() == "c") throw Snooze(std::chrono::milliseconds::max());
    const auto longest = std::chrono::milliseconds::max();
    throw RetryLater(context.id() == "a" ? std::chrono::milliseconds(-5) : longest, "later");
  });
  for (const char* id : {"a", "b", "c"}) server.offer({.id = id, .token = id});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 2));
  EXPECT_EQ(server.heard("JOB.FAIL")[0].back(), "0");
  EXPECT_EQ(server.heard("JOB.FAIL")[1].back(), "315576000000");
  ASSERT_TRUE(server.wait_heard("JOB.RELEASE", 1));
  EXPECT_EQ(server.heard("JOB.RELEASE").front().back(), "315576000000");
}

TEST(Delivery, EndThatTheServerRefusesIsTakenForAFailureOnce) {
  FakeServer server;
  server.on("JOB.ACK", [](const FakeWords&) { return FakeAnswer{"-BADREQ field=RESULT no\r\n"}; });
  Notices notices;
  Running running(server, notices.options());
  running.worker.on("send_email", [](Context&) {});
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  EXPECT_EQ(server.heard("JOB.FAIL").front(),
            (FakeWords{"JOB.FAIL", "a", "t", "AnswerRefused",
                       "the server refused how the run ended: field=RESULT no"}));
  EXPECT_EQ(running.finish().failed, 1U);
  EXPECT_EQ(notices.with("how job a ended is refused"), 1U);
}

TEST(Delivery, EndThatTheServerRefusesTwiceIsLeftToTheLease) {
  FakeServer server;
  for (const char* command : {"JOB.ACK", "JOB.FAIL"}) {
    server.on(command, [](const FakeWords&) { return FakeAnswer{"-NOPERM no\r\n"}; });
  }
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context&) {});
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  EXPECT_EQ(running.finish().lost, 1U);
  EXPECT_EQ(server.heard("JOB.FAIL").size(), 1U);
}

TEST(Delivery, TimeLimitsAreKeptWhileTheServerIsAway) {
  FakeServer server;
  Running running(server, quiet_options(2));
  Flag is_away;
  Flag stopped;
  running.worker.on("quick", [&](Context&) {
    server.set_reachable(false);
    is_away.set();
  });
  running.worker.on("slow", [&](Context& context) {
    const std::stop_callback callback(context.stop_token(), [&] { stopped.set(); });
    EXPECT_TRUE(is_away.wait());
    EXPECT_TRUE(stopped.wait());
  });
  server.offer({.id = "a", .token = "t", .type = "slow", .timeout_ms = 300});
  server.offer({.id = "b", .token = "u", .type = "quick"});
  running.start();
  EXPECT_TRUE(stopped.wait());
  server.set_reachable(true);
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  EXPECT_EQ(server.heard("JOB.FAIL").front()[3], "Timeout");
}

}  // namespace
}  // namespace dray::detail
