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

TEST(Worker, RunsAJobAndAcksItWithItsResult) {
  FakeServer server;
  Running running(server, quiet_options());
  running.worker.on("send_email", [](Context& context) {
    EXPECT_EQ(context.id(), "a");
    EXPECT_EQ(context.args(), "{\"to\":1}");
    EXPECT_EQ(context.attempt(), 2);
    EXPECT_EQ(context.fence(), 2);
    EXPECT_EQ(context.meta().front().first, "trace");
    EXPECT_EQ(context.saved_progress(), "40");
    return std::string("sent");
  });
  server.offer({.id = "a", .token = "t", .args = "{\"to\":1}", .attempt = 2, .progress = "40"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  EXPECT_EQ(server.heard("JOB.ACK").front(), (FakeWords{"JOB.ACK", "a", "t", "RESULT", "sent"}));
  EXPECT_EQ(running.finish().succeeded, 1U);
}

TEST(Worker, FetchSaysTypesAndQueues) {
  FakeServer server;
  WorkerOptions options = quiet_options();
  options.queues = {{"urgent", 3}, {"emails", 1}};
  Running running(server, options);
  running.worker.on("b", [](Context&) {});
  running.worker.on("a", [](Context&) {});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FETCH", 1));
  EXPECT_EQ(server.heard("JOB.FETCH").front(),
            (FakeWords{"JOB.FETCH", "w1", "COUNT", "1", "BLOCK", "5000", "TYPES", "2", "a", "b",
                       "WEIGHTS", "2", "3", "1", "QUEUES", "2", "urgent", "emails"}));
}

TEST(Worker, ThrowingHandlersFailTheirJobs) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    if (context.id() == "a") throw std::runtime_error("smtp is away");
    if (context.id() == "b") throw PermanentError("no such user");
    if (context.id() == "c") throw RetryLater(7s, "slow down");
    if (context.id() == "d") throw Snooze(8s);
    throw 42;
  });
  for (const char* id : {"a", "b", "c", "d", "e"}) server.offer({.id = id, .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 4));
  const auto fails = server.heard("JOB.FAIL");
  EXPECT_EQ(fails[0], (FakeWords{"JOB.FAIL", "a", "t", "std::runtime_error", "smtp is away"}));
  EXPECT_EQ(fails[1],
            (FakeWords{"JOB.FAIL", "b", "t", "dray::PermanentError", "no such user", "NORETRY"}));
  EXPECT_EQ(fails[2],
            (FakeWords{"JOB.FAIL", "c", "t", "dray::RetryLater", "slow down", "RETRYIN", "7000"}));
  EXPECT_EQ(fails[3][3], "unknown");
  EXPECT_EQ(server.heard("JOB.RELEASE").front(),
            (FakeWords{"JOB.RELEASE", "d", "t", "DELAY", "8000"}));
  const WorkerReport report = running.finish();
  EXPECT_EQ(report.failed, 4U);
  EXPECT_EQ(report.released, 1U);
}

TEST(Worker, FetchesNoMoreThanItHasThreadsFor) {
  FakeServer server;
  Flag go;
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  Running running(server, quiet_options(3));
  running.worker.on("send_email", [&](Context&) {
    const int running_now = ++now;
    int seen = most;
    while (seen < running_now && !most.compare_exchange_weak(seen, running_now)) {
    }
    EXPECT_TRUE(go.wait());
    --now;
  });
  for (int i = 0; i < 12; ++i)
    server.offer({.id = "j" + std::to_string(i), .token = "t" + std::to_string(i)});
  running.start();
  const auto until = detail::Deadline::in(10s);
  while (most < 3 && !until.is_over()) std::this_thread::yield();
  EXPECT_TRUE(server.heard("JOB.ACK").empty());
  go.set();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 12));
  EXPECT_EQ(most, 3);
  for (const FakeWords& fetch : server.heard("JOB.FETCH")) {
    EXPECT_LE(std::stoi(fetch[3]), 3);
  }
}

TEST(Worker, SaysWhatItHolds) {
  FakeServer server;
  Flag go;
  Running running(server, quiet_options(3));
  running.worker.on("send_email", [&](Context&) { EXPECT_TRUE(go.wait()); });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FETCH", 2));
  const FakeWords second = server.heard("JOB.FETCH")[1];
  EXPECT_EQ(FakeWords(second.begin() + 2, second.begin() + 8),
            (FakeWords{"COUNT", "2", "BLOCK", "1000", "HOLDING", "1"}));
  go.set();
}

TEST(Worker, JobThatMayDieByItsNextCrashHasNoCompany) {
  FakeServer server;
  server.on("JOB.GET", [](const FakeWords&) {
    return FakeAnswer{fake_map({{"id", fake_bulk("a")},
                                {"state", fake_bulk("running")},
                                {"crashes", fake_integer(2)},
                                {"max_crashes", fake_integer(3)},
                                {"suspect", fake_integer(1)}})};
  });
  Flag go;
  Running running(server, quiet_options(3));
  running.worker.on("send_email", [&](Context& context) {
    if (context.id() != "a") return;
    EXPECT_TRUE(go.wait());
  });
  server.offer({.id = "a", .token = "t"});
  server.offer({.id = "b", .token = "u"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.GET", 1));
  EXPECT_EQ(server.heard("JOB.FETCH").size(), 1U);
  go.set();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 2));
  const auto heard = server.heard();
  const auto first_ack = std::ranges::find_if(heard, [](auto& w) { return w[0] == "JOB.ACK"; });
  const auto second_fetch =
      std::find_if(std::ranges::find_if(heard, [](auto& w) { return w[0] == "JOB.GET"; }),
                   heard.end(), [](auto& w) { return w[0] == "JOB.FETCH"; });
  EXPECT_LT(first_ack, second_fetch) << "fetched beside a job that may die";
}

TEST(Worker, BeatsNameTheLeasesWhileAHandlerHangs) {
  FakeServer server;
  Flag go;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [&](Context&) { EXPECT_TRUE(go.wait()); });
  server.offer({.id = "a", .token = "t", .lease_ms = 30});
  running.start();
  ASSERT_TRUE(server.wait_heard("WORKER.BEAT", 3));
  EXPECT_EQ(server.heard("WORKER.BEAT").front(),
            (FakeWords{"WORKER.BEAT", "w1", "LEASES", "1", "a", "t"}));
  go.set();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
}

TEST(Worker, BeatsGoOnOverANewConnection) {
  FakeServer server;
  Flag go;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [&](Context&) { EXPECT_TRUE(go.wait()); });
  server.offer({.id = "a", .token = "t", .lease_ms = 30});
  running.start();
  ASSERT_TRUE(server.wait_heard("WORKER.BEAT", 1));
  server.cut_all();
  const size_t before = server.heard("WORKER.BEAT").size();
  ASSERT_TRUE(server.wait_heard("WORKER.BEAT", before + 2));
  go.set();
}

TEST(Worker, CancelReachesTheHandlerAndTheLeaseIsEnded) {
  FakeServer server;
  server.on("WORKER.BEAT", [](const FakeWords& words) {
    std::vector<std::string> cancel;
    if (words[3] != "0") cancel.push_back(fake_bulk(words[4]));
    return FakeAnswer{fake_map(
        {{"state", fake_bulk("run")}, {"cancel", fake_array(cancel)}, {"lost", fake_array({})}})};
  });
  server.on("JOB.ACK",
            [](const FakeWords&) { return FakeAnswer{"-CANCELLED job a was cancelled\r\n"}; });
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [&](Context& context) {
    EXPECT_TRUE(context.wait(1h));
    EXPECT_EQ(context.cancel_reason(), CancelReason::kRequested);
  });
  server.offer({.id = "a", .token = "t", .lease_ms = 30});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  const WorkerReport report = running.finish();
  EXPECT_EQ(report.succeeded, 0U);
  EXPECT_EQ(report.lost, 1U);
}

TEST(Worker, LostLeaseIsToldAndItsResultDropped) {
  FakeServer server;
  server.on("WORKER.BEAT", [](const FakeWords& words) {
    std::vector<std::string> lost;
    if (words[3] != "0") lost.push_back(fake_bulk(words[4]));
    return FakeAnswer{fake_map(
        {{"state", fake_bulk("run")}, {"cancel", fake_array({})}, {"lost", fake_array(lost)}})};
  });
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [&](Context& context) {
    if (context.id() != "a") return;
    EXPECT_TRUE(context.wait(1h));
    EXPECT_EQ(context.cancel_reason(), CancelReason::kLost);
  });
  server.offer({.id = "a", .token = "t", .lease_ms = 30});
  running.start();
  server.offer({.id = "b", .token = "u"});
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  EXPECT_EQ(server.heard("JOB.ACK").front()[1], "b");
  EXPECT_EQ(running.finish().lost, 1U);
}

TEST(Worker, AckWhoseAnswerGotLostIsSentAgain) {
  FakeServer server;
  std::atomic<int> lost{2};
  server.on("JOB.ACK", [&](const FakeWords&) {
    return lost-- > 0 ? FakeAnswer{"", true} : FakeAnswer{"+OK\r\n"};
  });
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context&) {});
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 3));
  const WorkerReport report = running.finish();
  EXPECT_EQ(report.succeeded, 1U);
  EXPECT_EQ(server.heard("JOB.ACK").size(), 3U);
}

TEST(Worker, GoneIsNotOurs) {
  FakeServer server;
  server.on("JOB.ACK", [](const FakeWords&) { return FakeAnswer{"-GONE job a\r\n"}; });
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context&) {});
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  EXPECT_EQ(running.finish().lost, 1U);
  EXPECT_EQ(server.heard("JOB.ACK").size(), 1U);
}

TEST(Worker, ResultThatIsTooBigFailsForGood) {
  FakeServer server;
  server.on("JOB.ACK", [](const FakeWords&) { return FakeAnswer{"-TOOBIG limit=1 got=2\r\n"}; });
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context&) { return std::string("xx"); });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  const FakeWords fail = server.heard("JOB.FAIL").front();
  EXPECT_EQ(fail[3], "ResultRefused");
  EXPECT_EQ(fail.back(), "NORETRY");
}

TEST(Worker, ProgressIsSentBeforeTheEnd) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    context.progress(10);
    context.progress(100);
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  const auto reports = server.heard("JOB.PROGRESS");
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports.back(), (FakeWords{"JOB.PROGRESS", "a", "t", "100"}));
}

TEST(Worker, TimeLimitFailsTheRunAndDropsWhatItReturns) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context& context) {
    EXPECT_FALSE(context.soft_timed_out() && context.time_left() > 40ms);
    EXPECT_TRUE(context.wait(1h));
    EXPECT_TRUE(context.soft_timed_out());
    EXPECT_EQ(context.cancel_reason(), CancelReason::kTimeout);
    return std::string("too late");
  });
  server.offer({.id = "a", .token = "t", .timeout_ms = 40, .soft_timeout_ms = 5});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  EXPECT_EQ(server.heard("JOB.FAIL").front()[3], "Timeout");
  EXPECT_EQ(running.finish().failed, 1U);
  EXPECT_TRUE(server.heard("JOB.ACK").empty());
}

TEST(Worker, HandlerThatEndsInTimeAfterItsLimitIsNotRunBesideItself) {
  FakeServer server;
  WorkerOptions options = quiet_options(1);
  options.cancel_grace = 1h;
  Running running(server, options);
  running.worker.on("send_email", [&](Context& context) {
    EXPECT_TRUE(context.wait(1h));
    Flag told;
    const std::stop_callback callback(context.stop_token(), [&] { told.set(); });
    EXPECT_TRUE(told.wait());
    EXPECT_TRUE(server.wait_heard("WORKER.BEAT", 2)) << "it is held meanwhile";
    EXPECT_TRUE(server.heard("JOB.FAIL").empty());
  });
  server.offer({.id = "a", .token = "t", .lease_ms = 300, .timeout_ms = 20});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FAIL", 1));
  EXPECT_EQ(server.heard("JOB.FAIL").front()[3], "Timeout");
}

TEST(Worker, HandlerThatNeverEndsIsFailedAfterItsLimitAndTheGrace) {
  FakeServer server;
  WorkerOptions options = quiet_options(1);
  options.cancel_grace = 30ms;
  Flag failed;
  Running running(server, options);
  running.worker.on("send_email", [&](Context&) { EXPECT_TRUE(failed.wait()); });
  server.offer({.id = "a", .token = "t", .timeout_ms = 20});
  running.start();
  EXPECT_TRUE(server.wait_heard("JOB.FAIL", 1));
  failed.set();
}

TEST(Worker, StopTakesTheAnswerOfWhoEndsWhenTold) {
  FakeServer server;
  WorkerOptions options = quiet_options(1);
  options.grace = 1ms;
  options.cancel_grace = 1h;
  Flag started;
  Running running(server, options);
  running.worker.on("send_email", [&](Context& context) {
    started.set();
    EXPECT_TRUE(context.wait(1h));
    EXPECT_EQ(context.cancel_reason(), CancelReason::kStopping);
    return std::string("done all the same");
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(started.wait());
  const WorkerReport report = running.finish();
  EXPECT_EQ(report.succeeded, 1U);
  EXPECT_EQ(report.released, 0U);
  EXPECT_EQ(server.heard("JOB.ACK").front().back(), "done all the same");
}

TEST(Worker, StopGivesBackWhatGivesUpWhenTold) {
  FakeServer server;
  WorkerOptions options = quiet_options(1);
  options.grace = 1ms;
  options.cancel_grace = 1h;
  Flag started;
  Running running(server, options);
  running.worker.on("send_email", [&](Context& context) {
    started.set();
    EXPECT_TRUE(context.wait(1h));
    throw std::runtime_error("interrupted");
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(started.wait());
  EXPECT_EQ(running.finish().released, 1U);
  EXPECT_EQ(server.heard("JOB.RELEASE").front(), (FakeWords{"JOB.RELEASE", "a", "t"}));
  EXPECT_TRUE(server.heard("JOB.FAIL").empty());
}

TEST(Worker, StopWaitsForHandlers) {
  FakeServer server;
  Flag started;
  Flag go;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [&](Context&) {
    started.set();
    EXPECT_TRUE(go.wait());
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(started.wait());
  running.worker.stop();
  go.set();
  const WorkerReport report = running.finish();
  EXPECT_EQ(report.succeeded, 1U);
  EXPECT_EQ(report.unfinished, 0U);
  EXPECT_TRUE(server.heard("WORKER.BYE").empty());
}

TEST(Worker, StopGivesBackWhatIsUnfinishedAfterTheGrace) {
  FakeServer server;
  WorkerOptions options = quiet_options(1);
  options.grace = 1ms;
  Flag started;
  Running running(server, options);
  running.worker.on("send_email", [&](Context& context) {
    started.set();
    EXPECT_TRUE(context.wait(1h));
    EXPECT_EQ(context.cancel_reason(), CancelReason::kStopping);
  });
  server.offer({.id = "a", .token = "t"});
  running.start();
  ASSERT_TRUE(started.wait());
  const WorkerReport report = running.finish();
  EXPECT_EQ(report.released, 1U);
  EXPECT_EQ(server.heard("WORKER.BYE").front(),
            (FakeWords{"WORKER.BYE", "w1", "LEASES", "1", "a", "t"}));
  EXPECT_TRUE(server.heard("JOB.ACK").empty());
}

TEST(Worker, LeaseThatComesWhileStoppingIsGivenBackUnstarted) {
  FakeServer server;
  Flag fetching;
  std::atomic<bool> stopped{false};
  Running running(server, quiet_options(1));
  server.on("JOB.FETCH", [&](const FakeWords&) {
    fetching.set();
    while (!stopped) std::this_thread::yield();
    return FakeAnswer{fake_array({fake_map(
        {{"id", fake_bulk("a")}, {"token", fake_bulk("t")}, {"type", fake_bulk("send_email")}})})};
  });
  running.worker.on("send_email", [](Context&) { ADD_FAILURE() << "started after the stop"; });
  running.start();
  ASSERT_TRUE(fetching.wait());
  running.worker.stop();
  stopped = true;
  EXPECT_EQ(running.finish().released, 1U);
  EXPECT_EQ(server.heard("WORKER.BYE").front(),
            (FakeWords{"WORKER.BYE", "w1", "LEASES", "1", "a", "t"}));
}

TEST(Worker, GoesOnWhenTheServerComesBack) {
  FakeServer server;
  Running running(server, quiet_options(1));
  running.worker.on("send_email", [](Context&) {});
  running.start();
  ASSERT_TRUE(server.wait_heard("JOB.FETCH", 1));
  server.set_reachable(false);
  server.offer({.id = "a", .token = "t"});
  server.set_reachable(true);
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
}

TEST(Worker, ServerCanAskForQuietAndForTheEnd) {
  FakeServer server;
  std::atomic<const char*> wish{"quiet"};
  server.on("WORKER.BEAT", [&](const FakeWords&) {
    return FakeAnswer{fake_map(
        {{"state", fake_bulk(wish.load())}, {"cancel", fake_array({})}, {"lost", fake_array({})}})};
  });
  Flag go;
  Running running(server, quiet_options(2));
  running.worker.on("send_email", [&](Context& context) {
    if (context.id() != "a") return;
    EXPECT_TRUE(go.wait());
  });
  server.offer({.id = "a", .token = "t", .lease_ms = 30});
  running.start();
  ASSERT_TRUE(server.wait_heard("WORKER.BEAT", 2));
  wish = "stop";
  go.set();
  ASSERT_TRUE(server.wait_heard("JOB.ACK", 1));
  // Without the wish to stop this would hang: nobody calls stop() before the thread has ended.
  EXPECT_EQ(running.finish().succeeded, 1U);
}

TEST(Worker, HopelessAnswerEndsRun) {
  FakeServer server;
  server.on("JOB.FETCH", [](const FakeWords&) { return FakeAnswer{"-NOPERM need=fetch\r\n"}; });
  Worker worker(ClientOptions{.url = server.url()}, quiet_options());
  worker.on("send_email", [](Context&) {});
  try {
    worker.run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNoPerm);
  }
}

TEST(Worker, SetupsThatCannotWorkAreRefused) {
  FakeServer server;
  const ClientOptions client{.url = server.url()};
  Worker none(client, quiet_options());
  EXPECT_THROW(none.run(), Error);
  Worker twice(client, quiet_options());
  const auto handler = [](Context&) {};
  twice.on("a", handler);
  EXPECT_THROW(twice.on("a", handler), Error);
  WorkerOptions mixed = quiet_options();
  mixed.queues = {{"a", 1}, {"b", 0}};
  Worker weights(client, mixed);
  weights.on("a", handler);
  EXPECT_THROW(weights.run(), Error);
}

TEST(Worker, SignalStopsItGracefully) {
  FakeServer server;
  Worker worker(ClientOptions{.url = server.url()}, quiet_options(1));
  worker.stop_on_signals({SIGUSR1});
  worker.on("send_email", [](Context&) { kill(getpid(), SIGUSR1); });
  server.offer({.id = "a", .token = "t"});
  EXPECT_EQ(worker.run().succeeded, 1U);
}

// Where nothing can be written to.
class NoStderr {
 public:
  NoStderr() : before_(dup(STDERR_FILENO)) {
    const int full = open("/dev/full", O_WRONLY);
    dup2(full, STDERR_FILENO);
    close(full);
  }
  ~NoStderr() {
    dup2(before_, STDERR_FILENO);
    close(before_);
  }
  NoStderr(const NoStderr&) = delete;
  NoStderr& operator=(const NoStderr&) = delete;

 private:
  int before_;
};

TEST(Worker, StderrThatTakesNothingDoesNotEndTheProgram) {
  FakeServer server;
  WorkerOptions options = quiet_options();
  options.notice = {};
  Running running(server, options);
  running.worker.on("send_email", [](Context&) {});
  server.offer({.id = "a", .token = "t", .type = "stranger"});
  const NoStderr no_stderr;
  running.start();
  // The notice comes before.
  EXPECT_TRUE(server.wait_heard("JOB.RELEASE", 1));
}

TEST(Worker, SecondSignalDoesNotWaitForHandlers) {
  // What the signal is to be again when the worker has ended, while the test may still send it.
  signal(SIGUSR1, SIG_IGN);
  FakeServer server;
  WorkerOptions options = quiet_options(1);
  options.grace = 1h;
  Worker worker(ClientOptions{.url = server.url()}, options);
  worker.stop_on_signals({SIGUSR1});
  Flag started;
  worker.on("send_email", [&](Context& context) {
    started.set();
    EXPECT_TRUE(context.wait(1h));
  });
  server.offer({.id = "a", .token = "t"});
  // Not before the handler runs: a fetch that is stopped before its answer brings no lease, and
  // then nothing is given back. A signal that is pending is one signal, so the second may have to
  // be sent again.
  std::thread insists([&] {
    ASSERT_TRUE(started.wait());
    const auto until = detail::Deadline::in(10s);
    while (server.heard("WORKER.BYE").empty() && !until.is_over()) kill(getpid(), SIGUSR1);
  });
  EXPECT_EQ(worker.run().released, 1U);
  insists.join();
}

}  // namespace
}  // namespace dray
