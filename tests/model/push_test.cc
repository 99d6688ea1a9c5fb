// Pushes: defaults, refusals, keys, repeated pushes, the order of ready jobs, fetches.
#include "model/scene.h"

namespace model {
namespace {

using PushRules = Scene;
using FetchRules = Scene;

TEST_F(PushRules, GiveTheDefaults) {
  const JobView& view = job(push(a_push()));
  EXPECT_EQ(view.state, State::kReady);
  EXPECT_EQ(view.priority, 5);
  EXPECT_EQ(view.max_attempts, 4);
  EXPECT_EQ(view.max_crashes, 3);
  EXPECT_EQ(view.lease_ms, 30'000);
  EXPECT_EQ(view.timeout_ms, 1'800'000);
  EXPECT_EQ(view.generation, 1);
  EXPECT_EQ(view.fence, 0);
}

TEST_F(PushRules, RefuseWhatIsOutsideTheLimits) {
  Push bad_priority = a_push();
  bad_priority.priority = 10;
  Push two_times = a_push();
  two_times.delay_ms = 1;
  two_times.at_wall_ms = 1;
  Push big = a_push();
  big.args = std::string(1'048'577, 'x');
  Push unique = a_push();
  unique.unique = "u";
  EXPECT_EQ(code(a_push("no spaces")), "BADREQ");
  EXPECT_EQ(code(bad_priority), "BADREQ");
  EXPECT_EQ(code(two_times), "BADREQ");
  EXPECT_EQ(code(big), "TOOBIG");
  EXPECT_EQ(code(unique), "NOTYET");
  EXPECT_TRUE(model.world().jobs.empty());
  EXPECT_TRUE(model.world().queues.empty());
}

TEST_F(PushRules, ADelayRunsOnEngineTimeAndAtOnTheWall) {
  Push delayed = a_push();
  delayed.delay_ms = 1'000;
  Push at = a_push();
  at.at_wall_ms = now.wall_ms + 1'000;
  const std::string delayed_id = push(delayed);
  const std::string at_id = push(at);
  now.wall_ms -= 600'000;  // The wall clock steps back: AT is late, DELAY is not.
  pass(1'000);
  EXPECT_EQ(state(delayed_id), State::kReady);
  EXPECT_EQ(state(at_id), State::kScheduled);
  now.wall_ms += 599'999;
  pass(0);
  EXPECT_EQ(state(at_id), State::kScheduled);
  now.wall_ms += 1;
  pass(0);
  EXPECT_EQ(state(at_id), State::kReady);
}

TEST_F(PushRules, AStepForwardOfMoreThanAnHourHoldsAtForSixtySeconds) {
  Push at = a_push();
  at.at_wall_ms = now.wall_ms + 7'200'000;
  const std::string id = push(at);
  now.wall_ms += 7'200'001;
  pass(0);
  EXPECT_EQ(state(id), State::kScheduled);
  const std::string past = push(at);
  EXPECT_EQ(state(past), State::kScheduled);
  pass(59'999);
  EXPECT_EQ(state(id), State::kScheduled);
  pass(1);
  EXPECT_EQ(state(id), State::kReady);
  EXPECT_EQ(state(past), State::kReady);
}

TEST_F(PushRules, AStepForwardOfOneHourHoldsNothing) {
  Push at = a_push();
  at.at_wall_ms = now.wall_ms + 3'600'000;
  const std::string id = push(at);
  now.wall_ms += 3'600'000;
  pass(0);
  EXPECT_EQ(state(id), State::kReady);
}

TEST_F(PushRules, AKeyIsUniqueAmongRetainedJobs) {
  Push keyed = a_push();
  keyed.key = "order-1";
  const std::string id = push(keyed);
  EXPECT_EQ(push(keyed), id);
  run(Ack{lease_of(fetch_one()), std::nullopt});
  EXPECT_EQ(push(keyed), id) << "a finished job that is retained holds its key";
  keyed.on_duplicate = OnDuplicate::kReport;
  EXPECT_EQ(run(keyed).created, std::optional<bool>(false));
  keyed.on_duplicate = OnDuplicate::kError;
  const Reply refused = run(keyed);
  EXPECT_EQ(refused.code, "DUPLICATE");
  EXPECT_EQ(refused.id, id);
  run(Delete{{"key:order-1"}});
  EXPECT_NE(push(keyed), id);
}

TEST_F(PushRules, ReplaceKeepsIdAndPlaceOfAJobThatWasNeverLeased) {
  Push keyed = a_push();
  keyed.key = "k";
  const std::string id = push(keyed);
  const std::string behind = push(a_push());
  keyed.on_duplicate = OnDuplicate::kReplace;
  keyed.args = "new";
  keyed.type = "other";
  EXPECT_EQ(push(keyed), id);
  EXPECT_EQ(job(id).args, "new");
  EXPECT_EQ(ids_of(a_fetch()), std::vector<std::string>{id});
  EXPECT_EQ(code(keyed), "DUPLICATE") << "it has been leased";
}

TEST_F(PushRules, ReplaceLeavesAJobAloneThatWasReleased) {
  Push keyed = a_push();
  keyed.key = "k";
  const std::string id = push(keyed);
  run(Release{lease_of(fetch_one()), std::nullopt});
  keyed.on_duplicate = OnDuplicate::kReplace;
  keyed.args = "new";
  EXPECT_EQ(code(keyed), "DUPLICATE");
  EXPECT_EQ(job(id).args, "{}");
}

TEST_F(PushRules, ReplaceTakesEveryOptionAnew) {
  Push keyed = a_push();
  keyed.key = "k";
  keyed.priority = 9;
  keyed.attempts = 7;
  keyed.expire_ms = 5'000;
  const std::string id = push(keyed);
  tick(100);
  Push plain = a_push("elsewhere");
  plain.key = "k";
  plain.on_duplicate = OnDuplicate::kReplace;
  push(plain);
  EXPECT_EQ(job(id).queue, "elsewhere");
  EXPECT_EQ(job(id).priority, 5);
  EXPECT_EQ(job(id).max_attempts, 4);
  EXPECT_FALSE(job(id).expires_at_engine_ms.has_value());
  EXPECT_EQ(job(id).pushed_wall_ms, now.wall_ms - 100);
  EXPECT_EQ(run(QueueStats{"elsewhere"}).queue.at(0).pushed, 0);
}

TEST_F(PushRules, ReplaceSetsRunAtAnew) {
  Push keyed = a_push();
  keyed.key = "k";
  const std::string id = push(keyed);
  const std::string behind = push(a_push());
  keyed.on_duplicate = OnDuplicate::kReplace;
  keyed.delay_ms = 10;
  push(keyed);
  EXPECT_EQ(state(id), State::kScheduled);
  keyed.delay_ms.reset();
  push(keyed);
  EXPECT_EQ(ids_of(a_fetch_of(2)), (std::vector<std::string>{behind, id}));
}

TEST_F(PushRules, ARequestTokenMakesTwoPushesOneJob) {
  Push again = a_push();
  again.request = "r";
  again.request_for_ms = 1'000;
  again.on_duplicate = OnDuplicate::kReport;
  const Reply first = run(again);
  tick(999);
  const Reply repeat = run(again);
  EXPECT_EQ(repeat.id, first.id);
  EXPECT_EQ(repeat.created, std::optional<bool>(true)) << "the answer of the first time";
  tick(1);
  EXPECT_NE(push(again), first.id);
}

TEST_F(PushRules, ARequestTokenSurvivesARestartAndTheJob) {
  Push again = a_push();
  again.request = "r";
  const std::string id = push(again);
  run(Delete{{id}});
  run(Restart{});
  EXPECT_EQ(push(again), id);
  EXPECT_TRUE(model.world().jobs.empty());
}

TEST_F(PushRules, AProducersSequenceIsRememberedFor1024Numbers) {
  Push sequence = a_push();
  sequence.producer = "p";
  sequence.producer_seq = 10;
  const std::string id = push(sequence);
  EXPECT_EQ(push(sequence), id);
  sequence.producer_seq = 10 + 1'023;
  const std::string later = push(sequence);
  EXPECT_NE(later, id);
  sequence.producer_seq = 10;
  EXPECT_EQ(push(sequence), id);
  sequence.producer_seq = 9;
  EXPECT_EQ(code(sequence), "BADREQ");
  sequence.producer_seq = 11;
  EXPECT_NE(push(sequence), id) << "in the window, but never seen";
}

TEST_F(PushRules, AnMpushIsWholeOrNothing) {
  Push keyed = a_push();
  keyed.key = "k";
  keyed.on_duplicate = OnDuplicate::kError;
  EXPECT_EQ(code(MPush{{a_push(), keyed, keyed}}), "DUPLICATE");
  EXPECT_TRUE(model.world().jobs.empty());
  keyed.on_duplicate = OnDuplicate::kReturn;
  const Reply made = run(MPush{{a_push(), keyed, keyed}});
  ASSERT_EQ(made.items.size(), 3U);
  EXPECT_EQ(made.items[1].id, made.items[2].id) << "items see the earlier ones";
  EXPECT_LT(made.items[0].id, made.items[1].id);
  EXPECT_EQ(code(MPush{}), "BADREQ");
}

TEST_F(PushRules, ARefusedPushRecordsNeitherRequestNorSequence) {
  Push keyed = a_push();
  keyed.key = "k";
  const std::string holder = push(keyed);
  keyed.on_duplicate = OnDuplicate::kError;
  keyed.request = "r";
  EXPECT_EQ(code(keyed), "DUPLICATE");
  Push other = a_push();
  other.request = "r";
  const std::string made = push(other);
  EXPECT_NE(made, holder);
  EXPECT_EQ(push(keyed), made) << "the request is looked up before the key";
}

TEST_F(PushRules, ARestartEndsTheHoldOfAt) {
  Push at = a_push();
  at.at_wall_ms = now.wall_ms + 7'200'000;
  const std::string id = push(at);
  now.wall_ms += 7'200'000;
  pass(0);
  EXPECT_EQ(state(id), State::kScheduled);
  run(Restart{});
  pass(0);
  EXPECT_EQ(state(id), State::kReady);
}

TEST_F(FetchRules, HighestPriorityFirstThenFifo) {
  Push high = a_push();
  high.priority = 9;
  const std::string normal_1 = push(a_push());
  const std::string normal_2 = push(a_push());
  const std::string first = push(high);
  EXPECT_EQ(ids_of(a_fetch_of(5)), (std::vector<std::string>{first, normal_1, normal_2}));
}

TEST_F(FetchRules, StrictTakesTheFirstQueueThatHasAJob) {
  Push urgent = a_push("second");
  urgent.priority = 9;
  const std::string second = push(urgent);
  const std::string first = push(a_push("first"));
  Fetch fetch = a_fetch("first");
  fetch.queues = {"first", "second"};
  fetch.count = 2;
  EXPECT_EQ(ids_of(fetch), (std::vector<std::string>{first, second}));
}

TEST_F(FetchRules, OnlyNamedTypesAreHandedOut) {
  const std::string id = push(a_push());
  Fetch fetch = a_fetch();
  fetch.types = std::vector<std::string>{"other"};
  EXPECT_TRUE(ids_of(fetch).empty());
  fetch.types->push_back("t");
  EXPECT_EQ(ids_of(fetch), std::vector<std::string>{id});
}

TEST_F(FetchRules, CountAttemptFenceAndTimes) {
  Push timed = a_push();
  timed.timeout_ms = 100'000;
  timed.lease_ms = 7'000;
  const std::string id = push(timed);
  const GrantView grant = fetch_one();
  EXPECT_EQ(grant.attempt, 1);
  EXPECT_EQ(grant.fence, 1);
  EXPECT_EQ(job(id).lease->deadline_engine_ms, now.engine_ms + 7'000);
  EXPECT_EQ(job(id).lease->timeout_at_engine_ms.value_or(0), now.engine_ms + 110'000);
}

TEST_F(FetchRules, APausedQueueGivesNothingUntilItIsResumed) {
  const std::string id = push(a_push());
  run(QueuePause{"q", "incident"});
  EXPECT_TRUE(ids_of(a_fetch()).empty());
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  EXPECT_EQ(run(waiting, 2).kind, Reply::Kind::kBlocked);
  run(QueueResume{"q"});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].conn, 2U);
  EXPECT_EQ(answers[0].reply.leases.at(0).id, id);
}

TEST_F(FetchRules, WaitersAreServedOldestFirstOneJobEachPerRound) {
  Fetch many = a_fetch_of(3);
  many.block_ms = 10'000;
  Fetch one = a_fetch();
  one.block_ms = 10'000;
  run(many, 1);
  run(one, 2);
  const Reply made = run(MPush{{a_push(), a_push(), a_push()}}, 3);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].conn, 1U);
  ASSERT_EQ(answers[0].reply.leases.size(), 2U);
  EXPECT_EQ(answers[0].reply.leases[0].id, made.items[0].id);
  EXPECT_EQ(answers[1].reply.leases.at(0).id, made.items[1].id);
  EXPECT_EQ(answers[0].reply.leases[1].id, made.items[2].id);
}

TEST_F(FetchRules, AWaiterGetsAnEmptyArrayWhenItsTimeIsUpAtTheLatestAfterSixtySeconds) {
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  run(waiting, 2);
  pass(59'999);
  EXPECT_TRUE(answers.empty());
  pass(1);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers[0].reply.leases.empty());
}

TEST_F(FetchRules, AJobThatComesInTheStepOfAWaitersEndIsStillGiven) {
  Fetch waiting = a_fetch();
  waiting.block_ms = 1'000;
  run(waiting, 2);
  Push delayed = a_push();
  delayed.delay_ms = 1'000;
  push(delayed);
  pass(1'000);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].reply.leases.size(), 1U);
}

TEST_F(FetchRules, AClosedConnectionNoLongerWaits) {
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  run(waiting, 2);
  run(Close{}, 2);
  push(a_push());
  EXPECT_TRUE(answers.empty());
}

TEST_F(FetchRules, AnUndoneGrantReturnsToItsOldPlaceAndRefundsTheAttempt) {
  const std::string id = push(a_push());
  const std::string behind = push(a_push());
  const GrantView lost = fetch_one();
  run(Close{{lease_of(lost)}}, 1);
  EXPECT_EQ(job(id).attempt, 0);
  EXPECT_EQ(job(id).fence, 1);
  EXPECT_TRUE(job(id).history.empty());
  EXPECT_EQ(ids_of(a_fetch_of(2)), (std::vector<std::string>{id, behind}));
  EXPECT_EQ(code(Ack{lease_of(lost), std::nullopt}), "LEASELOST");
}

TEST_F(FetchRules, AnUndoneGrantOfACancelledJobIsCancelled) {
  const std::string id = push(a_push());
  const GrantView lost = fetch_one();
  run(Cancel{false, {id}});
  run(Undo{{lease_of(lost)}});
  EXPECT_EQ(state(id), State::kCancelled);
  EXPECT_EQ(job(id).attempt, 0);
}

TEST_F(FetchRules, AnUndoneGrantFeedsTheNextWaiterInTheSameStep) {
  const std::string id = push(a_push());
  const GrantView lost = fetch_one();
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  run(waiting, 2);
  run(Undo{{lease_of(lost)}});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].reply.leases.at(0).fence, 2);
}

TEST_F(FetchRules, ARepeatedUndoChangesNothing) {
  const std::string id = push(a_push());
  const GrantView lost = fetch_one();
  run(Undo{{lease_of(lost)}});
  const GrantView next = fetch_one();
  run(Undo{{lease_of(lost)}});
  EXPECT_EQ(state(id), State::kRunning);
  EXPECT_EQ(next.attempt, 1);
}

TEST_F(FetchRules, AnExpiredJobIsNeverStarted) {
  Push brief = a_push();
  brief.expire_ms = 1'000;
  const std::string id = push(brief);
  pass(999);
  EXPECT_EQ(state(id), State::kReady);
  pass(1);
  EXPECT_EQ(state(id), State::kExpired);
  EXPECT_TRUE(ids_of(a_fetch()).empty());
}

TEST_F(FetchRules, ExpiryHoldsForAJobThatWasReleasedButNotForARetry) {
  Push brief = a_push();
  brief.expire_ms = 1'000;
  brief.backoff = "fixed:2000~0";
  const std::string released = push(brief);
  run(Release{lease_of(fetch_one()), std::nullopt});
  pass(1'000);
  EXPECT_EQ(state(released), State::kExpired);
  const std::string failed = push(brief);
  run(a_fail(fetch_one()));
  pass(2'000);
  EXPECT_EQ(state(failed), State::kReady);
}

TEST_F(FetchRules, ACommandDoesNoDueWork) {
  Push delayed = a_push();
  delayed.delay_ms = 10;
  const std::string id = push(delayed);
  tick(10);
  EXPECT_TRUE(ids_of(a_fetch()).empty());
  run(Advance{});
  EXPECT_EQ(ids_of(a_fetch()), std::vector<std::string>{id});
}

TEST_F(FetchRules, DueJobsBecomeReadyByTimeThenById) {
  Push later = a_push();
  later.delay_ms = 20;
  Push sooner = a_push();
  sooner.delay_ms = 10;
  const std::string third = push(later);
  const std::string first = push(sooner);
  const std::string second = push(sooner);
  pass(100);
  EXPECT_EQ(ids_of(a_fetch_of(3)), (std::vector<std::string>{first, second, third}));
}

}  // namespace
}  // namespace model
