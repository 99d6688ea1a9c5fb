// The client against the real server, over cut connections and kills.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/random.h"
#include "dray/client.h"
#include "tests/sdk_cpp/cutting_proxy.h"
#include "tests/sdk_cpp/server_process.h"

namespace sdk_test {
namespace {

using namespace std::chrono_literals;

TEST(ClientAgainstServer, JobCanBePushedAndLookedAt) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::PushOptions options;
  options.priority = 9;
  options.delay = 1h;
  options.key = "order:7";
  options.meta = {{"trace", "t-1"}};
  const dray::Pushed first = client.push("payments", "process_payment", "{\"n\":1}", options);
  const dray::Pushed second = client.push("payments", "process_payment", "{\"n\":2}", options);
  EXPECT_TRUE(first.created);
  EXPECT_FALSE(second.created);
  EXPECT_EQ(first.id, second.id);
  const auto job = client.get("key:order:7");
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->id, first.id);
  EXPECT_EQ(job->state, "scheduled");
  EXPECT_EQ(job->args, "{\"n\":1}");
  EXPECT_EQ(job->priority, 9);
  EXPECT_EQ(job->meta, options.meta);
  EXPECT_TRUE(job->run_at.has_value());
  options.on_duplicate = dray::OnDuplicate::kError;
  try {
    client.push("payments", "process_payment", "{}", options);
    FAIL() << "a key that is held was taken";
  } catch (const dray::Error& error) {
    EXPECT_EQ(error.code(), dray::ErrorCode::kDuplicate);
  }
  client.cancel(first.id);
  EXPECT_EQ(client.wait(first.id, 10s).state, "cancelled");
  client.retry(first.id);
  EXPECT_EQ(client.get(first.id)->generation, 2);
  client.remove(first.id);
  EXPECT_FALSE(client.get(first.id).has_value());
  EXPECT_EQ(client.wait(first.id, 10s).state, "gone");
}

TEST(ClientAgainstServer, QueuesCanBePausedAndCounted) {
  const Server server;
  dray::Client client({.url = server.url()});
  client.push("emails", "send_email", "{}");
  client.pause("emails", "the mail server is down");
  EXPECT_TRUE(client.stats("emails").paused);
  EXPECT_EQ(client.stats("emails").ready, 1);
  EXPECT_EQ(client.queues(), std::vector<std::string>{"emails"});
  client.resume("emails");
  EXPECT_FALSE(client.stats("emails").paused);
}

TEST(ClientAgainstServer, TenThousandJobsGoInOneCall) {
  const Server server;
  dray::Client client({.url = server.url()});
  const std::vector<dray::NewJob> jobs(10'000,
                                       dray::NewJob{.queue = "batch", .type = "t", .args = "{}"});
  std::set<std::string> ids;
  for (const dray::Pushed& pushed : client.push_many(jobs)) ids.insert(pushed.id);
  EXPECT_EQ(ids.size(), 10'000U);
  EXPECT_EQ(client.stats("batch").pushed, 10'000);
}

// Whatever is cut, and wherever: as many jobs as pushes, each with an id of its own.
TEST(ClientAgainstServer, CutConnectionsMakeNoJobTwiceAndLoseNone) {
  const Server server;
  base::SeededRandom random(7);
  std::mutex mutex;
  CuttingProxy proxy(server.port(), [&](Direction, std::string_view bytes) {
    const std::lock_guard lock(mutex);
    return random.below(6) == 0 ? random.below(bytes.size() + 1) : CuttingProxy::kPass;
  });
  dray::Client client({.url = proxy.url()});
  constexpr int kThreads = 4;
  constexpr int kPushes = 30;
  std::set<std::string> ids;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < kPushes; ++k) {
        const std::string id = client.push("emails", "send_email", "{}").id;
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(ids.insert(id).second) << "two pushes were answered " << id;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  dray::Client direct({.url = server.url()});
  EXPECT_EQ(direct.stats("emails").pushed, kThreads * kPushes);
  EXPECT_GE(proxy.cuts(), 10U) << "nothing was tested";
}

TEST(ClientAgainstServer, BatchWhoseAnswerGotLostIsOneBatch) {
  const Server server;
  std::atomic<int> answers_to_lose{3};
  CuttingProxy proxy(server.port(), [&](Direction direction, std::string_view bytes) {
    // The answer to a batch of this size is an array with a five-digit count.
    const bool is_batch = direction == Direction::kToClient && bytes.starts_with("*10000");
    return is_batch && answers_to_lose-- > 0 ? size_t{20} : CuttingProxy::kPass;
  });
  dray::Client client({.url = proxy.url()});
  const std::vector<dray::NewJob> jobs(10'000,
                                       dray::NewJob{.queue = "batch", .type = "t", .args = "{}"});
  std::set<std::string> ids;
  for (const dray::Pushed& pushed : client.push_many(jobs)) ids.insert(pushed.id);
  EXPECT_EQ(ids.size(), 10'000U);
  EXPECT_LT(answers_to_lose, 0) << "no answer was lost";
  EXPECT_EQ(client.stats("batch").pushed, 10'000);
}

TEST(ClientAgainstServer, KillsOfTheServerMakeNoJobTwiceAndLoseNone) {
  Server server;
  dray::Client client({.url = server.url()});
  std::atomic<int> answered{0};
  std::set<std::string> ids;
  std::thread producer([&] {
    for (int i = 0; i < 600; ++i) {
      EXPECT_TRUE(ids.insert(client.push("emails", "send_email", std::to_string(i)).id).second);
      ++answered;
    }
  });
  for (const int at : {50, 200, 350}) {
    ASSERT_TRUE(eventually([&] { return answered >= at; }));
    server.restart();
  }
  producer.join();
  EXPECT_EQ(client.stats("emails").ready, 600);
  std::set<std::string> args;
  for (const std::string& id : ids) {
    const auto job = client.get(id);
    ASSERT_TRUE(job.has_value()) << "a job that was answered is gone: " << id;
    args.insert(job->args);
  }
  EXPECT_EQ(args.size(), 600U) << "a push was stored under another's id";
}

TEST(ClientAgainstServer, ErrorsKeepTheirCodes) {
  const Server server;
  dray::Client client({.url = server.url()});
  const auto code_of = [](const std::function<void()>& call) {
    try {
      call();
    } catch (const dray::Error& error) {
      return error.code();
    }
    return dray::ErrorCode::kOther;
  };
  EXPECT_EQ(code_of([&] { client.push("no such name!", "t", ""); }), dray::ErrorCode::kBadReq);
  EXPECT_EQ(code_of([&] { client.cancel("0000000000zzz"); }), dray::ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { client.call({"NO.SUCH"}); }), dray::ErrorCode::kErr);
  EXPECT_EQ(code_of([&] { client.push("q", "t", std::string(2'000'000, 'x')); }),
            dray::ErrorCode::kTooBig);
}

}  // namespace
}  // namespace sdk_test
