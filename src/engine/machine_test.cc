#include "engine/machine.h"

#include "engine/flush_fixture.h"
#include "store/effect_codec.h"

namespace engine {
namespace {

using Requests = std::vector<Request*>;

class MachineTest : public MachineFixture {
 protected:
  // A machine made of nothing but the effects so far.
  std::unique_ptr<Machine> replayed() {
    auto copy = std::make_unique<Machine>(random, core::limits::kHistoryBytesMax);
    EXPECT_TRUE(copy->begin_recovery(nullptr).has_value());
    EXPECT_TRUE(copy->replay(effects).has_value());
    return copy;
  }
};

TEST_F(MachineTest, AReplayedMachineHasTheJobsAndTheirOrder) {
  for (int i = 0; i < 5; ++i) push();
  core::Fetch fetch = fetch_of({"q"});
  turn(make(fetch));
  cancel(3);
  auto copy = replayed();
  EXPECT_EQ(copy->recovered_now(), now);
  ASSERT_TRUE(copy->end_recovery(now).has_value());
  std::vector<uint64_t> order;
  for (const core::Job* job : copy->state().find_queue("q")->ready.in_order()) {
    order.push_back(job->id.value);
  }
  EXPECT_EQ(order, (std::vector<uint64_t>{2, 4, 5}));
  EXPECT_EQ(copy->state().find(core::JobId{1})->state, core::JobState::kRunning);
  EXPECT_EQ(copy->state().residency().record_bytes(), machine.state().residency().record_bytes());
}

TEST_F(MachineTest, AReaderOfEventsIsToldInTheTurnThatBringsThem) {
  Request& begin = make(core::EventRead{.cursor = "$"}, 5);
  EXPECT_EQ(turn(begin), Requests{&begin});
  const std::string cursor = cursor_of(begin);
  Request& read = make(core::EventRead{.cursor = cursor, .block_ms = 5'000}, 5);
  EXPECT_TRUE(turn(read).empty());
  Request& pushed = make(push_of(), 6);
  EXPECT_EQ(turn(pushed), (Requests{&pushed, &read}));
  EXPECT_NE(read.answer.reply.tape().find("\"event\":\"pushed\""), std::string_view::npos);
  Request& in_vain = make(core::EventRead{.cursor = cursor, .count = 1, .block_ms = 10}, 5);
  EXPECT_EQ(turn(in_vain), Requests{&in_vain});
  Request& at_end = make(core::EventRead{.cursor = "$"}, 5);
  turn(at_end);
  EXPECT_EQ(at_end.answer.reply.tape().find("\"event\""), std::string_view::npos);
}

TEST_F(MachineTest, AnOperationThatIsRefusedBetweenTwoStepsIsAnswered) {
  for (size_t i = 0; i < core::limits::kWalkIdsPerTurn + 100; ++i) push();
  core::OperationStart gone;
  gone.verb = core::OperationVerb::kDeleteQueue;
  gone.queue = "q";
  gone.query.terms = {{.field = core::QueryField::kQueue, .texts = {"q"}}};
  Request& begun = make(gone, 5);
  EXPECT_TRUE(turn(begun).empty());
  EXPECT_TRUE(machine.has_more_to_walk());
  turn(make(fetch_of({"q"}), 6));
  machine.begin(now);
  machine.retry_parked();
  EXPECT_EQ(end_turn(), Requests{&begun});
  EXPECT_NE(begun.answer.reply.tape().find("state=running"), std::string_view::npos);
  EXPECT_TRUE(machine.parked().empty());
}

TEST_F(MachineTest, AWalkThatRestsStandsStillWhileOthersGoOn) {
  push();
  core::CountJobs count;
  count.query.terms = {{.field = core::QueryField::kPriority, .number = 5}};
  Request& counted = make(count, 5);
  machine.rest_walks(true);
  EXPECT_TRUE(turn(counted).empty());
  EXPECT_TRUE(machine.has_more_to_walk());
  EXPECT_FALSE(machine.has_walked());
  Request& fetched = make(fetch_of({"q"}), 6);
  EXPECT_EQ(turn(fetched), Requests{&fetched});
  machine.rest_walks(false);
  machine.begin(now);
  machine.retry_parked();
  EXPECT_EQ(end_turn(), Requests{&counted});
  EXPECT_TRUE(machine.has_walked());
  EXPECT_FALSE(machine.has_more_to_walk());
}

// Each finds few jobs a step, and has a large page in the end.
TEST_F(MachineTest, OfManyListsTheOldestEndBeforeOthersGrow) {
  constexpr size_t kLists = 40;
  const std::string large(size_t{7} << 10, 'x');
  for (int i = 0; i < 20'000; ++i) {
    core::Push push = push_of(i % 20 == 0 ? "rare" : "q");
    if (i % 20 == 0) push.spec.meta = {{"m", large}};
    turn(make(push));
  }
  core::ListJobs list{.count = 1'000};
  list.query.terms = {{.field = core::QueryField::kQueue, .texts = {"rare"}}};
  std::vector<Request*> lists;
  machine.begin(now);
  for (size_t i = 0; i < kLists; ++i) {
    machine.apply(*lists.emplace_back(&make(list, 10 + i)));
  }
  std::vector<Request*> ended = end_turn();
  size_t most = 0;
  for (int steps = 0; ended.size() < kLists; ++steps) {
    ASSERT_TRUE(machine.has_more_to_walk()) << ended.size() << " have ended";
    ASSERT_LT(steps, 10'000);
    size_t held = 0;
    for (const Request* each : lists) {
      if (each->answer.walk) held += each->answer.walk->jobs.tape().size();
    }
    most = std::max(most, held);
    machine.begin(now);
    machine.retry_parked();
    const std::vector<Request*> more = end_turn();
    ended.insert(ended.end(), more.begin(), more.end());
  }
  EXPECT_EQ(ended, lists) << "in the order in which they came";
  EXPECT_GT(most, size_t{8} << 20);
  EXPECT_LT(most, size_t{40} << 20);
}

TEST_F(MachineTest, ANewJournalTellsOfNoTime) {
  EXPECT_FALSE(replayed()->recovered_now().has_value());
}

TEST_F(MachineTest, ARestartGivesEachLeaseItsGrace) {
  push();
  turn(make(fetch_of({"q"})));
  auto copy = replayed();
  const base::Now later{now.engine + base::Duration{core::limits::kHourMs}, now.wall};
  ASSERT_TRUE(copy->end_recovery(later).has_value());
  EXPECT_EQ(copy->state().find(core::JobId{1})->record->lease.deadline,
            later.engine + base::Duration{core::limits::kLeaseMsDefault});
}

TEST_F(MachineTest, OnceQuietItGivesNoLeaseAndLetsNobodyWait) {
  Request& fetch = make(fetch_of({"q"}), 1);
  EXPECT_TRUE(turn(fetch).empty());
  machine.quiesce();
  machine.begin(now);
  EXPECT_EQ(end_turn(), Requests{&fetch});
  EXPECT_EQ(leases(fetch), 0);
  push();
  Request& late = make(fetch_of({"q"}), 2);
  EXPECT_EQ(turn(late), Requests{&late});
  EXPECT_EQ(leases(late), 0);
  EXPECT_EQ(machine.state().find(core::JobId{1})->state, core::JobState::kReady);
}

TEST_F(MachineTest, AGrantWhoseConnectionClosedIsTakenBack) {
  push();
  Request& fetch = make(fetch_of({"q"}), 1);
  turn(fetch);
  Request& close = make(core::UndoGrants{fetch.answer.grants}, 1);
  close.kind = Request::Kind::kClose;
  EXPECT_EQ(turn(close), Requests{&close});
  const core::Job& job = *machine.state().find(core::JobId{1});
  EXPECT_EQ(job.state, core::JobState::kReady);
  EXPECT_EQ(job.record->attempt, 0U);
  EXPECT_EQ(job.record->fence, 1U);
}

TEST_F(MachineTest, AWaitingFetchIsFedWhenItsTypeIsResumed) {
  turn(make(core::TypePause{"t", "", "fire"}));
  Request& fetch = make(fetch_of({"q"}), 2);
  turn(fetch);
  push();
  EXPECT_EQ(machine.waiting(), 1U);
  const std::vector<Request*> answered = turn(make(core::TypeResume{"t", ""}));
  ASSERT_EQ(answered.size(), 2U);
  EXPECT_EQ(leases(fetch), 1);
}

TEST_F(MachineTest, AQuietWorkerThatWaitsIsGivenNothing) {
  Request& fetch = make(fetch_of({"q"}), 2);
  turn(fetch);
  turn(make(core::WorkerTell{"w", core::WorkerOrder::kQuiet}));
  push();
  EXPECT_EQ(machine.waiting(), 1U);
  pass(5'000);
  EXPECT_EQ(leases(fetch), 0);
  EXPECT_EQ(machine.state().find(core::JobId{1})->state, core::JobState::kReady);
}

TEST_F(MachineTest, AGoodbyeOfAQuietWorkerFeedsWhatWaitsByItsName) {
  Request& fetch = make(fetch_of({"q"}), 2);
  turn(fetch);
  turn(make(core::WorkerTell{"w", core::WorkerOrder::kQuiet}));
  push();
  turn(make(core::WorkerBye{"w", {}}));
  EXPECT_EQ(leases(fetch), 1);
}

TEST_F(MachineTest, WhatAGoneSessionWantedToReadIsNotReadAndWhatItWantedDoneIs) {
  SessionOrder order;
  order.gone = true;
  const auto ask = [&](core::CommandBody body, Lane lane) -> Request& {
    Request& request = make(std::move(body));
    request.order = &order;
    request.lane = lane;
    EXPECT_EQ(turn(request), Requests{&request});
    return request;
  };
  EXPECT_TRUE(ask(core::QueueList{}, Lane::kRead).answer.reply.empty());
  core::Exec exec;
  exec.commands.push_back({push_of()});
  EXPECT_FALSE(ask(std::move(exec), Lane::kRead).answer.reply.empty());
  EXPECT_FALSE(ask(push_of(), Lane::kPush).answer.reply.empty());
  EXPECT_EQ(machine.state().jobs().size(), 2U);
}

TEST_F(MachineTest, DueWorkComesInSlices) {
  core::Push later = push_of();
  later.spec.delay_ms = 10;
  for (int i = 0; i < 10; ++i) turn(make(later));
  now.engine += base::Duration{10};
  machine.begin(now);
  EXPECT_TRUE(machine.apply_due(4));
  EXPECT_EQ(machine.state().find_queue("q")->ready.in_order().size(), 4U);
  EXPECT_TRUE(machine.apply_due(4));
  EXPECT_FALSE(machine.apply_due(4));
  EXPECT_EQ(machine.state().find_queue("q")->ready.in_order().size(), 10U);
}

TEST_F(MachineTest, APushIsRefusedWithTheReasonItIsGiven) {
  const base::Error full{base::ErrorCode::kDiskFull, "no room"};
  machine.begin(now, &full);
  Request& pushed = make(push_of());
  machine.apply(pushed);
  core::ReplyReader reader(pushed.answer.reply.tape());
  ASSERT_EQ(reader.tag(), core::ReplyTag::kError);
  EXPECT_EQ(reader.code(), base::ErrorCode::kDiskFull);
  end_turn();
  EXPECT_EQ(machine.state().jobs().size(), 0U);
}

// Jobs 1 to 3 of queue q, all of them in the tables alone.
class ColdMachine : public FlushFixture {
 protected:
  ColdMachine() {
    for (int i = 0; i < 3; ++i) push();
    make_cold();
  }
  static core::Fetch fetch_now(int64_t count = 1) {
    core::Fetch fetch = fetch_of({"q"});
    fetch.block_ms.reset();
    fetch.count = count;
    return fetch;
  }
  void ack_first() {
    Request& fetch = make(fetch_now(), 99);
    turn(fetch);
    load();
    const auto& [id, token] = fetch.answer.grants.at(0);
    ack({core::JobRef{id, {}, {}}, core::TokenRef{token, true}});
  }
  void cold_cancel(uint64_t id) {
    turn(make(core::Bulk{core::BulkVerb::kCancel, false, {ref(id)}}, 98));
    load();
  }
  static core::ReplyTag tag_of(const Request& request) {
    return core::ReplyReader(request.answer.reply.tape()).tag();
  }
};

TEST_F(ColdMachine, AGetIsAnsweredWhenTheRecordIsThere) {
  Request& get = make(core::Get{ref(2)});
  EXPECT_TRUE(turn(get).empty());
  EXPECT_EQ(machine.parked().size(), 1U);
  EXPECT_EQ(load(), Requests{&get});
  EXPECT_EQ(tag_of(get), core::ReplyTag::kMap);
  EXPECT_TRUE(machine.parked().empty());
}

TEST_F(ColdMachine, CommandsBehindAParkedOneWaitOnTheirOwnConnectionAlone) {
  Request& get = make(core::Get{ref(2)}, 1);
  Request& behind = make(push_of(), 1);
  Request& other = make(core::QueueList{}, 2);
  turn(get);
  EXPECT_TRUE(turn(behind).empty());
  EXPECT_EQ(machine.state().jobs().size(), 3U);
  EXPECT_EQ(turn(other), Requests{&other});
  EXPECT_EQ(load(), (Requests{&get, &behind}));
  EXPECT_EQ(machine.state().jobs().size(), 4U);
}

TEST_F(ColdMachine, ACommandBehindMayParkAgain) {
  Request& first = make(core::Get{ref(1)});
  Request& second = make(core::Get{ref(3)});
  turn(first);
  turn(second);
  EXPECT_EQ(load(), Requests{&first});
  EXPECT_EQ(load(), Requests{&second});
}

TEST_F(ColdMachine, AFetchThatDoesNotBlockIsParkedRatherThanEmpty) {
  Request& fetch = make(fetch_now(2));
  EXPECT_TRUE(turn(fetch).empty());
  EXPECT_EQ(machine.parked().size(), 1U);
  EXPECT_EQ(load(), Requests{&fetch});
  EXPECT_EQ(leases(fetch), 2);
}

TEST_F(ColdMachine, AFetchThatBlocksIsFedWhenTheRecordIsThere) {
  Request& older = make(fetch_of({"q"}), 1);
  Request& younger = make(fetch_of({"q"}), 2);
  EXPECT_TRUE(turn(older).empty());
  EXPECT_TRUE(turn(younger).empty());
  EXPECT_EQ(machine.waiting(), 2U);
  EXPECT_EQ(load(), (Requests{&older, &younger}));
  EXPECT_EQ(older.answer.grants.at(0).first, core::JobId{1});
  EXPECT_EQ(younger.answer.grants.at(0).first, core::JobId{2});
}

TEST_F(ColdMachine, AFetchThatFindsSomeTakesThemWithoutTheRest) {
  machine.state().residency().want(job(1));
  EXPECT_TRUE(load().empty());
  Request& fetch = make(fetch_now(3));
  EXPECT_EQ(turn(fetch), Requests{&fetch});
  EXPECT_EQ(leases(fetch), 1);
}

TEST_F(ColdMachine, TheTimeOfAFetchIsUpThoughARecordIsBeingRead) {
  Request& fetch = make(fetch_of({"q"}, 100));
  turn(fetch);
  EXPECT_EQ(pass(100), Requests{&fetch});
  EXPECT_EQ(leases(fetch), 0);
}

TEST_F(ColdMachine, OnceQuietAParkedFetchIsAnsweredWithNothing) {
  Request& fetch = make(fetch_now());
  turn(fetch);
  machine.quiesce();
  machine.begin(now);
  machine.retry_parked();
  EXPECT_EQ(end_turn(), Requests{&fetch});
  EXPECT_EQ(leases(fetch), 0);
}

TEST_F(ColdMachine, AWaitForAFinishedJobIsAnsweredWhenItsRecordIsThere) {
  ack_first();
  make_cold();
  Request& wait = make(wait_of({1}, false));
  EXPECT_TRUE(turn(wait).empty());
  EXPECT_EQ(load(), Requests{&wait});
  EXPECT_EQ(leases(wait), 1);
}

TEST_F(ColdMachine, AWaitWhoseOtherJobHasLeftMemoryIsAnsweredWhenItIsBack) {
  Request& wait = make(wait_of({1, 2}, true), 7);
  turn(wait);
  load();
  EXPECT_EQ(machine.waiting(), 1U);
  machine.state().residency().trim_pool(0);
  cold_cancel(1);
  EXPECT_EQ(machine.waiting(), 0U);
  EXPECT_EQ(machine.parked().size(), 1U);
  EXPECT_FALSE(machine.parked().holds(7));
  EXPECT_EQ(load(), Requests{&wait});
  EXPECT_EQ(leases(wait), 2) << "an array of two jobs";
}

TEST_F(ColdMachine, AGroupIsAppliedWhenAllItsRecordsAreThere) {
  core::Exec exec;
  exec.commands = {{push_of()}, {core::Bulk{core::BulkVerb::kCancel, false, {ref(1), ref(3)}}}};
  Request& request = make(exec);
  EXPECT_TRUE(turn(request).empty());
  EXPECT_EQ(machine.state().jobs().size(), 3U) << "nothing was done";
  EXPECT_EQ(load(), Requests{&request});
  EXPECT_EQ(tag_of(request), core::ReplyTag::kArray);
  EXPECT_EQ(job(3).state, core::JobState::kCancelled);
  EXPECT_EQ(machine.state().jobs().size(), 4U);
}

TEST_F(ColdMachine, AClosedSessionIsAnsweredNothingOfWhatItHadParked) {
  Request& get = make(core::Get{ref(2)}, 7);
  Request& behind = make(push_of(), 7);
  turn(get);
  turn(behind);
  Request& close = make(core::UndoGrants{}, 7);
  close.kind = Request::Kind::kClose;
  EXPECT_EQ(turn(close), (Requests{&get, &behind, &close}));
  EXPECT_TRUE(get.answer.reply.empty());
  EXPECT_TRUE(behind.answer.reply.empty());
  EXPECT_TRUE(load().empty());
  EXPECT_EQ(machine.state().jobs().size(), 3U);
}

TEST_F(ColdMachine, AJobWhoseRowIsDamagedIsSetAsideAndItsCommandsGoOn) {
  disk.damage(core::JobId{1});
  Request& get = make(core::Get{ref(1)}, 1);
  Request& fetch = make(fetch_of({"q"}), 2);
  turn(get);
  turn(fetch);
  const Requests answered = load();
  ASSERT_EQ(answered, (Requests{&get, &fetch}));
  EXPECT_EQ(tag_of(get), core::ReplyTag::kError);
  EXPECT_EQ(fetch.answer.grants.at(0).first, core::JobId{2});
  EXPECT_EQ(machine.damaged_rows(), 1U);
}

TEST_F(ColdMachine, WhatIsDueWaitsForItsRecord) {
  core::Push later = push_of();
  later.spec.delay_ms = 1'000;
  turn(make(later));
  make_cold();
  EXPECT_TRUE(pass(1'000).empty());
  EXPECT_EQ(job(4).state, core::JobState::kScheduled);
  EXPECT_EQ(machine.next_due(), base::EngineTime::never());
  load();
  EXPECT_EQ(job(4).state, core::JobState::kReady);
}

// Whatever the turns do while records leave and come back, nothing is lost and the order holds.
TEST_F(ColdMachine, EveryJobIsGrantedOnceAndInOrderThoughAllAreCold) {
  for (int i = 0; i < 500; ++i) push();
  make_cold();
  std::vector<uint64_t> order;
  for (int turns = 0; order.size() < 503 && turns < 2'000; ++turns) {
    Request& fetch = make(fetch_now(7), static_cast<uint64_t>(turns) + 10);
    turn(fetch);
    if (machine.parked().size() > 0) load();
    for (const auto& [id, token] : fetch.answer.grants) order.push_back(id.value);
    if (turns % 10 == 0) make_cold();
  }
  ASSERT_EQ(order.size(), 503U);
  for (uint64_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i + 1);
}

// As the loader tells that the records are too large together.
void give_up(Machine& machine, const std::vector<core::JobId>& ids) {
  for (const core::JobId id : ids) {
    machine.bring_in({id, base::fail(base::ErrorCode::kTooBig, "together"), {}});
  }
}

TEST_F(ColdMachine, ACommandWhoseRecordsAreTooMuchTogetherIsRefusedAndOthersAreNot) {
  core::Bulk bulk{core::BulkVerb::kDelete, false, {}};
  for (uint64_t id = 1; id <= 20; ++id) {
    if (id > 3) push();
    bulk.jobs.push_back(ref(id));
  }
  make_cold();
  Request& many = make(bulk, 1);
  Request& one = make(core::Get{ref(2)}, 2);
  turn(many);
  turn(one);
  const auto together = machine.take_wants_together();
  ASSERT_EQ(together.size(), 1U);
  EXPECT_EQ(together[0].size(), 20U);
  machine.begin(now);
  give_up(machine, together[0]);
  machine.retry_parked();
  EXPECT_EQ(end_turn(), std::vector<Request*>{&many});
  core::ReplyReader reader(many.answer.reply.tape());
  ASSERT_EQ(reader.tag(), core::ReplyTag::kError);
  EXPECT_EQ(reader.code(), base::ErrorCode::kTooBig);
  EXPECT_EQ(machine.state().jobs().size(), 20U);
  EXPECT_EQ(load(), std::vector<Request*>{&one}) << "it asks again for itself";
}

TEST_F(ColdMachine, FewRecordsAreAskedForAgainWhenOthersWereTooMuch) {
  Request& few = make(core::Bulk{core::BulkVerb::kCancel, false, {ref(1), ref(2)}}, 1);
  turn(few);
  machine.begin(now);
  for (const auto& ids : machine.take_wants_together()) give_up(machine, ids);
  machine.retry_parked();
  EXPECT_TRUE(end_turn().empty());
  EXPECT_EQ(load(), std::vector<Request*>{&few});
}

}  // namespace
}  // namespace engine
