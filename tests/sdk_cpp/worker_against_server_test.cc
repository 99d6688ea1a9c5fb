// The worker against the real server: what handlers throw, kills, cuts, crashes, and the stop.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "base/random.h"
#include "dray/worker.h"
#include "tests/sdk_cpp/cutting_proxy.h"
#include "tests/sdk_cpp/server_process.h"

namespace sdk_test {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

dray::WorkerOptions options_for(int concurrency) {
  dray::WorkerOptions options;
  options.queues = {{"work"}};
  options.concurrency = concurrency;
  options.grace = 20s;
  options.notice = [](std::string_view) {};
  return options;
}

// A worker that runs on a thread of its own, and is stopped at the end. What its handlers use has
// to be declared before it.
class Running {
 public:
  Running(const std::string& url, const dray::WorkerOptions& options)
      : worker(dray::ClientOptions{.url = url}, options) {}
  ~Running() {
    if (thread_.joinable()) stop();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void start() {
    thread_ = std::thread([this] { report_ = worker.run(); });
  }
  dray::WorkerReport stop() {
    worker.stop();
    thread_.join();
    return report_;
  }

  dray::Worker worker;

 private:
  std::thread thread_;
  dray::WorkerReport report_;
};

// Lets handlers wait until a test says go.
class Gate {
 public:
  void open() { promise_.set_value(); }
  void wait() const { future_.wait_for(20s); }
  bool is_open() const { return future_.wait_for(0s) == std::future_status::ready; }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

std::vector<std::string> push_jobs(dray::Client& client, int count,
                                   const dray::PushOptions& options = {}) {
  std::vector<dray::NewJob> jobs;
  for (int i = 0; i < count; ++i) {
    jobs.push_back({.queue = "work", .type = "t", .args = std::to_string(i), .options = options});
  }
  std::vector<std::string> ids;
  for (const dray::Pushed& pushed : client.push_many(jobs)) ids.push_back(pushed.id);
  return ids;
}

dray::PushOptions quick() {
  dray::PushOptions options;
  options.backoff = "fixed:10~0";
  return options;
}

TEST(WorkerAgainstServer, HandlersDecideHowJobsEnd) {
  const Server server;
  dray::Client client({.url = server.url()});
  Running running(server.url(), options_for(2));
  running.worker.on("flaky", [](dray::Context& context) {
    if (context.attempt() < 3) throw std::runtime_error("away");
    return "attempt " + std::to_string(context.attempt());
  });
  running.worker.on("bad", [](dray::Context&) { throw dray::PermanentError("no such user"); });
  running.worker.on("later", [](dray::Context& context) {
    if (context.fence() == 1) throw dray::Snooze(5ms);
    if (context.attempt() == 1) throw dray::RetryLater(5ms, "once more");
  });
  running.start();
  const auto flaky = client.push("work", "flaky", "", quick()).id;
  const auto bad = client.push("work", "bad", "", quick()).id;
  const auto later = client.push("work", "later", "", quick()).id;
  const dray::JobRecord done = client.wait(flaky, 20s);
  EXPECT_EQ(done.state, "succeeded");
  EXPECT_EQ(done.result, "attempt 3");
  ASSERT_EQ(done.history.size(), 3U);
  EXPECT_EQ(done.history[0].error_class, "std::runtime_error");
  EXPECT_EQ(done.history[0].message, "away");
  const dray::JobRecord dead = client.wait(bad, 20s);
  EXPECT_EQ(dead.state, "dead");
  EXPECT_EQ(dead.attempt, 1);
  EXPECT_EQ(dead.history.back().error_class, "dray::PermanentError");
  const dray::JobRecord snoozed = client.wait(later, 20s);
  EXPECT_EQ(snoozed.state, "succeeded");
  EXPECT_EQ(snoozed.attempt, 2) << "a snooze costs no attempt";
  EXPECT_EQ(snoozed.fence, 3);
}

TEST(WorkerAgainstServer, ProgressIsThereForTheNextRun) {
  const Server server;
  dray::Client client({.url = server.url()});
  Running running(server.url(), options_for(1));
  running.worker.on("t", [](dray::Context& context) -> std::string {
    if (context.attempt() > 1) return "from " + context.saved_progress().value_or("nothing");
    context.progress("chunk 7");
    throw std::runtime_error("power cut");
  });
  running.start();
  EXPECT_EQ(client.wait(push_jobs(client, 1, quick()).front(), 20s).result, "from chunk 7");
}

TEST(WorkerAgainstServer, CancelReachesARunningHandler) {
  const Server server;
  dray::Client client({.url = server.url()});
  Gate started;
  Running running(server.url(), options_for(1));
  running.worker.on("t", [&](dray::Context& context) {
    started.open();
    EXPECT_TRUE(context.wait(20s));
    EXPECT_EQ(context.cancel_reason(), dray::CancelReason::kRequested);
  });
  running.start();
  dray::PushOptions options;
  options.lease = 300ms;
  const std::string id = push_jobs(client, 1, options).front();
  started.wait();
  client.cancel(id);
  EXPECT_EQ(client.wait(id, 20s).state, "cancelled");
}

TEST(WorkerAgainstServer, LeaseOutlivesALongHandler) {
  const Server server;
  dray::Client client({.url = server.url()});
  Running running(server.url(), options_for(2));
  running.worker.on("t", [](dray::Context& context) { EXPECT_FALSE(context.wait(900ms)); });
  running.start();
  dray::PushOptions options;
  options.lease = 200ms;
  for (const dray::JobRecord& job : client.wait(push_jobs(client, 2, options), 20s)) {
    EXPECT_EQ(job.state, "succeeded");
    EXPECT_EQ(job.crashes, 0);
    EXPECT_EQ(job.attempt, 1);
  }
}

TEST(WorkerAgainstServer, TimeLimitEndsTheRunAndTheJobRunsAgain) {
  const Server server;
  dray::Client client({.url = server.url()});
  Running running(server.url(), options_for(1));
  running.worker.on("t", [](dray::Context& context) {
    if (context.attempt() > 1) return;
    EXPECT_TRUE(context.wait(20s));
  });
  running.start();
  dray::PushOptions options = quick();
  options.timeout = 50ms;
  const dray::JobRecord job = client.wait(push_jobs(client, 1, options).front(), 20s);
  EXPECT_EQ(job.state, "succeeded");
  ASSERT_EQ(job.history.size(), 2U);
  EXPECT_EQ(job.history[0].error_class, "Timeout");
  EXPECT_EQ(job.crashes, 0);
}

TEST(WorkerAgainstServer, ConnectionsThatAreCutLoseNoJobAndNoAnswer) {
  const Server server;
  base::SeededRandom random(11);
  std::mutex mutex;
  CuttingProxy proxy(server.port(), [&](Direction, std::string_view bytes) {
    const std::lock_guard lock(mutex);
    return random.below(25) == 0 ? random.below(bytes.size() + 1) : CuttingProxy::kPass;
  });
  dray::Client client({.url = server.url()});
  Running running(proxy.url(), options_for(4));
  running.worker.on("t", [](dray::Context& context) { return context.args(); });
  running.start();
  dray::PushOptions options = quick();
  // A fetch whose answer got lost costs its jobs an attempt, and time until the lease is over.
  options.lease = 400ms;
  options.attempts = 20;
  options.crashes = 20;
  const auto ids = push_jobs(client, 150, options);
  int i = 0;
  for (const dray::JobRecord& job : client.wait(ids, 60s)) {
    EXPECT_EQ(job.state, "succeeded") << job.id;
    EXPECT_EQ(job.result, std::to_string(i++));
  }
  EXPECT_GE(proxy.cuts(), 5U) << "nothing was tested";
}

// A lease whose grant was on disk, but whose answer died with the server, reached no handler: it
// runs out, and its job comes back. Those that reached one stay valid over the restart.
TEST(WorkerAgainstServer, KillsOfTheServerLoseNoJobAndRunNoneTwice) {
  constexpr int kJobs = 300;
  constexpr int kThreads = 4;
  Server server;
  dray::Client client({.url = server.url()});
  std::mutex mutex;
  std::multiset<std::string> runs;
  Running running(server.url(), options_for(kThreads));
  const auto run_count = [&] {
    const std::lock_guard lock(mutex);
    return runs.size();
  };
  running.worker.on("t", [&](dray::Context& context) {
    {
      const std::lock_guard lock(mutex);
      runs.insert(context.args());
    }
    context.wait(5ms);
    return context.args();
  });
  running.start();
  dray::PushOptions options;
  options.lease = 3s;
  const auto ids = push_jobs(client, kJobs, options);
  const std::vector<size_t> kills_at = {40, 130, 220};
  for (const size_t at : kills_at) {
    ASSERT_TRUE(eventually([&] { return run_count() >= at; }));
    server.restart();
  }
  int crashes = 0;
  for (const dray::JobRecord& job : client.wait(ids, 60s)) {
    EXPECT_EQ(job.state, "succeeded") << job.id;
    EXPECT_EQ(runs.count(job.args), 1U) << "job " << job.id << " ran more than once";
    crashes += job.crashes;
  }
  EXPECT_LE(crashes, static_cast<int>(kills_at.size()) * kThreads);
  EXPECT_EQ(running.stop().succeeded, static_cast<uint64_t>(kJobs));
}

TEST(WorkerAgainstServer, StopGivesBackWithoutTheLossOfAnAttempt) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::WorkerOptions options = options_for(3);
  options.grace = 1ms;
  std::atomic<int> started{0};
  Running running(server.url(), options);
  running.worker.on("t", [&](dray::Context& context) {
    ++started;
    EXPECT_TRUE(context.wait(20s));
    EXPECT_EQ(context.cancel_reason(), dray::CancelReason::kStopping);
  });
  running.start();
  const auto ids = push_jobs(client, 5);
  ASSERT_TRUE(eventually([&] { return started >= 3; }));
  EXPECT_EQ(running.stop().released, 3U);
  for (const std::string& id : ids) {
    const auto job = client.get(id);
    EXPECT_EQ(job->state, "ready");
    EXPECT_EQ(job->attempt, 0);
    EXPECT_EQ(job->crashes, 0);
  }
}

TEST(WorkerAgainstServer, StopWaitsForHandlersThatFinishInTime) {
  const Server server;
  dray::Client client({.url = server.url()});
  Gate go;
  std::atomic<int> started{0};
  Running running(server.url(), options_for(2));
  running.worker.on("t", [&](dray::Context&) {
    ++started;
    go.wait();
  });
  running.start();
  const auto ids = push_jobs(client, 2);
  ASSERT_TRUE(eventually([&] { return started >= 2; }));
  running.worker.stop();
  go.open();
  EXPECT_EQ(running.stop().succeeded, 2U);
  EXPECT_EQ(client.get(ids[0])->state, "succeeded");
}

// Two leases of a job run out. The next one is only for a worker that holds nothing.
TEST(WorkerAgainstServer, SuspectHasItsTurnInABusyWorker) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::PushOptions options = quick();
  options.lease = 30ms;
  options.attempts = 10;
  options.crashes = 10;
  const std::string suspect = push_jobs(client, 1, options).front();
  ASSERT_TRUE(eventually([&] {
    client.call({"JOB.FETCH", "dies", "BLOCK", "100", "QUEUES", "1", "work"});
    return client.get(suspect)->crashes >= 2;
  }));
  ASSERT_TRUE(client.get(suspect)->suspect);

  dray::WorkerOptions busy = options_for(2);
  busy.suspect_interval = 50ms;
  busy.suspect_patience = 10s;
  std::atomic<int> now{0};
  std::atomic<bool> had_company{false};
  std::atomic<bool> done{false};
  Running running(server.url(), busy);
  running.worker.on("filler", [&](dray::Context& context) {
    ++now;
    context.wait(2ms);
    if (!done) context.client().push("work", "filler", "");
    --now;
  });
  running.worker.on("t", [&](dray::Context& context) {
    had_company = now > 0;
    context.wait(20ms);
    had_company = had_company || now > 0;
  });
  for (int i = 0; i < 4; ++i) client.push("work", "filler", "", {.priority = 9});
  running.start();
  EXPECT_EQ(client.wait(suspect, 20s).state, "succeeded");
  done = true;
  EXPECT_FALSE(had_company);
}

TEST(WorkerAgainstServer, QueuesAreServedInTheOrderGiven) {
  const Server server;
  dray::Client client({.url = server.url()});
  for (int i = 0; i < 3; ++i) client.push("low", "t", "low");
  for (int i = 0; i < 3; ++i) client.push("high", "t", "high");
  dray::WorkerOptions options = options_for(1);
  options.queues = {{"high"}, {"low"}};
  std::mutex mutex;
  std::vector<std::string> order;
  Gate all;
  Running running(server.url(), options);
  running.worker.on("t", [&](dray::Context& context) {
    const std::lock_guard lock(mutex);
    order.push_back(context.args());
    if (order.size() == 6) all.open();
  });
  running.start();
  all.wait();
  running.stop();
  EXPECT_EQ(order, (std::vector<std::string>{"high", "high", "high", "low", "low", "low"}));
}

TEST(WorkerAgainstServer, HandlersPushMoreJobsOnceEvenWhenTheyRunAgain) {
  const Server server;
  dray::Client client({.url = server.url()});
  Running running(server.url(), options_for(2));
  running.worker.on("t", [](dray::Context& context) {
    dray::PushOptions next;
    next.key = "next-of:" + context.id();
    context.client().push("work", "next", "", next);
    if (context.attempt() == 1) throw std::runtime_error("after the push");
  });
  running.worker.on("next", [](dray::Context&) {});
  running.start();
  const std::string id = push_jobs(client, 1, quick()).front();
  EXPECT_EQ(client.wait(id, 20s).state, "succeeded");
  EXPECT_EQ(client.wait("key:next-of:" + id, 20s).state, "succeeded");
  EXPECT_EQ(client.stats("work").pushed, 2);
}

}  // namespace
}  // namespace sdk_test
