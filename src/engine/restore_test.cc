#include "engine/restore.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/flush_fixture.h"
#include "engine/machine.h"
#include "store/effect_codec.h"
#include "store/job_codec.h"
#include "store/operation_codec.h"

namespace engine {
namespace {

class RestoreTest : public FlushFixture {
 protected:
  // Jobs in every state, with everything that a job may have.
  void fill() {
    for (int i = 0; i < 30; ++i) push(i % 3 == 0 ? "a" : "q");
    core::Push rich = push_of("q", "u");
    rich.spec.key = "k";
    rich.spec.has_key = true;
    rich.spec.meta = {{"f", "v"}};
    rich.spec.priority = 9;
    rich.spec.keep_ms = 600'000;
    turn(make(rich));
    core::Push later = push_of();
    later.spec.delay_ms = 60'000;
    turn(make(later));
    core::Push calendar = push_of();
    calendar.spec.at_ms = now.wall.ms + 90'000;
    turn(make(calendar));
    core::Push expiring = push_of();
    expiring.spec.expire_ms = 30'000;
    turn(make(expiring));
    ack(start());  // The rich one.
    ack(start());
    const auto retried = start();
    core::Fail fail;
    fail.job = retried.first;
    fail.token = retried.second;
    fail.error_class = "E";
    turn(make(fail));
    const auto died = start();
    fail.job = died.first;
    fail.token = died.second;
    fail.no_retry = true;
    turn(make(fail));
    turn(make(core::Release{start("a").first, {}, std::nullopt}));
    start();
    const auto progressing = start();
    turn(make(core::Progress{progressing.first, progressing.second, "half"}));
    cancel(20);
    turn(make(core::QueuePause{"a", "fire"}));
  }
  void name_pushes() {
    core::Push named = push_of();
    named.spec.has_request = true;
    named.spec.request = "r";
    turn(make(named));
    named.spec.has_request = false;
    named.spec.has_producer = true;
    named.spec.producer = "p";
    named.spec.producer_seq = 9;
    turn(make(named));
  }
};

TEST_F(RestoreTest, AJobInEveryStateComesBackEqual) {
  fill();
  make_cold();
  auto copy = restarted();
  expect_same(machine, *copy);
  EXPECT_EQ(copy->state().find_key("k")->id, machine.state().find_key("k")->id);
  EXPECT_EQ(copy->state().types().size(), 2U);
  EXPECT_EQ(copy->damaged_rows(), 0U);
  EXPECT_EQ(copy->state().residency().unflushed_bytes(), 0U);
}

TEST_F(RestoreTest, OnlyRunningJobsAreInMemoryThen) {
  fill();
  flush();
  auto copy = restarted();
  copy->state().jobs().for_each([&](const core::Job& job) {
    EXPECT_EQ(job.record != nullptr, job.state == core::JobState::kRunning) << job.id.value;
    EXPECT_EQ(job.record ? job.record->args : "{}", "{}") << "with its args";
  });
}

TEST_F(RestoreTest, TheNextFlushOfARestoredStateWritesNoJob) {
  fill();
  flush();
  auto copy = restarted();
  copy->begin(now);
  copy->begin_flush();
  std::unique_ptr<store::ChangeSet> set;
  while (set == nullptr) set = copy->flush_slice();
  apply_set(*set);
  EXPECT_EQ(rows_put, 0U);
  EXPECT_EQ(rows_erased, 0U);
}

TEST_F(RestoreTest, TokensProducersAndTheLedgerComeBack) {
  name_pushes();
  const auto lease = start();
  ack(lease);
  turn(make(core::Bulk{core::BulkVerb::kDelete, false, {lease.first}}));
  flush();
  auto copy = restarted();
  const core::State& state = copy->state();
  ASSERT_TRUE(state.requests().find("r", now.engine).has_value());
  EXPECT_EQ(state.requests().find("r", now.engine)->id, core::JobId{1});
  EXPECT_EQ(state.producers().look_up("p", 9).push.id, core::JobId{2});
  EXPECT_EQ(state.ledger().size(), 1U);
  EXPECT_TRUE(state.ledger().find(lease.first.id, lease.second.token.fence, now.engine));
}

TEST_F(RestoreTest, WhatCameBackGoesWithItsTime) {
  name_pushes();
  const auto lease = start();
  ack(lease);
  make_cold();  // Now the ledger has it,
  flush();      // and now the tables have that.
  auto copy = restarted();
  now.engine += base::Duration{core::limits::kRequestMsDefault};
  copy->begin(now);
  copy->apply_due(100);
  EXPECT_EQ(copy->state().requests().size(), 0U);
  EXPECT_EQ(copy->state().ledger().size(), 0U);
  copy->begin_flush();
  std::unique_ptr<store::ChangeSet> set;
  while (set == nullptr) set = copy->flush_slice();
  const store::Changes changes = set->finish(++seq);
  size_t erased = 0;
  for (const store::SideRecord& record : changes.side) {
    if (!record.value && (record.key[0] == 'r' || record.key[0] == 'l')) ++erased;
  }
  EXPECT_EQ(erased, 2U);
}

TEST_F(RestoreTest, TheTimeIsThatOfTheLastFlushHoweverOldItsRecordsAre) {
  name_pushes();
  flush();
  now.engine += base::Duration{core::limits::kHourMs};
  now.wall += base::Duration{core::limits::kHourMs};
  push("other");
  flush();
  EXPECT_EQ(restarted()->recovered_now(), now);
}

class RestoreMoreTest : public RestoreTest {
 protected:
  RestoreMoreTest() { machine.state().keys().watch_changes(); }

  void set(std::string_view queue, core::QueueNumber number, std::optional<int64_t> value) {
    turn(make(core::QueueSet{.queue = queue, .numbers = {{number, value}}, .backoff = {}}));
  }
  void hset(std::string_view key, std::string_view field, std::string_view value) {
    turn(make(core::HashSet{key, {{field, value}}, false}));
  }
  void expire(std::string_view key, int64_t ms) { turn(make(core::KeyExpire{key, ms})); }
  void edit(uint64_t id, std::string_view args) {
    core::Edit change;
    change.job = ref(id);
    change.args = args;
    turn(make(change));
  }
  // The side records of this letter that the tables have.
  size_t side_records(char kind) {
    size_t count = 0;
    const auto visit = [&](std::string_view key, std::string_view) {
      count += key[0] == kind ? 1 : 0;
      return base::Status();
    };
    EXPECT_TRUE(fresh_reader().scan_side(visit).has_value());
    return count;
  }
  // It comes back from the tables, from tables and journal, and from the journal alone.
  void expect_restart(const std::function<void()>& first, const std::function<void()>& then) {
    first();
    flush();
    expect_same(machine, *restarted());
    const std::string before = std::exchange(effects, {});
    then();
    expect_same(machine, *restarted(effects));
    expect_same(machine, *replayed(before + effects));
    flush();
    expect_same(machine, *restarted());
    make_cold();
    expect_same(machine, *restarted());
  }
};

TEST_F(RestoreMoreTest, LogsComeBack) {
  std::pair<core::JobRef, core::TokenRef> lease;
  const auto log = [&](std::string_view text) {
    turn(make(core::Log{lease.first, lease.second, core::LogLevel::kWarn, text}));
  };
  const std::string half(core::limits::kLogBytesMax / 2, 'x');
  const auto first = [&] {
    push();
    lease = start();
    log("one");
    log(half);
  };
  const auto then = [&] {
    log(half);
    core::Fail fail;
    fail.job = lease.first;
    fail.token = lease.second;
    fail.retry_in_ms = 0;
    turn(make(fail));
    lease = start();
    log("another attempt");
  };
  expect_restart(first, then);
  const core::Job& job = *machine.state().find(core::JobId{1});
  ASSERT_EQ(job.record->extras->logs.size(), 2U);
  EXPECT_EQ(job.record->extras->logs[0].dropped, 2U);
}

TEST_F(RestoreMoreTest, ChangedJobsComeBackWithTheirNewArgs) {
  const auto first = [&] {
    for (int i = 0; i < 4; ++i) push();
    edit(1, "before the first flush");
  };
  const auto then = [&] {
    edit(1, "");
    edit(2, "after it");
    core::Edit move;
    move.job = ref(3);
    move.queue = "new-queue";
    move.type = "new-type";
    move.options.delay_ms = 5'000;
    turn(make(move));
  };
  expect_restart(first, then);
  make_cold();
  auto copy = restarted();
  told(*copy, 1);
  told(*copy, 2);
  EXPECT_EQ(copy->state().find(core::JobId{1})->record->args, "");
  EXPECT_EQ(copy->state().find(core::JobId{2})->record->args, "after it");
}

// The flush has taken the job, and its change waits for the next one.
TEST_F(RestoreMoreTest, AChangeWhileAFlushRunsIsNotLost) {
  push();
  machine.begin_flush();
  edit(1, "new");
  finish_flush();
  make_cold();
  auto copy = restarted();
  told(*copy, 1);
  EXPECT_EQ(copy->state().find(core::JobId{1})->record->args, "new");
}

TEST_F(RestoreMoreTest, SettingsOfQueuesComeBack) {
  const auto first = [&] {
    set("q", core::QueueNumber::kMaxlen, 5);
    set("r", core::QueueNumber::kKeepMs, 0);
    turn(make(core::QueueSet{
        .queue = "r", .numbers = {}, .backoff = core::parse_backoff("sidekiq").value()}));
  };
  const auto then = [&] {
    set("q", core::QueueNumber::kMaxlen, std::nullopt);
    set("s", core::QueueNumber::kAlertMs, 7);
  };
  expect_restart(first, then);
  EXPECT_EQ(machine.state().find_queue("q")->settings, core::QueueSettings{});
}

TEST_F(RestoreMoreTest, PausesOfTypesComeBack) {
  const auto first = [&] {
    push("q");
    turn(make(core::TypePause{"t", "q", "here"}));
    turn(make(core::TypePause{"new-type", "", "everywhere"}));
    turn(make(core::TypePause{"u", "new-queue", ""}));
  };
  const auto then = [&] {
    turn(make(core::TypePause{"t", "", "and everywhere"}));
    turn(make(core::TypeResume{"new-type", ""}));
    turn(make(core::TypeResume{"u", "new-queue"}));
    turn(make(core::TypePause{"v", "", "new"}));
  };
  expect_restart(first, then);
  EXPECT_EQ(side_records('u'), 2U) << "of t and v";
  auto copy = restarted();
  copy->begin(now);
  Request& fetch = make(fetch_of({"q"}));
  copy->apply(fetch);
  EXPECT_TRUE(copy->take_answered().empty()) << "it waits";
}

TEST_F(RestoreMoreTest, HashesComeBack) {
  const auto first = [&] {
    hset("h", "a", "1");
    hset("h", "b", "2");
    hset("lasts", "f", "v");
    expire("lasts", 60'000);
    hset("goes", "f", "v");
    hset("string", "f", "v");
    expire("string", 60'000);
  };
  const auto then = [&] {
    hset("h", "b", "3");
    hset("h", "c", "4");
    turn(make(core::HashDelete{"h", {"a"}}));
    turn(make(core::KeyPersist{"lasts"}));
    turn(make(core::KeysDelete{{"goes"}}));
    core::KeySet text;
    text.key = "string";
    text.value = "now";
    turn(make(text));
    hset("short", "f", "v");
    expire("short", 1'000);
  };
  expect_restart(first, then);
  EXPECT_EQ(side_records('h'), 4U) << "b and c of h, one each of lasts and short";
  EXPECT_EQ(side_records('k'), 2U) << "the string, and the end of short";
  pass(1'000);
  flush();
  EXPECT_EQ(side_records('h'), 3U);
  EXPECT_EQ(side_records('k'), 1U);
  expect_same(machine, *restarted());
}

TEST_F(RestoreMoreTest, AFlushWritesTheFieldsThatChangedAndNoOthers) {
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::deque<std::string> names;
  for (int i = 0; i < 10'000; ++i) fields.emplace_back(names.emplace_back(std::to_string(i)), "v");
  turn(make(core::HashSet{"h", fields, false}));
  flush();
  hset("h", "77", "changed");
  machine.begin_flush();
  std::unique_ptr<store::ChangeSet> set;
  while (set == nullptr) set = machine.flush_slice();
  size_t written = 0;
  for (const store::SideRecord& record : set->finish(++seq).side) {
    written += record.key[0] == 'h' ? 1 : 0;
  }
  EXPECT_EQ(written, 1U);
}

TEST_F(RestoreTest, NumbersThatWereGivenAreNotGivenAgain) {
  push();
  turn(make(core::Bulk{core::BulkVerb::kDelete, false, {ref(1)}}));
  flush();
  auto copy = restarted();
  EXPECT_EQ(copy->state().jobs().size(), 0U);
  EXPECT_EQ(copy->state().id_next(), core::JobId{2});
  EXPECT_TRUE(copy->state().was_given(core::JobId{1}));
}

TEST_F(RestoreTest, JobsThatBecameReadyLateKeepTheirPlaceAmongTheRest) {
  for (int i = 0; i < 6; ++i) push();
  const auto first = start();
  const auto second = start();
  core::Fail fail;
  fail.job = first.first;
  fail.token = first.second;
  fail.retry_in_ms = 0;
  turn(make(fail));
  core::Push keyed = push_of();
  keyed.spec.key = "k";
  keyed.spec.has_key = true;
  turn(make(keyed));
  push();
  turn(make(core::Release{second.first, second.second, std::nullopt}));
  flush();
  auto copy = restarted();
  EXPECT_EQ(ids_of(*copy->state().find_queue("q")),
            (std::vector<uint64_t>{2, 3, 4, 5, 6, 1, 7, 8}));
  expect_same(machine, *copy);
}

TEST_F(RestoreTest, TheHistoryGoesOldestFirstByItsBytes) {
  for (int i = 0; i < 5; ++i) push();
  std::vector<std::pair<core::JobRef, core::TokenRef>> leases;
  for (int i = 0; i < 5; ++i) leases.push_back(start());
  for (const size_t i : {2U, 0U, 4U, 1U, 3U}) {
    ack(leases[i]);
    pass(10);
  }
  flush();
  auto copy = restarted();
  copy->state().set_history_bytes_max(0);
  for (const uint64_t id : {3U, 1U, 5U, 2U, 4U}) {
    ASSERT_NE(copy->state().history_overflow(), nullptr);
    EXPECT_EQ(copy->state().history_overflow()->id, core::JobId{id});
    EXPECT_EQ(copy->state().history_overflow()->ready_seq, job(id).ready_seq) << "its bytes";
    copy->begin(now);
    copy->apply_due(1);
  }
  EXPECT_EQ(copy->state().history_overflow(), nullptr);
  EXPECT_EQ(copy->state().jobs().size(), 0U);
}

TEST_F(RestoreTest, EffectsBehindTheTablesReadTheRecordsTheyChange) {
  for (int i = 0; i < 4; ++i) push();
  core::Push keyed = push_of();
  keyed.spec.key = "k";
  keyed.spec.has_key = true;
  turn(make(keyed));
  flush();
  effects.clear();
  ack(start());
  start();
  cancel(3);
  turn(make(core::Bulk{core::BulkVerb::kDelete, false, {ref(4)}}));
  keyed.spec.on_duplicate = core::OnDuplicate::kReplace;
  keyed.spec.args = "new";
  turn(make(keyed));
  auto copy = restarted(effects);
  EXPECT_EQ(copy->recovered_now(), now);
  expect_same(machine, *copy);
  EXPECT_EQ(copy->state().find_key("k")->record->args, "new");
}

TEST_F(RestoreTest, DamagedJobsAreSetAsideAndTheRestComesBack) {
  core::Push later = push_of();
  later.spec.delay_ms = 60'000;
  for (int i = 0; i < 3; ++i) turn(make(later));
  push();
  flush();
  disk.damage(core::JobId{2});
  disk.damage(core::JobId{4});
  auto copy = restarted();
  EXPECT_EQ(copy->state().jobs().size(), 3U);
  ASSERT_NE(copy->state().damage_of(core::JobId{2}), nullptr);
  EXPECT_EQ(copy->state().damage_of(core::JobId{2})->code, base::ErrorCode::kCorrupt);
  EXPECT_NE(copy->state().find(core::JobId{4}), nullptr) << "its record has not been looked at";
}

TEST_F(RestoreTest, EffectsOnADamagedJobArePassedOver) {
  for (int i = 0; i < 3; ++i) push();
  flush();
  effects.clear();
  ack(start());
  start();
  turn(make(core::Bulk{core::BulkVerb::kDelete, false, {ref(3)}}));
  disk.damage(core::JobId{1});
  disk.damage(core::JobId{3});
  auto copy = restarted(effects);
  EXPECT_EQ(copy->damaged_rows(), 1U) << "the other one was deleted";
  EXPECT_NE(copy->state().damage_of(core::JobId{1}), nullptr);
  EXPECT_EQ(copy->state().jobs().size(), 1U);
}

TEST_F(RestoreTest, AJobOfAQueueThatIsNotThereIsCorrupt) {
  store::ChangeSet set;
  set.put(store::JobHeader{.id = core::JobId{1}, .in_lane = true, .queue = 7}, "", "");
  apply_set(set);
  Machine copy(random, core::limits::kHistoryBytesMax);
  const base::Status begun = copy.begin_recovery(&fresh_reader(), seq);
  ASSERT_FALSE(begun.has_value());
  EXPECT_EQ(begun.error().code, base::ErrorCode::kCorrupt);
}

TEST_F(RestoreTest, ASideRecordThatIsNoneIsCorruptAndNamed) {
  store::ChangeSet set;
  set.put_side("q7", "nonsense");
  apply_set(set);
  Machine copy(random, core::limits::kHistoryBytesMax);
  const base::Status begun = copy.begin_recovery(&fresh_reader(), seq);
  ASSERT_FALSE(begun.has_value());
  EXPECT_EQ(begun.error().code, base::ErrorCode::kCorrupt);
  EXPECT_NE(begun.error().message.find("side record 'q7'"), std::string::npos);
}

TEST_F(RestoreTest, TablesThatLackWhatTheJournalSaysTheyHaveAreRefused) {
  push();
  flush();
  store::EffectEncoder encoder;
  encoder.begin(now);
  encoder.put(core::Flushed{seq + 2});
  Machine older(random, core::limits::kHistoryBytesMax);
  ASSERT_TRUE(older.begin_recovery(&fresh_reader(), seq).has_value());
  const std::string frame = encoder.take();
  EXPECT_EQ(older.replay(frame).error().code, base::ErrorCode::kCorrupt);
  Machine missing(random, core::limits::kHistoryBytesMax);
  ASSERT_TRUE(missing.begin_recovery(nullptr).has_value());
  EXPECT_EQ(missing.replay(frame).error().code, base::ErrorCode::kCorrupt);
  Machine newer(random, core::limits::kHistoryBytesMax);
  ASSERT_TRUE(newer.begin_recovery(&fresh_reader(), seq + 1).has_value());
  EXPECT_TRUE(newer.replay(frame).has_value());
}

// What has to be on both sides of a restart: how far each came, and what is left to do.
std::string operations_of(const Machine& machine) {
  std::string text;
  for (const auto& [number, operation] : machine.state().operations().all()) {
    store::ByteWriter out(text);
    store::encode_operation(out, operation);
  }
  return text;
}

TEST_F(RestoreTest, AnOperationGoesOnAfterARestartAndChangesEachJobOnce) {
  for (int i = 0; i < 2'500; ++i) push();
  core::OperationStart cancel;
  cancel.verb = core::OperationVerb::kCancel;
  cancel.query.terms = {{.field = core::QueryField::kQueue, .texts = {"q"}}};
  turn(make(cancel));
  machine.begin(now);
  machine.advance_operations();
  end_turn();
  make_cold();
  effects.clear();
  machine.begin(now);
  machine.advance_operations();  // Reads its records first.
  load();
  machine.begin(now);
  machine.advance_operations();
  end_turn();
  auto copy = restarted(effects);
  EXPECT_EQ(operations_of(*copy), operations_of(machine));
  EXPECT_EQ(copy->state().operations().running(), 1U);
  for (int i = 0; i < 100 && copy->state().operations().running() != 0; ++i) {
    copy->begin(now);
    for (const core::JobId id : copy->take_wants()) {
      EXPECT_TRUE(fresh_reader()
                      .read(std::span(&id, 1),
                            [&](core::JobId, const base::Result<store::JobRow>& row) {
                              copy->bring_in(id, store::decode_row(row.value()));
                              return base::Status();
                            })
                      .has_value());
    }
    copy->advance_operations();
    copy->take_effects();
  }
  const core::Operation& done = *copy->state().operations().find(1);
  EXPECT_EQ(done.done, 2'500U);
  EXPECT_EQ(done.skipped, 0U);
  EXPECT_EQ(copy->state().find_queue("q")->counters.cancelled, 2'500U);
}

TEST_F(RestoreTest, AnEditKnowsAfterARestartWhatItChanges) {
  for (int i = 0; i < 1'500; ++i) push();
  core::OperationStart edit;
  edit.verb = core::OperationVerb::kEdit;
  edit.changes = {.queue = "bulk", .type = "u", .args = "new", .priority = 9};
  edit.changes.options.delay_ms = 60'000;
  edit.changes.options.backoff = core::parse_backoff("fixed:5").value();
  edit.query.terms = {{.field = core::QueryField::kQueue, .texts = {"q"}}};
  turn(make(edit));
  machine.begin(now);
  machine.advance_operations();
  end_turn();
  const std::string from_journal = operations_of(*replayed(effects));
  EXPECT_EQ(from_journal, operations_of(machine));
  make_cold();
  effects.clear();
  auto copy = restarted(effects);
  EXPECT_EQ(operations_of(*copy), operations_of(machine));
  const core::Operation& operation = *copy->state().operations().find(1);
  EXPECT_EQ(operation.done, 1'000U);
  EXPECT_EQ(core::changes_text(operation.changes),
            "QUEUE bulk TYPE u PRIORITY 9 DELAY 60000 BACKOFF fixed:5 ARGS");
  EXPECT_EQ(operation.changes.args, "new");
}

TEST_F(RestoreTest, AQueueThatWasDeletedStaysForgotten) {
  push();
  core::OperationStart gone;
  gone.verb = core::OperationVerb::kDeleteQueue;
  gone.queue = "q";
  gone.query.terms = {{.field = core::QueryField::kQueue, .texts = {"q"}}};
  turn(make(gone));
  machine.begin(now);
  machine.advance_operations();
  end_turn();
  EXPECT_FALSE(replayed(effects)->state().find_queue("q")->is_known());
  make_cold();
  EXPECT_FALSE(restarted()->state().find_queue("q")->is_known());
}

}  // namespace
}  // namespace engine
