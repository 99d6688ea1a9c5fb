#include "core/state.h"

#include "core/apply_fixture.h"

namespace core {
namespace {

class StateTest : public ApplyFixture {};

TEST_F(StateTest, AnIdThatWasGivenIsKnownAsSuch) {
  const Job& job = push();
  EXPECT_TRUE(state.was_given(job.id));
  EXPECT_FALSE(state.was_given(JobId{job.id.value + 1}));
}

TEST_F(StateTest, ALeaseIsCreditedAtMostItsOwnLengthAndThirtySeconds) {
  PushSpec brief = spec();
  brief.lease_ms = 2'000;
  Job& short_lease = push(brief);
  PushSpec timed = spec();
  timed.lease_ms = 600'000;
  timed.timeout_ms = 1'000;
  Job& long_lease = push(timed);
  run(fetch_of({"q"}, 2));
  now.engine += base::Duration{1'900};
  state.credit_leases(now.engine);
  EXPECT_EQ(short_lease.record->lease.deadline, now.engine + base::Duration{2'000});
  EXPECT_EQ(long_lease.record->lease.deadline, now.engine + base::Duration{600'000 - 1'900});
  EXPECT_EQ(long_lease.record->lease.timeout_end, now.engine + base::Duration{30'000});
}

TEST_F(StateTest, FinishedRecordsBeyondTheBudgetGoOldestFirst) {
  State small(0, 1'000);
  Context step{small, now, random, sink, turns, nullptr};
  Answer answer;
  for (int i = 0; i < 20; ++i) apply(step, Command{Push{spec()}}, answer);
  for (uint64_t id = 20; id >= 1; --id) {
    Bulk cancel{BulkVerb::kCancel, false, {JobRef{JobId{id}, {}, {}}}};
    apply(step, Command{std::move(cancel)}, answer);
    while (apply_due(step, 3) == Due::kMore) {
    }
  }
  EXPECT_EQ(small.find(JobId{20}), nullptr);
  EXPECT_NE(small.find(JobId{1}), nullptr);
  EXPECT_LE(small.residency().record_bytes(), 1'000U);
  EXPECT_EQ(small.find_queue("q")->counters.retired, 20U - small.jobs().size());
}

TEST_F(StateTest, DeadAndKeptRecordsDoNotGoByTheBudget) {
  State none(0, 0);
  Context step{none, now, random, sink, turns, nullptr};
  Answer answer;
  PushSpec kept = spec();
  kept.keep_ms = 1'000;
  apply(step, Command{Push{kept}}, answer);
  apply(step, Command{Bulk{BulkVerb::kCancel, false, {JobRef{JobId{1}, {}, {}}}}}, answer);
  EXPECT_EQ(none.history_overflow(), nullptr);
  EXPECT_NE(none.find(JobId{1}), nullptr);
}

TEST_F(StateTest, AForwardStepOfTheWallClockHoldsAtAndABackwardOneFreezesNothing) {
  PushSpec calendar = spec();
  calendar.at_ms = now.wall.ms + 1'000;
  const Job& job = push(calendar);
  state.watch_wall_clock(now);
  now.wall += base::Duration{limits::kWallJumpMs + 1};
  state.watch_wall_clock(now);
  pass(0);
  EXPECT_EQ(job.state, JobState::kScheduled);
  pass(limits::kWallHoldMs);
  EXPECT_EQ(job.state, JobState::kReady);

  calendar.at_ms = now.wall.ms + 1'000;
  const Job& next = push(calendar);
  now.wall += base::Duration{-limits::kDayMs};
  state.watch_wall_clock(now);
  pass(1'000);
  EXPECT_EQ(next.state, JobState::kScheduled);
  now.wall += base::Duration{limits::kDayMs};
  pass(0);
  EXPECT_EQ(next.state, JobState::kReady);
}

TEST_F(StateTest, AnOperatorReleasesAHold) {
  PushSpec calendar = spec();
  calendar.at_ms = now.wall.ms + 1'000;
  const Job& job = push(calendar);
  state.watch_wall_clock(now);
  now.wall += base::Duration{limits::kWallJumpMs + 1};
  state.watch_wall_clock(now);
  EXPECT_EQ(error_of(run(AcceptClock{})), "OK");
  pass(0);
  EXPECT_EQ(job.state, JobState::kReady);
}

TEST_F(StateTest, RecoveryRefusesAJobThatIsSpokenOfButNeverSeen) {
  State fresh;
  fresh.begin_recovery(false);
  ASSERT_TRUE(fresh.enact(Effect(JobCancelRequested{JobId{9}}), now).has_value());
  EXPECT_EQ(fresh.ghosts(), 1U);
  const base::Status done = fresh.end_recovery();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, base::ErrorCode::kCorrupt);
}

TEST_F(StateTest, RecoveryForgivesAJobWhoseImageOrEndComesLater) {
  State fresh;
  fresh.begin_recovery(false);
  ASSERT_TRUE(fresh.enact(Effect(JobCancelRequested{JobId{9}}), now).has_value());
  ASSERT_TRUE(fresh.enact(Effect(JobRemoved{JobId{9}}), now).has_value());
  EXPECT_TRUE(fresh.end_recovery().has_value());
}

TEST_F(StateTest, HistoryKeepsTheNewestThirtyTwo) {
  PushSpec stubborn = spec();
  stubborn.attempts = 100;
  stubborn.backoff = parse_backoff("fixed:0").value();
  const Job& job = push(stubborn);
  constexpr uint32_t kRuns = 40;
  for (uint32_t i = 0; i < kRuns; ++i) {
    const auto [ref, token] = start();
    Fail fail;
    fail.job = ref;
    fail.token = token;
    EXPECT_EQ(error_of(run(fail)), "OK");
  }
  EXPECT_EQ(job.record->attempt, kRuns);
  EXPECT_EQ(job.record->attempt_last.number, kRuns);
  EXPECT_EQ(job.record->extras->history.size(), limits::kHistoryMax);
  EXPECT_EQ(job.record->extras->history.front().number, kRuns - limits::kHistoryMax);
}

TEST_F(StateTest, ARepeatedCommandIsAnsweredAfterItsAttemptLeftTheHistory) {
  PushSpec stubborn = spec();
  stubborn.attempts = 100;
  stubborn.backoff = parse_backoff("fixed:0").value();
  push(stubborn);
  std::vector<Fail> fails;
  std::vector<Answer> answers;
  for (int i = 0; i < 40; ++i) {
    const auto [ref, token] = start();
    Fail fail;
    fail.job = ref;
    fail.token = token;
    answers.push_back(run(fail));
    fails.push_back(fail);
  }
  EXPECT_GT(state.ledger().size(), 0U);
  for (size_t i = 0; i < fails.size(); ++i) {
    EXPECT_EQ(run(fails[i]).reply.tape(), answers[i].reply.tape()) << i;
  }
  now.engine += base::Duration{limits::kLedgerMs};
  EXPECT_TRUE(error_of(run(fails[0])).starts_with("LEASELOST"));
}

}  // namespace
}  // namespace core
