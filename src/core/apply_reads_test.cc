#include "core/apply_fixture.h"

namespace core {
namespace {

using Ids = std::vector<uint64_t>;

class ApplyReads : public ApplyFixture {
 protected:
  ApplyReads() {
    for (int i = 0; i < 4; ++i) push();
    PushSpec keyed = spec("other");
    keyed.key = "k";
    keyed.has_key = true;
    push(keyed);
    make_cold();
  }

  static JobRef ref(uint64_t id) { return JobRef{JobId{id}, {}, {}}; }
  static JobRef key_ref() { return JobRef{{}, "k", {}}; }
  static TokenRef token() { return TokenRef{LeaseToken{1, {}}, true}; }
  static Fail fail_of(uint64_t id) {
    Fail fail;
    fail.job = ref(id);
    fail.token = token();
    return fail;
  }
  static PushSpec on_key(OnDuplicate what) {
    PushSpec push = spec();
    push.key = "k";
    push.has_key = true;
    push.on_duplicate = what;
    return push;
  }

  bool is_ready(const CommandBody& body) { return ready_to_apply(state, Command{body}); }
  // It asks for exactly these, and is ready when they are there.
  void expect_reads(const CommandBody& body, const Ids& ids) {
    EXPECT_FALSE(is_ready(body));
    EXPECT_FALSE(is_ready(body)) << "and asks no second time";
    EXPECT_EQ(read_wants(), ids);
    EXPECT_TRUE(is_ready(body));
    run(body);
    state.residency().trim_pool(0);
    make_cold();
  }
  void expect_ready(const CommandBody& body) {
    EXPECT_TRUE(is_ready(body));
    EXPECT_FALSE(state.residency().any_wants());
    run(body);
  }
};

TEST_F(ApplyReads, CommandsOfALeaseReadTheJobTheyName) {
  expect_reads(Ack{{ref(1), token(), "", false}}, {1});
  expect_reads(AckMany{{{ref(2), token(), "", false}, {ref(1), token(), "", false}}}, {1, 2});
  expect_reads(fail_of(3), {3});
  expect_reads(Release{ref(4), token(), std::nullopt}, {4});
  expect_reads(Extend{ref(1), token(), 1'000}, {1});
  expect_reads(Progress{key_ref(), token(), "half"}, {5});
  expect_reads(WorkerBeat{"w", {{ref(1), token()}, {ref(3), token()}}, {}}, {1, 3});
  expect_reads(WorkerBye{"w", {{ref(2), token()}}}, {2});
}

TEST_F(ApplyReads, ReadsAndVerbsReadTheJobsTheyName) {
  expect_reads(Get{ref(1)}, {1});
  expect_reads(Get{key_ref()}, {5});
  expect_reads(Wait{{ref(2), ref(3), key_ref()}, false, 0}, {2, 3, 5});
  expect_reads(Bulk{BulkVerb::kRetry, false, {ref(1)}}, {1});
  expect_reads(Bulk{BulkVerb::kCancel, false, {ref(1), ref(2)}}, {1, 2});
  expect_reads(Bulk{BulkVerb::kDelete, false, {ref(3), key_ref()}}, {3, 5});
}

TEST_F(ApplyReads, AJobThatIsNotSeenIsNotRead) {
  Rights rights;
  rights.grant(Right::kAdmin, "other", false);
  const auto seen_by = [&](JobRef ref) {
    ref.sight = {&rights, set_of(Right::kRead)};
    return ref;
  };
  expect_ready(Get{seen_by(ref(1))});
  expect_ready(Wait{{seen_by(ref(2))}, false, 0});
  expect_ready(Bulk{BulkVerb::kDelete, false, {seen_by(ref(1))}});
  EXPECT_NE(state.find(JobId{1}), nullptr);
  expect_reads(Get{seen_by(key_ref())}, {5});
}

TEST_F(ApplyReads, OnlyAPushThatReplacesReadsTheHolderOfItsKey) {
  for (const OnDuplicate what : {OnDuplicate::kReturn, OnDuplicate::kError}) {
    expect_ready(Push{on_key(what)});
  }
  expect_ready(Push{spec()});
  make_cold();
  expect_reads(Push{on_key(OnDuplicate::kReplace)}, {5});
  expect_reads(PushMany{{spec(), on_key(OnDuplicate::kReplace)}}, {5});
}

TEST_F(ApplyReads, StatisticsReadTheOldestReadyJobOfEachQueue) {
  expect_reads(QueueStats{"q"}, {1});
  expect_reads(QueueStatsAll{}, {1, 5});
  expect_ready(QueueStats{"never"});
}

TEST_F(ApplyReads, StatisticsOfManyQueuesKeepWhatTheyReadOfEach) {
  EXPECT_FALSE(is_ready(QueueStatsAll{}));
  EXPECT_EQ(state.residency().take_wants_together().size(), 0U);
  std::vector<JobId> wants = state.residency().take_wants();
  ASSERT_EQ(wants.size(), 2U);
  for (const JobId id : wants) {  // One after the other: the one before has left memory again.
    EXPECT_FALSE(is_ready(QueueStatsAll{}));
    state.bring_in(id, clone_record(*rows.at(id.value)));
    state.residency().trim_pool(0);
    make_cold();
  }
  EXPECT_TRUE(is_ready(QueueStatsAll{}));
  run(QueueStatsAll{});
}

TEST_F(ApplyReads, StatisticsOfTooManyQueuesAreThoseOfQueuesWithWork) {
  expect_ready(QueueStatsAll{.queues_max = 0});
  run(QueuePause{"idle", ""});
  EXPECT_EQ(queues_told(state, {.queues_max = 1}).size(), 1U);
  EXPECT_EQ(queues_told(state, {.queues_max = 2}).size(), 2U);
  for (const Queue* queue : queues_told(state, {.queues_max = 2})) EXPECT_NE(queue->name, "idle");
  EXPECT_EQ(queues_told(state, {}).size(), state.queues().size());
  EXPECT_EQ(queues_told(state, {}).back()->name, "idle");
}

TEST_F(ApplyReads, WhatIsReadForOneCommandIsAskedForTogether) {
  EXPECT_FALSE(is_ready(Wait{{ref(2), ref(3)}, false, 0}));
  EXPECT_FALSE(is_ready(Get{ref(1)}));
  EXPECT_EQ(state.residency().take_wants(), std::vector<JobId>{JobId{1}});
  const std::vector<std::vector<JobId>> together = state.residency().take_wants_together();
  ASSERT_EQ(together.size(), 1U);
  EXPECT_EQ(together[0], (std::vector<JobId>{JobId{2}, JobId{3}}));
}

TEST_F(ApplyReads, AGroupReadsWhatEachOfItsCommandsReads) {
  Exec exec;
  exec.commands = {{Ack{{ref(1), token(), "", false}}},
                   {Push{on_key(OnDuplicate::kReplace)}},
                   {Bulk{BulkVerb::kCancel, false, {ref(3), ref(1)}}}};
  expect_reads(exec, {1, 3, 5});
}

TEST_F(ApplyReads, WhatNamesNoRecordIsAlwaysReady) {
  expect_ready(QueueList{});
  expect_ready(QueuePause{"q", ""});
  expect_ready(QueueResume{"q"});
  expect_ready(UndoGrants{});
  expect_ready(AcceptClock{});
  expect_ready(Get{ref(99)});
  expect_ready(Ack{{ref(99), token(), "", false}});
}

TEST_F(ApplyReads, AFetchAsksForTheNextJobWhenItMeetsIt) {
  EXPECT_TRUE(is_ready(fetch_of({"q"})));
  const Answer missed = run(fetch_of({"q"}, 2));
  EXPECT_TRUE(missed.misses);
  EXPECT_TRUE(missed.grants.empty());
  EXPECT_FALSE(missed.blocks);
  EXPECT_EQ(read_wants(), (Ids{1, 2, 3, 4})) << "and for those behind it";
  const Answer found = run(fetch_of({"q"}, 2));
  EXPECT_FALSE(found.misses);
  EXPECT_EQ(found.grants.size(), 2U);
}

TEST_F(ApplyReads, AFetchTakesWhatIsThereAndLeavesTheRest) {
  state.bring_in(JobId{1}, clone_record(*rows.at(1)));
  const Answer answer = run(fetch_of({"q"}, 4));
  EXPECT_EQ(answer.grants.size(), 1U);
  EXPECT_TRUE(answer.misses);
  EXPECT_EQ(read_wants(), (Ids{2, 3, 4}));
}

TEST_F(ApplyReads, AnotherTypeDoesNotPassAJobThatIsBeingRead) {
  push(spec("q", "u"));
  EXPECT_TRUE(run(fetch_of({"q"})).grants.empty()) << "job 1 is first";
  Fetch of_type = fetch_of({"q"});
  of_type.types = {"u"};
  EXPECT_EQ(run(of_type).grants.size(), 1U);
}

TEST_F(ApplyReads, TheAnswerOfAWaitReadsItsJobs) {
  EXPECT_FALSE(ready_to_tell(state, {JobId{2}, JobId{99}}));
  EXPECT_EQ(read_wants(), Ids{2});
  EXPECT_TRUE(ready_to_tell(state, {JobId{2}, JobId{99}}));
}

TEST_F(ApplyReads, AJobThatWentWhileItWasReadIsNotDamaged) {
  EXPECT_FALSE(is_ready(Get{ref(1)}));
  state.set_aside(JobId{99}, {base::ErrorCode::kNotFound, "there is none"});
  EXPECT_EQ(state.damaged(), 0U);
  state.set_aside(JobId{1}, {base::ErrorCode::kNotFound, "there is none"});
  EXPECT_EQ(state.damaged(), 1U);
}

TEST_F(ApplyReads, TheLedgerIsForAnswersThatOutliveTheirRow) {
  for (const int64_t keep_ms : {limits::kLedgerMs - 1, limits::kLedgerMs}) {
    PushSpec kept = spec("keep");
    kept.keep_ms = keep_ms;
    push(kept);
    const auto [job, token] = names(run(fetch_of({"keep"})).grants.at(0));
    run(Ack{{job, token, "", false}});
  }
  EXPECT_EQ(state.ledger().size(), 0U);
  make_cold();
  EXPECT_EQ(state.ledger().size(), 1U);
  make_cold();
  EXPECT_EQ(state.ledger().size(), 1U);
}

TEST_F(ApplyReads, ARecordThatCameForNobodyIsDropped) {
  EXPECT_FALSE(is_ready(Get{ref(1)}));
  read_wants();
  const uint64_t bytes = state.residency().record_bytes();
  state.bring_in(JobId{1}, clone_record(*rows.at(1)));
  state.bring_in(JobId{99}, clone_record(*rows.at(1)));
  EXPECT_EQ(state.residency().record_bytes(), bytes);
}

}  // namespace
}  // namespace core
