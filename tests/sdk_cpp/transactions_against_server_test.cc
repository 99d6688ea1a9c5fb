// Transactions, keys and the log of a job against the real server.
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "dray/testing.h"
#include "dray/worker.h"
#include "tests/sdk_cpp/cutting_proxy.h"
#include "tests/sdk_cpp/server_process.h"

namespace sdk_test {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;

dray::NewJob job(const std::string& args) {
  return {.queue = "work", .type = "t", .args = args};
}

TEST(TransactionsAgainstServer, AllOrNone) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::Transaction transaction = client.transaction();
  transaction.push(job("1"));
  transaction.set("cursor", "42");
  transaction.add("count", 3);
  transaction.push(job("2"));
  const auto pushed = transaction.commit();
  ASSERT_EQ(pushed.size(), 2U);
  EXPECT_EQ(client.get(pushed[1].id)->args, "2");
  EXPECT_EQ(client.keys().get("cursor"), "42");

  client.keys().set("text", "no number");
  transaction.push(job("3"));
  transaction.set("cursor", "43");
  transaction.add("text");
  try {
    transaction.commit();
    FAIL() << "a text was counted";
  } catch (const dray::RejectedError& error) {
    EXPECT_EQ(error.code(), dray::ErrorCode::kExecAbort);
  }
  EXPECT_EQ(client.stats("work").pushed, 2);
  EXPECT_EQ(client.keys().get("cursor"), "42");
}

TEST(TransactionsAgainstServer, AnswerThatGotLostMakesNoJobTwice) {
  const Server server;
  std::atomic<int> answers_to_lose{3};
  CuttingProxy proxy(server.port(), [&](Direction direction, std::string_view bytes) {
    const bool is_answer = direction == Direction::kToClient && bytes.starts_with("+OK\r\n+QUEUED");
    return is_answer && answers_to_lose-- > 0 ? size_t{8} : CuttingProxy::kPass;
  });
  dray::Client client({.url = proxy.url()});
  dray::Transaction transaction = client.transaction();
  for (int i = 0; i < 20; ++i) transaction.push(job(std::to_string(i)));
  std::set<std::string> ids;
  for (const dray::Pushed& pushed : transaction.commit()) ids.insert(pushed.id);
  EXPECT_EQ(ids.size(), 20U);
  EXPECT_LT(answers_to_lose, 0) << "no answer was lost";
  EXPECT_EQ(client.stats("work").pushed, 20);
}

TEST(TransactionsAgainstServer, FinishEndsAJobAndBeginsTheNextAtOnce) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::WorkerOptions options;
  options.queues = {{"work"}};
  options.concurrency = 2;
  options.notice = [](std::string_view) {};
  dray::Worker worker(client, options);
  std::atomic<int> runs{0};
  worker.on("first", [&](dray::Context& context) {
    dray::Transaction next = context.client().transaction();
    next.push({.queue = "work", .type = "second", .args = context.id()});
    next.add("done");
    context.finish(next, "first result");
    ++runs;
    // The job has succeeded: nothing that comes now can fail it.
    throw std::runtime_error("too late to matter");
  });
  worker.on("second", [&](dray::Context& context) {
    EXPECT_EQ(context.client().get(context.args())->state, "succeeded");
    worker.stop();
  });
  const std::string first = client.push("work", "first", "").id;
  const dray::WorkerReport report = worker.run();
  EXPECT_EQ(report.succeeded, 2U);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(client.get(first)->result, "first result");
  EXPECT_EQ(client.keys().add("done", 0), 1);
}

TEST(KeysAgainstServer, DoWhatTheySay) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::Keys keys = client.keys();
  const dray::SetOptions once{.ttl = 1h, .when = dray::SetOptions::When::kIfAbsent};
  EXPECT_TRUE(keys.set("k", "1", once));
  EXPECT_FALSE(keys.set("k", "2", once));
  EXPECT_EQ(keys.get("k"), "1");
  EXPECT_GT(keys.time_left("k"), 59min);
  EXPECT_EQ(keys.add("k", 41), 42);
  EXPECT_TRUE(keys.expire_in("k", 1ms));
  EXPECT_TRUE(eventually([&] { return !keys.get("k").has_value(); }));
  EXPECT_FALSE(keys.expire_in("k", 1s));
  keys.set("k", "");
  EXPECT_EQ(keys.time_left("k"), std::nullopt);
  keys.remove("k");
  EXPECT_EQ(keys.get("k"), std::nullopt);
}

// Whether the server has a log for jobs or not: a line of it never fails the job.
TEST(LogAgainstServer, LineNeverFailsItsJob) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::WorkerOptions options;
  options.queues = {{"work"}};
  options.notice = [](std::string_view) {};
  dray::Worker worker(client, options);
  worker.on("t", [&](dray::Context& context) {
    context.log(dray::LogLevel::kInfo, "one line");
    context.log(dray::LogLevel::kError, std::string(1'000'000, 'x'));
    worker.stop();
  });
  const std::string id = client.push(job("")).id;
  EXPECT_EQ(worker.run().succeeded, 1U);
  EXPECT_EQ(client.get(id)->state, "succeeded");
}

TEST(TestingServer, IsARealServer) {
  dray::testing::Server server(dray_binary());
  dray::Client client({.url = server.url()});
  EXPECT_EQ(client.get(client.push(job("x")).id)->args, "x");
}

}  // namespace
}  // namespace sdk_test
