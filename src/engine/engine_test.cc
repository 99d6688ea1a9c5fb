#include "engine/engine.h"

#include <algorithm>
#include <ranges>

#include "engine/engine_fixture.h"
#include "store/change_set.h"

namespace engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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

// Each look at it takes a millisecond.
class SlowClock final : public base::Clock {
 public:
  base::MonoTime mono() const override { return base::MonoTime{looks_.fetch_add(1) * 1'000'000}; }
  base::WallTime wall() const override { return base::WallTime{1'767'225'600'000}; }

 private:
  mutable std::atomic<int64_t> looks_{1'000};
};

TEST_F(EngineTest, OfReadsThatTakeLongATurnHasOneAndTheOthersAll) {
  const SlowClock slow;
  engine = std::make_unique<Engine>(std::make_unique<store::MemoryJournal>(disk), nullptr, slow,
                                    random, buffers);
  ASSERT_TRUE(engine->recover());
  constexpr uint64_t kEach = 20;
  std::vector<Request*> batch;
  for (uint64_t i = 0; i < kEach; ++i) {
    batch.push_back(&make(core::QueueList{}, 100 + i));
    batch.back()->lane = Lane::kRead;
  }
  for (uint64_t i = 0; i < kEach; ++i) batch.push_back(&make(push_of(), 200 + i));
  engine->start([&](const std::vector<Request*>& released) { hear(released); },
                [](const base::Error& error) { FAIL() << error.message; });
  ASSERT_TRUE(engine->submit(batch).empty());
  for (Request* request : batch) ASSERT_TRUE(answered(*request));
  std::unique_lock lock(mutex);
  // A turn that was under way may have taken one of the reads.
  const auto last_push =
      std::ranges::find(order | std::views::reverse, Lane::kPush, &Request::lane);
  EXPECT_LE(order.rend() - last_push, kEach + 1);
  EXPECT_GE(engine->counters().turns.load(), kEach);
  lock.unlock();
  stop();
}

TEST_F(EngineTest, AReadDoesNotWaitUntilTurnsHaveRoomForIt) {
  start();
  const std::string value(size_t{1} << 20, 'x');
  core::KeysGet large;
  std::deque<std::string> names;
  for (int i = 0; i < 9; ++i) {
    core::KeySet set;
    set.key = names.emplace_back("k" + std::to_string(i));
    set.value = value;
    ask(set);
    large.keys.emplace_back(names.back());
  }
  std::vector<Request*> batch;
  for (uint64_t i = 0; i < 20; ++i) batch.push_back(&make(large, 100 + i));  // A turn each.
  Request* read = batch.emplace_back(&make(core::QueueList{}, 200));
  read->lane = Lane::kRead;
  order.clear();
  ASSERT_TRUE(engine->submit(batch).empty());
  for (Request* request : batch) EXPECT_TRUE(answered(*request));
  const std::lock_guard lock(mutex);
  EXPECT_LE(std::ranges::find(order, read) - order.begin(), 2);
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

TEST_F(EngineTest, EveryHourJobsAreCountedAndTablesVerified) {
  start();
  ask(push_of());
  clock.advance(seconds(3'599));
  ask(core::QueueList{});
  EXPECT_EQ(engine->auditor_counters().audits, 0U);
  clock.advance(seconds(1));
  ask(core::QueueList{});
  ask(core::QueueList{});
  EXPECT_EQ(engine->auditor_counters().audits, 1U);
  EXPECT_EQ(engine->auditor_counters().findings, 0U);
  EXPECT_NE(engine->scrubber_counters(), nullptr);
}

class EngineFlushTest : public EngineTest {
 protected:
  // Turns go by until `what` holds; false: it never did.
  template <typename What>
  bool turns_until(What what) {
    for (int i = 0; i < 200'000; ++i) {
      if (what()) return true;
      ask(core::QueueList{}, 1'000);
    }
    return false;
  }
  uint64_t flushes() { return engine->flusher_counters()->flushes.load(); }
  // Lets the time come for a flush, and waits until the engine has heard of its end.
  void flush() {
    const uint64_t before = flushes();
    clock.advance(seconds(31));
    ASSERT_TRUE(turns_until([&] { return flushes() > before; }));
    const uint64_t frames = engine->store_counters().frames.load();
    ASSERT_TRUE(turns_until([&] { return engine->store_counters().frames.load() > frames; }))
        << "the journal is told of it";
  }
  // What the tables have now, once more.
  void copy_rows(store::MemoryRows& to) {
    store::MemoryTables from_tables(rows);
    store::MemoryTables to_tables(to);
    const store::TablesSummary summary = from_tables.open().value();
    ASSERT_TRUE(to_tables.open().has_value());
    store::ChangeSet set;
    std::vector<core::JobId> ids;
    {
      const auto reader = from_tables.make_reader().value();
      ASSERT_TRUE(reader->scan_lanes([&](const auto& header) { ids.push_back(header.id); }));
      ASSERT_TRUE(reader->scan_rest([&](core::JobId id, const auto&) {
        ids.push_back(id);
        return base::Status();
      }));
      ASSERT_TRUE(reader->read(ids, [&](core::JobId, const base::Result<store::JobRow>& row) {
        set.put(row->header, row->record, row->args);
        return base::Status();
      }));
      ASSERT_TRUE(reader->scan_side([&](std::string_view key, std::string_view value) {
        set.put_side(key, value);
        return base::Status();
      }));
    }
    ASSERT_TRUE(to_tables.apply(set.finish(summary.applied_seq)));
    ASSERT_TRUE(to_tables.close());
    ASSERT_TRUE(from_tables.close());
  }
  store::TablesSummary summary_of(store::MemoryRows& of) {
    store::MemoryTables opened(of);
    const store::TablesSummary found = opened.open().value();
    EXPECT_TRUE(opened.close().has_value());
    return found;
  }
  // What a start answers; the engine is gone then.
  base::Error refusal(store::MemoryDisk& of_journal, store::MemoryRows& of_tables) {
    const auto opened = open(of_journal, of_tables);
    engine.reset();
    EXPECT_FALSE(opened.has_value());
    return opened ? base::Error{} : opened.error();
  }
  // A kill: what is in the tables is what the last flush brought.
  void stop_without_flush() {
    gate.refuse(base::ErrorCode::kDiskFull);
    EXPECT_TRUE(engine->stop()) << "the journal has it all";
    engine.reset();
    gate.refuse(std::nullopt);
  }
};

TEST_F(EngineFlushTest, WhatChangedIsInTheTablesAfterAWhile) {
  start();
  for (int i = 0; i < 5; ++i) ask(push_of());
  ask(core::QueueList{});
  EXPECT_EQ(flushes(), 0U);
  flush();
  EXPECT_EQ(engine->flusher_counters()->rows_put.load(), 5U);
  EXPECT_EQ(engine->counters().unflushed_bytes.load(), 0U);
}

TEST_F(EngineFlushTest, TheJournalIsTrimmedBehindTheFlushBefore) {
  start();
  const std::string args(100'000, 'x');
  ask(push_of(args));
  flush();
  ask(push_of());
  EXPECT_GE(engine->space().bytes_used, args.size()) << "frames of one flush stay";
  flush();
  ask(push_of());
  EXPECT_TRUE(turns_until([&] { return engine->space().bytes_used < args.size(); }));
  stop();
  start();
  EXPECT_EQ(summary.jobs, 3U);
}

TEST_F(EngineFlushTest, AnOrderlyStopLeavesNothingToReplay) {
  start();
  for (int i = 0; i < 5; ++i) ask(push_of());
  ask(fetch_of());
  stop();
  EXPECT_EQ(summary_of(rows).applied_seq, disk.last_seq());
  EXPECT_EQ(summary_of(rows).rows, 5U);
  start();
  EXPECT_EQ(summary.jobs, 5U);
  EXPECT_EQ(summary.last_seq, disk.last_seq());
}

TEST_F(EngineFlushTest, AStartHasWhatTablesAndJournalHaveTogether) {
  start();
  for (int i = 0; i < 10; ++i) ask(push_of());
  flush();
  const auto grant = ask(fetch_of()).answer.grants.at(0);
  const core::JobRef first{grant.first, {}, {}};
  ask(core::Ack{{first, {grant.second, true}, {}, false}});
  ask(core::Bulk{core::BulkVerb::kDelete, false, {core::JobRef{core::JobId{5}, {}, {}}}});
  for (int i = 0; i < 3; ++i) ask(push_of());
  const auto held = ask(fetch_of()).answer.grants.at(0);
  stop_without_flush();
  EXPECT_LT(summary_of(rows).applied_seq, disk.last_seq());
  start();
  EXPECT_EQ(summary.jobs, 12U);
  EXPECT_EQ(error_of(ask(core::Ack{{first, {grant.second, true}, {}, false}})), "") << "a repeat";
  EXPECT_EQ(error_of(ask(core::Ack{{{held.first, {}, {}}, {held.second, true}, {}, false}})), "");
  for (const uint64_t id : {3U, 4U, 6U, 7U, 8U, 9U, 10U, 11U, 12U, 13U}) {
    EXPECT_EQ(ask(fetch_of()).answer.grants.at(0).first, core::JobId{id});
  }
  EXPECT_TRUE(ask(fetch_of()).answer.grants.empty());
  EXPECT_GT(engine->counters().loads.load(), 0U);
}

TEST_F(EngineFlushTest, ColdJobsAreReadForWhoeverAsks) {
  start();
  for (int i = 0; i < 20; ++i) ask(push_of("payload"));
  stop();
  start();
  EXPECT_EQ(engine->counters().record_bytes.load(), 0U);
  const core::JobRef last{core::JobId{20}, {}, {}};
  core::ReplyReader got(ask(core::Get{last}).answer.reply.tape());
  EXPECT_EQ(got.tag(), core::ReplyTag::kMap);
  Request& waiting = make(fetch_of(60'000), 2);
  send(waiting);
  ASSERT_TRUE(answered(waiting));
  EXPECT_EQ(waiting.answer.grants.at(0).first, core::JobId{1});
  EXPECT_NE(waiting.answer.reply.tape().find("payload"), std::string_view::npos);
}

TEST_F(EngineFlushTest, CommandsGoOnWhileAFlushIsBeingApplied) {
  start();
  ask(push_of());
  gate.set_closed(true);
  clock.advance(seconds(31));
  ask(push_of());
  ASSERT_TRUE(gate.wait_for_applies(1));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(error_of(ask(push_of())), "");
  gate.set_closed(false);
  stop();
  start();
  EXPECT_EQ(summary.jobs, 22U);
}

TEST_F(EngineFlushTest, WhatWaitsForAFlushIsBounded) {
  start(400'000);
  gate.set_closed(true);
  const std::string args(10'000, 'x');
  int taken = 0;
  while (taken < 100 && error_of(ask(push_of(args))).empty()) ++taken;
  EXPECT_GT(taken, 5);
  EXPECT_LT(taken, 40);
  EXPECT_EQ(error_of(ask(push_of(args))), "OVERLOADED");
  EXPECT_EQ(ask(fetch_of()).answer.grants.size(), 1U) << "and nothing but pushes is refused";
  gate.set_closed(false);
  EXPECT_TRUE(turns_until([&] { return error_of(ask(push_of(args))).empty(); }));
}

TEST_F(EngineFlushTest, TablesWithoutRoomRefusePushesAndNothingElse) {
  start();
  ask(push_of());
  gate.refuse(base::ErrorCode::kDiskFull);
  clock.advance(seconds(31));
  EXPECT_TRUE(turns_until([&] { return error_of(ask(push_of())) == "DISKFULL"; }));
  EXPECT_EQ(ask(fetch_of()).answer.grants.size(), 1U);
  stop_without_flush();
  start();
  EXPECT_GE(summary.jobs, 1U);
}

TEST_F(EngineFlushTest, TablesThatFailAreToldAndTheJournalHasItAll) {
  start();
  for (int i = 0; i < 3; ++i) ask(push_of());
  gate.refuse(base::ErrorCode::kIo);
  clock.advance(seconds(31));
  ask(push_of());
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(heard_more.wait_for(lock, kPatience, [&] { return failure.has_value(); }));
    EXPECT_EQ(failure->code, base::ErrorCode::kIo);
  }
  base::ignore(engine->stop(), "it has failed");
  engine.reset();
  gate.refuse(std::nullopt);
  start();
  EXPECT_EQ(summary.jobs, 4U);
}

TEST_F(EngineFlushTest, ALastFlushBringsNothingThatTheJournalLacks) {
  start();
  ask(push_of());
  flush();
  disk.fail_append(1, store::MemoryDisk::FrameFate::kLost);
  send(make(push_of()));
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(heard_more.wait_for(lock, kPatience, [&] { return failure.has_value(); }));
  }
  base::ignore(engine->stop(), "it has failed");
  engine.reset();
  EXPECT_LE(summary_of(rows).applied_seq, disk.last_seq());
  start();
  EXPECT_EQ(summary.jobs, 1U);
}

TEST_F(EngineFlushTest, TablesThatAreOlderOrMissingOrNewerAreRefused) {
  start();
  ask(push_of());
  stop();
  store::MemoryRows older;
  copy_rows(older);
  start();
  const auto grant = ask(fetch_of()).answer.grants.at(0);
  ask(push_of());
  flush();
  const core::JobRef first{grant.first, {}, {}};
  ask(core::Ack{{first, {grant.second, true}, {}, false}});
  flush();
  ask(core::Bulk{core::BulkVerb::kRetry, false, {first}});
  ask(push_of());
  stop();
  const base::Error too_old = refusal(disk, older);
  EXPECT_EQ(too_old.code, base::ErrorCode::kCorrupt);
  EXPECT_NE(too_old.message.find("older than the journal"), std::string::npos) << too_old.message;
  store::MemoryRows missing;
  const base::Error none = refusal(disk, missing);
  EXPECT_EQ(none.code, base::ErrorCode::kCorrupt);
  EXPECT_NE(none.message.find("missing"), std::string::npos) << none.message;
  store::MemoryDisk empty;
  const base::Error newer = refusal(empty, rows);
  EXPECT_EQ(newer.code, base::ErrorCode::kCorrupt);
  EXPECT_NE(newer.message.find("the journal is older"), std::string::npos) << newer.message;
  start();
  EXPECT_EQ(summary.jobs, 3U) << "with its own tables it starts";
}

TEST_F(EngineFlushTest, TablesFromBeforeTheLastFlushAreHealedByTheJournal) {
  start();
  ask(push_of());
  stop();
  store::MemoryRows older;
  copy_rows(older);
  start();
  ask(fetch_of());
  for (int i = 0; i < 3; ++i) ask(push_of());
  flush();
  ask(push_of());
  stop_without_flush();
  const auto healed = open(disk, older);
  engine.reset();
  ASSERT_TRUE(healed.has_value()) << healed.error().message;
  EXPECT_EQ(healed->jobs, 5U);
}

}  // namespace
}  // namespace engine
