#include "engine/engine.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <set>

#include "store/memory/memory_journal.h"
#include "store/memory/memory_tables.h"

namespace engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPatience{20};

// The engine with its threads, on a disk in memory and a clock that the test moves.
class EngineTest : public testing::Test {
 protected:
  ~EngineTest() override { stop(); }

  void start(uint64_t budget_bytes = store::MemoryJournal::kBudgetBytes) {
    engine = std::make_unique<Engine>(std::make_unique<store::MemoryJournal>(disk, budget_bytes),
                                      std::make_unique<store::MemoryTables>(rows), clock, random);
    const auto recovered = engine->recover();
    ASSERT_TRUE(recovered.has_value()) << recovered.error().message;
    summary = *recovered;
    engine->start([this](std::vector<Request*>&& requests) { hear(requests); },
                  [this](const base::Error& error) { hear_failure(error); });
  }
  void stop() {
    if (!engine) return;
    EXPECT_TRUE(engine->stop().has_value());
    engine.reset();
  }

  Request& make(core::CommandBody body, uint64_t session = 1) {
    Request& request = requests.emplace_back();
    request.session = session;
    request.order = &orders[session];
    request.command.body = std::move(body);
    return request;
  }
  void send(Request& request) {
    Request* one = &request;
    ASSERT_TRUE(engine->submit({&one, 1}).empty());
  }
  bool answered(Request& request) {
    std::unique_lock lock(mutex);
    return heard_more.wait_for(lock, kPatience, [&] { return heard.contains(&request); });
  }
  bool is_answered(Request& request) {
    const std::lock_guard lock(mutex);
    return heard.contains(&request);
  }
  // Sends it and waits for the answer.
  Request& ask(core::CommandBody body, uint64_t session = 1) {
    Request& request = make(std::move(body), session);
    send(request);
    EXPECT_TRUE(answered(request));
    return request;
  }
  // The error's word, or nothing.
  static std::string_view error_of(const Request& request) {
    core::ReplyReader reader(request.answer.reply.tape());
    if (reader.tag() != core::ReplyTag::kError) return {};
    return base::error_word(reader.code());
  }
  static core::Push push_of(std::string_view args = "{}") {
    core::Push push;
    push.spec.queue = "q";
    push.spec.type = "t";
    push.spec.args = args;
    return push;
  }
  static core::Fetch fetch_of(std::optional<int64_t> block_ms = std::nullopt) {
    core::Fetch fetch;
    fetch.worker = "w";
    fetch.queues = {"q"};
    fetch.block_ms = block_ms;
    return fetch;
  }

  store::MemoryDisk disk;
  store::MemoryRows rows;
  base::ManualClock clock;
  base::SeededRandom random{1};
  std::unique_ptr<Engine> engine;
  RecoverySummary summary;
  std::deque<Request> requests;
  std::map<uint64_t, SessionOrder> orders;

  std::mutex mutex;
  std::condition_variable heard_more;
  std::set<Request*> heard;  // Guarded by mutex, like those below.
  std::thread::id heard_on;  // The last time.
  std::optional<base::Error> failure;
  uint64_t durable_when_heard = 0;
  bool watch_disk = false;  // Only while all answers come from the commit thread.

 private:
  void hear(const std::vector<Request*>& released) {
    {
      const std::lock_guard lock(mutex);
      heard.insert(released.begin(), released.end());
      heard_on = std::this_thread::get_id();
      if (watch_disk) durable_when_heard = disk.durable_seq();
    }
    heard_more.notify_all();
  }
  void hear_failure(const base::Error& error) {
    {
      const std::lock_guard lock(mutex);
      failure = error;
    }
    heard_more.notify_all();
  }
};

TEST_F(EngineTest, APushIsDurableBeforeItIsAnswered) {
  watch_disk = true;
  start();
  ask(push_of());
  const std::lock_guard lock(mutex);
  EXPECT_GE(durable_when_heard, 1U);
}

TEST_F(EngineTest, WhatWasAnsweredIsThereAfterAKill) {
  start();
  for (int i = 0; i < 20; ++i) ask(push_of());
  const Request& fetch = ask(fetch_of());
  ASSERT_EQ(fetch.answer.grants.size(), 1U);
  const auto grant = fetch.answer.grants[0];
  stop();
  disk.lose_unsynced();
  start();
  EXPECT_EQ(summary.jobs, 20U);
  const core::AckItem ack{core::JobRef{grant.first, {}, {}}, {grant.second, true}, {}, false};
  EXPECT_EQ(error_of(ask(core::Ack{ack})), "") << "the lease is still valid";
}

// Until then its own thread may be on its way to rest.
TEST_F(EngineTest, OnceItRestsATurnOfFewCommandsIsRunByWhoBringsThem) {
  start();
  bool run_here = false;
  for (int i = 0; i < 100'000 && !run_here; ++i) {
    Request* push = &make(push_of());
    ASSERT_TRUE(engine->submit_or_run({&push, 1}).empty());
    ASSERT_TRUE(answered(*push));
    const std::lock_guard lock(mutex);
    run_here = heard_on == std::this_thread::get_id();
  }
  EXPECT_TRUE(run_here);
}

TEST_F(EngineTest, AFetchThatWasRunByWhoBroughtItEndsInTime) {
  start();
  ask(push_of());
  core::Fetch of_another_queue = fetch_of(100);
  of_another_queue.queues = {"other"};
  Request* fetch = &make(std::move(of_another_queue));
  ASSERT_TRUE(engine->submit_or_run({&fetch, 1}).empty());
  ask(core::QueueList{}, 2);
  EXPECT_FALSE(is_answered(*fetch));
  clock.advance(milliseconds(100));
  EXPECT_TRUE(answered(*fetch));
}

TEST_F(EngineTest, AWaitingFetchIsFedByAPush) {
  start();
  Request& fetch = make(fetch_of(60'000), 1);
  send(fetch);
  ask(core::QueueList{}, 2);
  EXPECT_FALSE(is_answered(fetch));
  EXPECT_EQ(engine->counters().waiting.load(), 1U);
  ask(push_of(), 2);
  ASSERT_TRUE(answered(fetch));
  EXPECT_EQ(fetch.answer.grants.size(), 1U);
}

TEST_F(EngineTest, TimeThatComesIsNoticedWithoutACommand) {
  start();
  Request& fetch = make(fetch_of(900), 1);
  send(fetch);
  ask(core::QueueList{}, 2);
  clock.advance(milliseconds(900));
  ASSERT_TRUE(answered(fetch));
  EXPECT_TRUE(fetch.answer.grants.empty());
}

TEST_F(EngineTest, AStallCreditsTheLeases) {
  start();
  core::Push push = push_of();
  push.spec.lease_ms = 5'000;
  ask(push);
  const auto grant = ask(fetch_of()).answer.grants.at(0);
  clock.advance(seconds(100));
  const core::AckItem ack{core::JobRef{grant.first, {}, {}}, {grant.second, true}, {}, false};
  EXPECT_EQ(error_of(ask(core::Ack{ack})), "");
  EXPECT_GE(engine->counters().stalls.load(), 1U);
}

TEST_F(EngineTest, AFailedJournalIsToldAndNothingIsAnsweredAfterIt) {
  start();
  disk.fail_append(2, store::MemoryDisk::FrameFate::kLost);
  ask(push_of());
  Request& lost = make(push_of());
  send(lost);
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(heard_more.wait_for(lock, kPatience, [&] { return failure.has_value(); }));
    EXPECT_EQ(failure->code, base::ErrorCode::kIo);
  }
  stop();
  EXPECT_FALSE(is_answered(lost));
  start();
  EXPECT_EQ(summary.jobs, 1U);
}

TEST_F(EngineTest, AFullDiskRefusesPushesAndNothingElse) {
  start();
  ask(push_of());
  disk.set_level(store::DiskLevel::kLow);
  EXPECT_EQ(error_of(ask(push_of())), "DISKFULL");
  const Request& fetch = ask(fetch_of());
  ASSERT_EQ(fetch.answer.grants.size(), 1U);
  disk.set_level(store::DiskLevel::kFine);
  EXPECT_EQ(error_of(ask(push_of())), "");
}

TEST_F(EngineTest, FlushesBoundTheJournal) {
  constexpr uint64_t kBudget = 400'000;
  start(kBudget);
  const std::string args(1'000, 'x');
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_EQ(error_of(ask(push_of(args))), "") << "push " << i;
    const auto grant = ask(fetch_of()).answer.grants.at(0);
    const core::JobRef job{grant.first, {}, {}};
    ask(core::Ack{{job, {grant.second, true}, {}, false}});
    ask(core::Bulk{core::BulkVerb::kDelete, false, {job}});
    ASSERT_LT(engine->space().bytes_used, kBudget);
  }
  EXPECT_GE(engine->flusher_counters()->flushes.load(), 3U);
  ask(push_of("last"));
  stop();
  start(kBudget);
  EXPECT_EQ(summary.jobs, 1U);
}

TEST_F(EngineTest, MoreLivesThanTheJournalHolds) {
  constexpr uint64_t kBudget = 400'000;
  constexpr int kJobs = 100;
  start(kBudget);
  const std::string args(10'000, 'x');
  for (int taken = 0; taken < kJobs;) {
    const std::string_view error = error_of(ask(push_of(args)));
    ASSERT_TRUE(error.empty() || error == "OVERLOADED") << error;
    if (error.empty()) ++taken;
  }
  EXPECT_LT(engine->space().bytes_used, kBudget);
  stop();
  start(kBudget);
  EXPECT_EQ(summary.jobs, kJobs);
}

TEST_F(EngineTest, OnceQuietWaitingFetchesAreAnsweredAndNoLeaseIsGiven) {
  start();
  Request& fetch = make(fetch_of(60'000), 1);
  send(fetch);
  ask(push_of("taken"), 2);
  ASSERT_TRUE(answered(fetch));
  Request& second = make(fetch_of(60'000), 1);
  send(second);
  engine->quiesce();
  ASSERT_TRUE(answered(second));
  EXPECT_TRUE(second.answer.grants.empty());
  ask(push_of(), 2);
  EXPECT_TRUE(ask(fetch_of(60'000), 1).answer.grants.empty());
}

TEST_F(EngineTest, ManySessionsAtOnceLoseNothing) {
  start();
  constexpr int kSessions = 4;
  constexpr int kPushes = 500;
  std::vector<std::deque<Request>> mine(kSessions);
  std::vector<SessionOrder> session_orders(kSessions);
  std::vector<std::thread> threads;
  for (int s = 0; s < kSessions; ++s) {
    threads.emplace_back([&, s] {
      const auto session = static_cast<size_t>(s);
      for (int i = 0; i < kPushes; ++i) {
        Request& request = mine[session].emplace_back();
        request.session = 100 + session;
        request.order = &session_orders[session];
        request.command.body = push_of();
        Request* one = &request;
        const bool may_run = s % 2 == 1;
        EXPECT_TRUE(
            (may_run ? engine->submit_or_run({&one, 1}) : engine->submit({&one, 1})).empty());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::deque<Request>& session : mine) {
    for (Request& request : session) EXPECT_TRUE(answered(request));
  }
  stop();
  start();
  EXPECT_EQ(summary.jobs, static_cast<uint64_t>(kSessions) * kPushes);
}

}  // namespace
}  // namespace engine
