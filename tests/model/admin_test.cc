// What an operator says: pauses of types, settings of queues, words to workers.
#include "model/scene.h"
#include "model/step.h"

namespace model {
namespace {

class TypeRules : public Scene {
 protected:
  std::string push_type(const std::string& type, const std::string& queue = "q") {
    Push push = a_push(queue);
    push.type = type;
    return Scene::push(push);
  }
};

TEST_F(TypeRules, APausedTypeIsPassedOverEverywhere) {
  const std::string held = push_type("a");
  push_type("a", "r");
  const std::string other = push_type("b");
  run(TypePause{"a", std::nullopt, "incident"});
  EXPECT_EQ(ids_of(a_fetch_of(4)), std::vector<std::string>{other});
  EXPECT_TRUE(ids_of(a_fetch("r")).empty());
  run(TypeResume{"a", std::nullopt});
  EXPECT_EQ(ids_of(a_fetch_of(4)), std::vector<std::string>{held}) << "its place was kept";
}

TEST_F(TypeRules, APauseInOneQueueLeavesTheOthers) {
  push_type("a");
  const std::string other = push_type("a", "r");
  run(TypePause{"a", "q", ""});
  EXPECT_TRUE(ids_of(a_fetch()).empty());
  EXPECT_EQ(ids_of(a_fetch("r")), std::vector<std::string>{other});
}

TEST_F(TypeRules, AResumeWithoutAQueueEndsEveryPauseOfTheType) {
  run(TypePause{"a", std::nullopt, ""});
  run(TypePause{"a", "q", ""});
  run(TypePause{"b", "q", "kept"});
  run(TypeResume{"a", "q"});
  push_type("a");
  EXPECT_TRUE(ids_of(a_fetch()).empty()) << "the pause everywhere goes on";
  run(TypePause{"a", "q", ""});
  run(TypeResume{"a", std::nullopt});
  EXPECT_EQ(model.world().type_pauses.size(), 1U);
  EXPECT_EQ(ids_of(a_fetch()).size(), 1U);
}

TEST_F(TypeRules, AResumeFeedsWhoWaitsAndRunningJobsGoOn) {
  push_type("a");
  const GrantView grant = fetch_one();
  run(TypePause{"a", std::nullopt, ""});
  push_type("a");
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  EXPECT_EQ(run(waiting, 2).kind, Reply::Kind::kBlocked);
  EXPECT_EQ(run(Ack{lease_of(grant), std::nullopt}).kind, Reply::Kind::kOk);
  run(TypeResume{"a", std::nullopt});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].reply.leases.size(), 1U);
}

TEST_F(TypeRules, APauseOutlivesRestartAndQueueAndMakesNoQueue) {
  run(TypePause{"a", "q", "why"});
  EXPECT_TRUE(model.world().queues.empty());
  push_type("a");
  run(QueueDelete{"q"});
  run(Restart{});
  push_type("a");
  EXPECT_TRUE(ids_of(a_fetch()).empty());
  EXPECT_EQ(code(TypePause{"with space", std::nullopt, ""}), "BADREQ");
  EXPECT_EQ(code(TypeResume{"a", ""}), "BADREQ");
}

class SettingRules : public Scene {
 protected:
  Reply set(const QueueSettings& change) { return run(QueueSet{"q", change, {}}); }
  Reply set_length(int64_t most) {
    QueueSettings change;
    change.length_max = most;
    return set(change);
  }
  static Push push_of(int64_t priority) {
    Push push = a_push();
    push.priority = priority;
    return push;
  }
};

TEST_F(SettingRules, DefaultsHoldForLaterPushesThatDoNotSayOtherwise) {
  const std::string before = push(a_push());
  EXPECT_EQ(set({std::nullopt, 7, "fixed:500~0", 5'000, 60'000, 9'000, 2, 1'000}).kind,
            Reply::Kind::kOk);
  const std::string after = push(a_push());
  Push own = a_push();
  own.attempts = 1;
  own.timeout_ms = 0;
  const std::string said = push(own);
  EXPECT_EQ(job(before).max_attempts, 4) << "fixed at the push";
  EXPECT_EQ(job(after).max_attempts, 7);
  EXPECT_EQ(job(after).lease_ms, 5'000);
  EXPECT_EQ(job(after).timeout_ms, 60'000);
  EXPECT_EQ(job(after).keep_ms.value_or(-1), 9'000);
  EXPECT_EQ(job(after).max_crashes, 2);
  EXPECT_EQ(job(said).max_attempts, 1);
  EXPECT_EQ(job(said).timeout_ms, 0);
  fetch_one();
  EXPECT_EQ(run(a_fail(fetch_one())).run_at_engine_ms.value_or(0), now.engine_ms + 500);
}

TEST_F(SettingRules, DefaultResetsAndWhatIsNotNamedStays) {
  set({5, 7, "fixed:500~0", 5'000, 60'000, 9'000, 2, 1'000});
  run(Restart{});
  QueueSettings some;
  some.attempts = 0;
  run(QueueSet{"q", some, {"BACKOFF", "TIMEOUT"}});
  const std::string id = push(a_push());
  EXPECT_EQ(job(id).max_attempts, 4) << "no job has 0 attempts: that means the server's own";
  EXPECT_EQ(job(id).timeout_ms, 1'800'000);
  EXPECT_EQ(job(id).lease_ms, 5'000);
  const QueueSettings& settings = model.world().queues.at("q").settings;
  EXPECT_FALSE(settings.backoff.has_value());
  EXPECT_EQ(settings.length_max.value_or(0), 5);
  EXPECT_EQ(settings.alert_ms.value_or(0), 1'000);
}

TEST_F(SettingRules, WithAnAgeAJobIsOvertakenUntilItHasGrownAsFar) {
  const Push low = push_of(3);
  const Push high = push_of(5);
  const std::string old = push(low);
  tick(999);
  const std::string next = push(high);
  QueueSettings settings;
  settings.age_ms = 500;
  set(settings);
  EXPECT_EQ(fetch_one().id, next) << "it counts as 4";
  const std::string late = push(high);
  tick(1);
  const GrantView grown = fetch_one();
  EXPECT_EQ(grown.id, old) << "it counts as 5, and has its place for longer";
  EXPECT_EQ(grown.priority, 3);
  EXPECT_EQ(fetch_one().id, late);
}

TEST_F(SettingRules, APriorityGrowsToNineAndNoFurther) {
  const Push low = push_of(0);
  const Push high = push_of(9);
  const std::string first = push(high);
  const std::string second = push(low);
  QueueSettings settings;
  settings.age_ms = 1;
  set(settings);
  tick(1'000);
  EXPECT_EQ(fetch_one().id, first);
  EXPECT_EQ(fetch_one().id, second);
  push(low);
  settings.age_ms = 0;
  set(settings);
  tick(1'000);
  const std::string higher = push(high);
  EXPECT_EQ(fetch_one().id, higher) << "it was taken back";
}

TEST_F(SettingRules, NoTimeoutAndNoKeepAreValues) {
  QueueSettings none;
  none.timeout_ms = 0;
  none.keep_ms = 0;
  set(none);
  const std::string id = push(a_push());
  EXPECT_EQ(job(id).timeout_ms, 0);
  EXPECT_EQ(job(id).keep_ms, std::optional<int64_t>(0));
}

TEST_F(SettingRules, WhatChangesNothingMakesNoQueue) {
  EXPECT_EQ(set_length(0).kind, Reply::Kind::kOk);
  EXPECT_EQ(run(QueueSet{"q", {}, {"KEEP"}}).kind, Reply::Kind::kOk);
  EXPECT_TRUE(model.world().queues.empty());
}

TEST_F(SettingRules, RefuseWhatIsOutsideTheLimits) {
  EXPECT_EQ(set({}).code, "BADREQ");
  EXPECT_EQ(set_length(-1).code, "BADREQ");
  QueueSettings wrong;
  wrong.attempts = 1'001;
  EXPECT_EQ(set(wrong).code, "BADREQ");
  wrong = {};
  wrong.backoff = "fixed";
  EXPECT_EQ(set(wrong).code, "BADREQ");
  wrong = {};
  wrong.lease_ms = 86'400'001;
  EXPECT_EQ(set(wrong).code, "BADREQ");
  EXPECT_TRUE(model.world().queues.empty());
}

TEST_F(SettingRules, AFullQueueRefusesNewJobsAndNothingElse) {
  Push keyed = a_push();
  keyed.key = "k";
  keyed.request = "r";
  const std::string first = push(keyed);
  push(a_push());
  set_length(2);
  const Reply refused = run(a_push());
  EXPECT_EQ(refused.code, "QUEUEFULL");
  EXPECT_EQ(refused.length.value_or(0), 2);
  EXPECT_EQ(refused.length_max.value_or(0), 2);
  EXPECT_EQ(push(keyed), first) << "a repeated push makes no job";
  keyed.request.reset();
  EXPECT_EQ(push(keyed), first) << "nor does the second with that key";
  keyed.on_duplicate = OnDuplicate::kReplace;
  EXPECT_EQ(push(keyed), first);
  push(a_push("r"));
  Fail again = a_fail(fetch_one());
  set_length(1);
  again.retry_in_ms = 0;
  EXPECT_EQ(run(again).state, std::optional(State::kReady)) << "a retry is never refused";
}

TEST_F(SettingRules, OnlyWaitingJobsCountAndOthersMayComeBackIntoAFullQueue) {
  set_length(1);
  const std::string first = push(a_push());
  EXPECT_EQ(code(a_push()), "QUEUEFULL");
  Fail never = a_fail(fetch_one());
  push(a_push());
  EXPECT_EQ(code(a_push()), "QUEUEFULL");
  never.no_retry = true;
  run(never);
  EXPECT_EQ(code(a_push()), "QUEUEFULL") << "what ran had not counted";
  EXPECT_EQ(run(Retry{{first}}).items.at(0).kind, Reply::Kind::kOk);
  set_length(0);
  EXPECT_NE(push(a_push()), "");
}

TEST_F(SettingRules, AFullQueueRefusesAWholeMPushAndExec) {
  set_length(2);
  EXPECT_EQ(code(MPush{{a_push("r"), a_push(), a_push(), a_push()}}), "QUEUEFULL");
  EXPECT_TRUE(model.world().jobs.empty());
  EXPECT_EQ(run(MPush{{a_push(), a_push()}}).items.size(), 2U);
  Exec exec;
  exec.members = {Op{1, Cancel{false, {model.world().jobs.begin()->first}}}, Op{1, a_push()}};
  EXPECT_EQ(run(exec).items.size(), 2U) << "the cancel has made room";
  exec.members = {Op{1, a_push("r")}, Op{1, a_push()}};
  const Reply aborted = run(exec);
  EXPECT_EQ(aborted.code, "EXECABORT");
  EXPECT_EQ(aborted.index, 1);
  EXPECT_EQ(aborted.inner_code, "QUEUEFULL");
}

TEST_F(SettingRules, AReplacedJobMayNotMoveIntoAFullQueue) {
  set_length(1);
  push(a_push());
  Push keyed = a_push("r");
  keyed.key = "k";
  const std::string id = push(keyed);
  keyed.queue = "q";
  keyed.on_duplicate = OnDuplicate::kReplace;
  EXPECT_EQ(code(keyed), "QUEUEFULL");
  EXPECT_EQ(job(id).queue, "r");
}

class WorkerRules : public Scene {
 protected:
  std::string state_of(const std::string& worker) { return run(Beat{worker, {}}).worker_state; }
};

TEST_F(WorkerRules, AQuietWorkerGetsNothingAndHearsIt) {
  push(a_push());
  const GrantView grant = fetch_one();
  push(a_push());
  EXPECT_EQ(state_of("w"), "run");
  run(TellWorker{"w", false});
  EXPECT_EQ(state_of("w"), "quiet");
  EXPECT_TRUE(ids_of(a_fetch()).empty());
  EXPECT_EQ(run(Ack{lease_of(grant), std::nullopt}).kind, Reply::Kind::kOk);
  Fetch other = a_fetch();
  other.worker = "x";
  EXPECT_EQ(ids_of(other).size(), 1U);
}

TEST_F(WorkerRules, StopIsTheLastWord) {
  state_of("w");
  run(TellWorker{"w", false});
  run(TellWorker{"w", true});
  EXPECT_EQ(state_of("w"), "stop");
  run(TellWorker{"w", false});
  EXPECT_EQ(state_of("w"), "stop");
}

TEST_F(WorkerRules, AWaitingFetchOfAQuietWorkerWaitsOnAndIsNotFed) {
  Fetch waiting = a_fetch();
  waiting.block_ms = 2'000;
  run(waiting, 2);
  run(TellWorker{"w", true});
  push(a_push());
  EXPECT_TRUE(answers.empty());
  pass(2'000);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers[0].reply.leases.empty());
}

TEST_F(WorkerRules, TheWordIsForgottenAtARestartAndAtItsGoodBye) {
  state_of("w");
  run(TellWorker{"w", true});
  run(Restart{});
  EXPECT_EQ(state_of("w"), "run");
  run(TellWorker{"w", false});
  pass(299'999);
  EXPECT_EQ(state_of("w"), "quiet");
  pass(299'999);
  EXPECT_EQ(state_of("w"), "quiet") << "it has beaten";
  pass(300'000);
  EXPECT_EQ(state_of("w"), "run");
  run(TellWorker{"w", false});
  run(Bye{"w", {}});
  EXPECT_EQ(state_of("w"), "run");
}

TEST_F(WorkerRules, AGoodByeFeedsWhoWaitsByThatName) {
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  run(waiting, 2);
  run(TellWorker{"w", false});
  push(a_push());
  EXPECT_TRUE(answers.empty());
  run(Bye{"w", {}});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].reply.leases.size(), 1U);
}

TEST_F(WorkerRules, OnlyWhoWasHeardOfCanBeTold) {
  EXPECT_EQ(code(TellWorker{"", false}), "BADREQ");
  EXPECT_EQ(code(TellWorker{std::string(129, 'w'), true}), "BADREQ");
  EXPECT_EQ(code(TellWorker{"w", false}), "NOTFOUND");
  state_of("w");
  EXPECT_EQ(code(TellWorker{"w", false}), "");
  pass(300'000);
  EXPECT_EQ(code(TellWorker{"w", false}), "NOTFOUND");
}

TEST_F(WorkerRules, TheListHasThoseHeardOfOfLateByName) {
  push(a_push());
  fetch_one();
  tick(5);
  state_of("v");
  run(TellWorker{"v", true});
  const std::vector<WorkerView> expected = {{"v", "stop", now.wall_ms, 0},
                                            {"w", "run", now.wall_ms - 5, 1}};
  EXPECT_EQ(run(WorkerList{}).workers, expected);
  tick(299'995);
  EXPECT_EQ(run(WorkerList{}).workers.size(), 1U);
}

}  // namespace
}  // namespace model
