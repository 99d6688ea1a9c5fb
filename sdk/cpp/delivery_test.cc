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

}  // namespace
}  // namespace dray::detail
