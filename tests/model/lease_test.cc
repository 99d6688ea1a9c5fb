// Leases: how they end, tokens, the terminal ledger, crashes, cancel, retry, restarts.
#include "model/scene.h"

namespace model {
namespace {

using LeaseRules = Scene;
using CrashRules = Scene;
using CancelRules = Scene;
using ManageRules = Scene;
using RestartRules = Scene;

TEST_F(LeaseRules, AnAckKeepsTheResult) {
  const std::string id = push(a_push());
  EXPECT_EQ(run(Ack{lease_of(fetch_one()), "42"}).kind, Reply::Kind::kOk);
  EXPECT_EQ(state(id), State::kSucceeded);
  EXPECT_EQ(job(id).result.value_or(""), "42");
  EXPECT_EQ(job(id).history.at(0).outcome, Outcome::kSucceeded);
}

TEST_F(LeaseRules, AnyOtherTokenIsLeaseLostAndChangesNothing) {
  const std::string id = push(a_push());
  push(a_push());
  const GrantView mine = fetch_one();
  const GrantView other = fetch_one();
  ASSERT_EQ(mine.fence, other.fence);
  const LeaseName mixed{id, other.token};
  EXPECT_EQ(code(Ack{mixed, std::nullopt}), "LEASELOST");
  EXPECT_EQ(code(Extend{mixed, 1'000}), "LEASELOST");
  EXPECT_EQ(code(Progress{mixed, "x"}), "LEASELOST");
  EXPECT_EQ(code(Release{mixed, std::nullopt}), "LEASELOST");
  EXPECT_EQ(state(id), State::kRunning);
  run(Ack{lease_of(mine), std::nullopt});
  EXPECT_EQ(code(Ack{mixed, std::nullopt}), "LEASELOST") << "the fence alone proves nothing";
}

TEST_F(LeaseRules, ARepeatedTerminalCommandIsAnsweredTheSameForSixtySeconds) {
  Push retried = a_push();
  retried.backoff = "fixed:500~0";
  push(retried);
  const GrantView grant = fetch_one();
  const Reply first = run(a_fail(grant));
  EXPECT_EQ(first.state, std::optional<State>(State::kScheduled));
  EXPECT_EQ(first.run_at_engine_ms.value_or(0), now.engine_ms + 500);
  pass(59'999);
  const Reply repeat = run(a_fail(grant));
  EXPECT_EQ(repeat.state, first.state) << "although the job is ready by now";
  EXPECT_EQ(repeat.run_at_engine_ms, first.run_at_engine_ms);
  EXPECT_EQ(code(Ack{lease_of(grant), std::nullopt}), "LEASELOST");
}

TEST_F(LeaseRules, TheLedgerOutlivesTheRecordAndThenTheAnswerIsGone) {
  const std::string id = push(a_push());
  const Ack ack{lease_of(fetch_one()), std::nullopt};
  run(ack);
  run(Delete{{id}});
  tick(59'999);
  EXPECT_EQ(run(ack).kind, Reply::Kind::kOk);
  EXPECT_FALSE(exists(id)) << "a repeated ack makes no record";
  tick(1);
  EXPECT_EQ(code(ack), "GONE");
}

TEST_F(LeaseRules, KeepProlongsTheLedger) {
  Push kept = a_push();
  kept.keep_ms = 120'000;
  push(kept);
  const Ack ack{lease_of(fetch_one()), std::nullopt};
  run(ack);
  tick(119'999);
  EXPECT_EQ(run(ack).kind, Reply::Kind::kOk);
}

TEST_F(LeaseRules, AnIdNeverGivenIsNotFound) {
  push(a_push());
  EXPECT_EQ(code(Ack{{"FZZZZZZZZZZZZ", "ABC"}, std::nullopt}), "NOTFOUND");
  EXPECT_EQ(code(Ack{{"key:nobody", "ABC"}, std::nullopt}), "NOTFOUND");
  EXPECT_EQ(code(Ack{{"nonsense", "ABC"}, std::nullopt}), "BADREQ");
}

TEST_F(LeaseRules, AFailedJobRunsAgainUntilItsAttemptsAreUsedUp) {
  Push twice = a_push();
  twice.attempts = 2;
  twice.backoff = "fixed:500~0";
  const std::string id = push(twice);
  run(a_fail(fetch_one()));
  wait_ready(id);
  Fail last = a_fail(fetch_one());
  last.retry_in_ms = 10;
  EXPECT_EQ(run(last).state, std::optional<State>(State::kDead));
  EXPECT_EQ(job(id).dead_reason, DeadReason::kAttempts);
  ASSERT_EQ(job(id).history.size(), 2U);
  EXPECT_EQ(job(id).history[1].attempt, 2);
  EXPECT_EQ(job(id).history[1].error_class, "ValueError");
}

TEST_F(LeaseRules, RetryInOverridesTheBackoffOnceAndNoRetryIsFinal) {
  const std::string id = push(a_push());
  Fail now_again = a_fail(fetch_one());
  now_again.retry_in_ms = 0;
  EXPECT_EQ(run(now_again).state, std::optional<State>(State::kReady));
  Fail never = a_fail(fetch_one());
  never.no_retry = true;
  EXPECT_EQ(run(never).state, std::optional<State>(State::kDead));
  EXPECT_EQ(job(id).dead_reason, DeadReason::kNoRetry);
}

TEST_F(LeaseRules, ARetryGoesToTheTailAReleaseToItsOldPlace) {
  const std::string first = push(a_push());
  const std::string second = push(a_push());
  const GrantView grant = fetch_one();
  run(Release{lease_of(grant), std::nullopt});
  EXPECT_EQ(job(first).attempt, 0);
  Fail again = a_fail(fetch_one());
  EXPECT_EQ(again.lease.id, first);
  again.retry_in_ms = 0;
  run(again);
  EXPECT_EQ(ids_of(a_fetch_of(2)), (std::vector<std::string>{second, first}));
}

TEST_F(LeaseRules, ASnoozeCostsNoAttempt) {
  const std::string id = push(a_push());
  run(Release{lease_of(fetch_one()), 1'000});
  EXPECT_EQ(state(id), State::kScheduled);
  EXPECT_EQ(job(id).attempt, 0);
  wait_ready(id);
  EXPECT_EQ(fetch_one().fence, 2);
}

TEST_F(LeaseRules, ABeatRenewsExactlyTheLeasesItNames) {
  const std::string named = push(a_push());
  const std::string unnamed = push(a_push());
  const GrantView mine = fetch_one();
  fetch_one();
  pass(20'000);
  const Reply reply = run(Beat{"w", {lease_of(mine), {unnamed, "0000"}}});
  EXPECT_EQ(reply.lost, std::vector<std::string>{unnamed});
  pass(10'000);
  EXPECT_EQ(state(named), State::kRunning);
  EXPECT_EQ(state(unnamed), State::kScheduled);
}

TEST_F(LeaseRules, ALeaseIsValidUntilItsExpiryIsCommitted) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  tick(30'001);
  EXPECT_EQ(run(Ack{lease_of(grant), std::nullopt}).kind, Reply::Kind::kOk);
  EXPECT_EQ(state(id), State::kSucceeded);
}

TEST_F(LeaseRules, ExtendNeverShortensAndTellsOfACancel) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  EXPECT_EQ(run(Extend{lease_of(grant), 1'000}).lease_ms, 30'000);
  run(Cancel{false, {id}});
  const Reply reply = run(Extend{lease_of(grant), 100'000});
  EXPECT_EQ(reply.lease_ms, 100'000);
  EXPECT_TRUE(reply.cancelled);
}

TEST_F(LeaseRules, ProgressIsKeptForTheNextAttempt) {
  push(a_push());
  const GrantView grant = fetch_one();
  run(Progress{lease_of(grant), "50%"});
  Fail again = a_fail(grant);
  again.retry_in_ms = 0;
  run(again);
  EXPECT_EQ(fetch_one().progress.value_or(""), "50%");
}

TEST_F(LeaseRules, ATimeoutIsAFailureOfClassTimeoutAndNoCrash) {
  Push timed = a_push();
  timed.timeout_ms = 2'000;
  const std::string id = push(timed);
  const GrantView grant = fetch_one();
  pass(6'999);
  EXPECT_EQ(state(id), State::kRunning);
  pass(1);
  EXPECT_EQ(state(id), State::kScheduled);
  EXPECT_EQ(job(id).crashes, 0);
  EXPECT_EQ(job(id).attempt, 1);
  EXPECT_EQ(job(id).history.at(0).error_class, "Timeout");
  EXPECT_EQ(run(Beat{"w", {lease_of(grant)}}).lost, std::vector<std::string>{id});
}

TEST_F(LeaseRules, MackAnswersOneEach) {
  push(a_push());
  const GrantView grant = fetch_one();
  const Ack good{lease_of(grant), std::nullopt};
  const Reply reply = run(MAck{{good, good, {{grant.id, "0000"}, std::nullopt}}});
  ASSERT_EQ(reply.items.size(), 3U);
  EXPECT_EQ(reply.items[0].kind, Reply::Kind::kOk);
  EXPECT_EQ(reply.items[1].kind, Reply::Kind::kOk);
  EXPECT_EQ(reply.items[2].code, "LEASELOST");
}

TEST_F(CrashRules, ALostLeaseComesBackAfterASecondAndCountsAnAttemptAndACrash) {
  const std::string id = push(a_push());
  lose(fetch_one());
  EXPECT_EQ(state(id), State::kScheduled);
  EXPECT_EQ(job(id).attempt, 1);
  EXPECT_EQ(job(id).crashes, 1);
  EXPECT_FALSE(job(id).suspect);
  EXPECT_GE(job(id).run_at.ms, now.engine_ms + 1'000);
  EXPECT_LE(job(id).run_at.ms, now.engine_ms + 1'500);
}

TEST_F(CrashRules, FromTheSecondCrashOnAJobIsLeasedAlone) {
  const std::string id = push(a_push());
  for (int crash = 0; crash < 2; ++crash) {
    lose(fetch_one());
    wait_ready(id);
  }
  EXPECT_TRUE(job(id).suspect);
  const std::string innocent = push(a_push());
  Fetch holding = a_fetch();
  holding.holding = 1;
  EXPECT_EQ(ids_of(holding), std::vector<std::string>{innocent});
  EXPECT_TRUE(ids_of(a_fetch_of(2)).empty());
  EXPECT_EQ(ids_of(a_fetch()), std::vector<std::string>{id});
}

TEST_F(CrashRules, TheThirdCrashAloneMakesItDead) {
  const std::string id = push(a_push());
  for (int crash = 0; crash < 2; ++crash) {
    lose(fetch_one());
    wait_ready(id);
  }
  lose(fetch_one());
  EXPECT_EQ(state(id), State::kDead);
  EXPECT_EQ(job(id).dead_reason, DeadReason::kCrashes);
  EXPECT_EQ(job(id).history.size(), 3U);
}

TEST_F(CrashRules, ACrashInCompanyNeverMakesAJobDead) {
  Push fragile = a_push();
  fragile.crashes = 1;
  const std::string id = push(fragile);
  Fetch in_company = a_fetch_of(5);
  run(in_company);
  pass(30'000);
  EXPECT_EQ(state(id), State::kScheduled);
  wait_ready(id);
  lose(fetch_one());
  EXPECT_EQ(state(id), State::kDead);
}

TEST_F(CrashRules, LeasesNeverExceedTheAttempts) {
  Push once = a_push();
  once.attempts = 1;
  const std::string id = push(once);
  run(a_fetch_of(5));
  pass(30'000);
  EXPECT_EQ(state(id), State::kDead);
  EXPECT_EQ(job(id).dead_reason, DeadReason::kAttempts);
}

TEST_F(CrashRules, RetryForgivesTheCrashes) {
  const std::string id = push(a_push());
  for (int crash = 0; crash < 2; ++crash) {
    lose(fetch_one());
    wait_ready(id);
  }
  run(Cancel{false, {id}});
  run(Retry{{id}});
  EXPECT_EQ(job(id).crashes, 0);
  EXPECT_FALSE(job(id).suspect);
  EXPECT_EQ(ids_of(a_fetch_of(2)), std::vector<std::string>{id});
}

TEST_F(CancelRules, AJobThatIsNotRunningIsCancelledAtOnce) {
  const std::string id = push(a_push());
  EXPECT_EQ(first_code(Cancel{false, {id}}), "");
  EXPECT_EQ(state(id), State::kCancelled);
  EXPECT_TRUE(ids_of(a_fetch()).empty());
  EXPECT_EQ(first_code(Cancel{false, {id}}), "") << "again is no error";
}

TEST_F(CancelRules, ARunningJobKeepsItsLeaseUntilTheWorkerLetsGo) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  run(Cancel{false, {id}});
  EXPECT_EQ(state(id), State::kRunning);
  EXPECT_EQ(run(Beat{"w", {lease_of(grant)}}).cancel, std::vector<std::string>{id});
  EXPECT_EQ(code(Ack{lease_of(grant), "42"}), "CANCELLED");
  EXPECT_EQ(state(id), State::kCancelled);
  EXPECT_FALSE(job(id).result.has_value());
  EXPECT_EQ(code(Ack{lease_of(grant), "42"}), "CANCELLED");
}

TEST_F(CancelRules, FailReleaseAndLeaseEndAllCancel) {
  const auto begin = [this] {
    const std::string id = push(a_push());
    const GrantView grant = fetch_one();
    EXPECT_EQ(grant.id, id);
    run(Cancel{false, {id}});
    return grant;
  };
  EXPECT_EQ(run(a_fail(begin())).state, std::optional<State>(State::kCancelled));
  const GrantView released = begin();
  run(Release{lease_of(released), std::nullopt});
  EXPECT_EQ(state(released.id), State::kCancelled);
  const GrantView lost = begin();
  lose(lost);
  EXPECT_EQ(state(lost.id), State::kCancelled);
  EXPECT_EQ(job(lost.id).crashes, 0);
}

TEST_F(CancelRules, ForceEndsTheLeaseAndALateAckLearnsIt) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  run(Cancel{true, {id}});
  EXPECT_EQ(state(id), State::kCancelled);
  EXPECT_EQ(code(Ack{lease_of(grant), std::nullopt}), "CANCELLED");
  EXPECT_EQ(run(Beat{"w", {lease_of(grant)}}).lost, std::vector<std::string>{id});
}

TEST_F(ManageRules, RetryOpensANewGeneration) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  Fail never = a_fail(grant);
  never.no_retry = true;
  run(never);
  EXPECT_EQ(first_code(Retry{{id}}), "");
  EXPECT_EQ(state(id), State::kReady);
  EXPECT_EQ(job(id).generation, 2);
  EXPECT_EQ(job(id).attempt, 0);
  EXPECT_EQ(job(id).history.size(), 1U);
  EXPECT_EQ(code(Release{lease_of(grant), std::nullopt}), "LEASELOST");
  EXPECT_EQ(fetch_one().fence, 2);
  EXPECT_EQ(first_code(Retry{{id}}), "BADSTATE");
}

TEST_F(ManageRules, RetryMakesTheOldResultAndExpiryGo) {
  Push brief = a_push();
  brief.expire_ms = 60'000;
  const std::string id = push(brief);
  run(Ack{lease_of(fetch_one()), "42"});
  run(Retry{{id}});
  EXPECT_FALSE(job(id).result.has_value());
  pass(120'000);
  EXPECT_EQ(state(id), State::kReady);
}

TEST_F(ManageRules, ARepeatedAckAfterARetryIsStillAnsweredTheSame) {
  const std::string id = push(a_push());
  const Ack ack{lease_of(fetch_one()), std::nullopt};
  run(ack);
  run(Retry{{id}});
  EXPECT_EQ(run(ack).kind, Reply::Kind::kOk);
  EXPECT_EQ(state(id), State::kReady) << "and changes nothing";
}

TEST_F(ManageRules, CancelAndRetryNameTheStateThatForbidsThem) {
  const std::string id = push(a_push());
  EXPECT_EQ(run(Retry{{id}}).items.at(0).state, std::optional<State>(State::kReady));
  run(Ack{lease_of(fetch_one()), std::nullopt});
  EXPECT_EQ(run(Cancel{true, {id}}).items.at(0).state, std::optional<State>(State::kSucceeded));
  const Reply mixed = run(Cancel{false, {id, "FZZZZZZZZZZZZ", "key:nobody", "0000000000000"}});
  EXPECT_EQ(mixed.items.at(1).code, "NOTFOUND");
  EXPECT_EQ(mixed.items.at(2).code, "NOTFOUND");
  EXPECT_EQ(mixed.items.at(3).code, "GONE");
  EXPECT_EQ(code(Cancel{false, {id, "nonsense"}}), "BADREQ");
  EXPECT_EQ(code(Cancel{false, {}}), "BADREQ");
}

TEST_F(ManageRules, TheHistoryIsBoundedAndLongTextsAreCut) {
  Push stubborn = a_push();
  stubborn.attempts = 100;
  const std::string id = push(stubborn);
  for (int i = 0; i < 40; ++i) {
    Fail again = a_fail(fetch_one());
    again.retry_in_ms = 0;
    again.message = std::string(5'000, 'm');
    again.trace = std::string(20'000, 't');
    run(again);
  }
  ASSERT_EQ(job(id).history.size(), 32U);
  EXPECT_EQ(job(id).history.back().attempt, 40);
  EXPECT_EQ(job(id).history.back().message.size(), 4'096U);
  EXPECT_EQ(job(id).history.back().trace.size(), 16'384U);
}

TEST_F(ManageRules, AQueueCountsWhatHappened) {
  push(a_push());
  run(Release{lease_of(fetch_one()), std::nullopt});
  Fail again = a_fail(fetch_one());
  again.retry_in_ms = 0;
  run(again);
  lose(fetch_one());
  push(a_push());
  run(Cancel{false, {fetch_one().id}});
  pass(30'000);
  const QueueView view = run(QueueStats{"q"}).queue.at(0);
  EXPECT_EQ(view.pushed, 2);
  EXPECT_EQ(view.started, 4);
  EXPECT_EQ(view.released.value_or(-1), 1);
  EXPECT_EQ(view.failed, 1);
  EXPECT_EQ(view.lost.value_or(-1), 1);
  EXPECT_EQ(view.cancelled.value_or(-1), 1);
  EXPECT_EQ(view.cancelled_kept, 1);
  EXPECT_EQ(view.ready, 1);
  EXPECT_EQ(run(QueueStats{"nowhere"}).queue.at(0).pushed, 0);
  EXPECT_EQ(run(QueueList{}).names, std::vector<std::string>{"q"});
}

TEST_F(ManageRules, DueWorkGoesOnUntilNothingIsDue) {
  Push brief = a_push();
  brief.expire_ms = 1'000;
  brief.keep_ms = 0;
  const std::string id = push(brief);
  pass(1'000);
  EXPECT_FALSE(exists(id)) << "expired and forgotten in one step";
}

TEST_F(ManageRules, DeleteOfARunningJobIsBadState) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  EXPECT_EQ(first_code(Delete{{id}}), "BADSTATE");
  run(Ack{lease_of(grant), std::nullopt});
  EXPECT_EQ(first_code(Delete{{id}}), "");
  EXPECT_EQ(first_code(Delete{{id}}), "GONE");
  EXPECT_EQ(run(Get{id}).kind, Reply::Kind::kNil);
}

TEST_F(ManageRules, KeepEndsTheRecordOfASucceededJobButNotOfADeadOne) {
  Push kept = a_push();
  kept.keep_ms = 1'000;
  const std::string good = push(kept);
  run(Ack{lease_of(fetch_one()), std::nullopt});
  const std::string bad = push(kept);
  Fail never = a_fail(fetch_one());
  never.no_retry = true;
  run(never);
  pass(999);
  EXPECT_TRUE(exists(good));
  pass(1);
  EXPECT_FALSE(exists(good));
  EXPECT_TRUE(exists(bad));
}

TEST_F(ManageRules, WaitIsAnsweredInTheStepThatFinishesTheJob) {
  const std::string one = push(a_push());
  const std::string two = push(a_push());
  const GrantView grant = fetch_one();
  EXPECT_EQ(run(Wait{{one, two}, 10'000, false}, 2).kind, Reply::Kind::kBlocked);
  EXPECT_EQ(run(Wait{{one, two}, 10'000, true}, 3).kind, Reply::Kind::kBlocked);
  run(Ack{lease_of(grant), std::nullopt});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].conn, 3U);
  run(Delete{{two}});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].reply.items.at(1).kind, Reply::Kind::kGone);
}

TEST_F(ManageRules, ExecAppliesAllOrNothing) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  const Op ack{0, Ack{lease_of(grant), std::nullopt}};
  const Op next{0, a_push("next")};
  const Op stale{0, Ack{{id, "0000"}, std::nullopt}};
  const Reply aborted = run(Exec{{ack, next, stale}});
  EXPECT_EQ(aborted.code, "EXECABORT");
  EXPECT_EQ(aborted.index, 2);
  EXPECT_EQ(aborted.inner_code, "LEASELOST");
  EXPECT_EQ(state(id), State::kRunning);
  EXPECT_EQ(run(Exec{{ack, next}}).items.size(), 2U);
  EXPECT_EQ(state(id), State::kSucceeded);
}

TEST_F(ManageRules, AnExecWithAnAckOfACancelledJobHasNoEffect) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  run(Cancel{false, {id}});
  const Reply aborted = run(Exec{{Op{0, Ack{lease_of(grant), std::nullopt}}}});
  EXPECT_EQ(aborted.inner_code, "CANCELLED");
  EXPECT_EQ(state(id), State::kRunning);
}

TEST_F(RestartRules, EveryLeaseGetsAtLeastTheGrace) {
  const std::string id = push(a_push());
  fetch_one();
  tick(29'000);
  run(Restart{});
  EXPECT_EQ(job(id).lease->deadline_engine_ms, now.engine_ms + 30'000);
  pass(29'999);
  EXPECT_EQ(state(id), State::kRunning);
}

TEST_F(RestartRules, TheGraceOfAShortLeaseIsTheLease) {
  Push brief = a_push();
  brief.lease_ms = 2'000;
  const std::string id = push(brief);
  fetch_one();
  tick(1'000'000);
  run(Restart{});
  pass(1'999);
  EXPECT_EQ(state(id), State::kRunning);
  pass(1);
  EXPECT_EQ(state(id), State::kScheduled);
}

TEST_F(RestartRules, ATimeoutIsGivenTheGraceToo) {
  Push timed = a_push();
  timed.timeout_ms = 1'000;
  const std::string id = push(timed);
  fetch_one();
  tick(500'000);
  run(Restart{});
  pass(29'999);
  EXPECT_EQ(state(id), State::kRunning);
  pass(1);
  EXPECT_EQ(job(id).history.at(0).error_class, "Timeout") << "at one time before the loss";
}

TEST_F(RestartRules, ARenewalMayBeForgottenOrNot) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  run(Extend{lease_of(grant), 1'000'000});
  const Op restart{0, Restart{}};
  puppet.perform(restart, now);
  ASSERT_EQ(model.check(restart, now, Reply{}).value_or(""), "");
  for (const int64_t deadline : {29'999, 1'000'001}) {
    Snapshot wrong = puppet.snapshot();
    wrong.jobs[0].lease->deadline_engine_ms = now.engine_ms + deadline;
    Model copy = model;
    EXPECT_NE(copy.compare(wrong).value_or(""), "") << deadline;
  }
  for (const int64_t deadline : {30'000, 1'000'000}) {
    Snapshot right = puppet.snapshot();
    right.jobs[0].lease->deadline_engine_ms = now.engine_ms + deadline;
    Model copy = model;
    EXPECT_EQ(copy.compare(right).value_or(""), "") << deadline;
  }
}

TEST_F(RestartRules, AStallIsCredited) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  tick(100'000);
  run(Advance{true});
  EXPECT_EQ(state(id), State::kRunning);
  EXPECT_EQ(run(Ack{lease_of(grant), std::nullopt}).kind, Reply::Kind::kOk);
}

TEST_F(RestartRules, OrderPauseAndCountersSurvive) {
  const std::string first = push(a_push());
  const std::string second = push(a_push());
  run(Release{lease_of(fetch_one()), std::nullopt});
  run(QueuePause{"q", "why"});
  run(Restart{});
  const Reply stats = run(QueueStats{"q"});
  EXPECT_TRUE(stats.queue.at(0).paused);
  EXPECT_EQ(stats.queue[0].pushed, 2);
  EXPECT_EQ(stats.queue[0].started, 1);
  run(QueueResume{"q"});
  EXPECT_EQ(ids_of(a_fetch_of(2)), (std::vector<std::string>{first, second}));
}

TEST_F(RestartRules, WaitersVanish) {
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  run(waiting, 2);
  run(Restart{});
  push(a_push());
  EXPECT_TRUE(answers.empty());
}

}  // namespace
}  // namespace model
