#include "core/audit.h"

#include "core/apply_fixture.h"

namespace core {
namespace {

class AuditTest : public ApplyFixture {
 protected:
  // One pass, with `between` called after each slice.
  template <typename Between>
  const AuditReport& audit(uint32_t places_most, Between between) {
    state.audit().begin(state);
    while (!state.audit().step(state, places_most)) between();
    return state.audit().report();
  }
  const AuditReport& audit() {
    return audit(1'000, [] {});
  }
  // Jobs in all states that a job without parents can be in.
  void make_some_of_each() {
    PushSpec later = spec();
    later.delay_ms = 10'000;
    for (int i = 0; i < 5; ++i) push(later);
    for (int i = 0; i < 20; ++i) push();
    run(fetch_of({"q"}, 8));
    for (int i = 0; i < 4; ++i) {
      const auto [job, token] = start();
      EXPECT_EQ(error_of(run(Ack{AckItem{job, token, {}, false}})), "OK");
    }
    remove(BulkVerb::kCancel, 20);
    remove(BulkVerb::kDelete, 21);
  }
  void remove(BulkVerb verb, uint64_t id) { run(Bulk{verb, false, {JobRef{JobId{id}, {}, {}}}}); }
};

TEST_F(AuditTest, FindsNothingWhereAllIsWell) {
  make_some_of_each();
  EXPECT_EQ(audit().findings, 0U);
  EXPECT_EQ(state.audit().report().jobs, state.jobs().size());
  EXPECT_EQ(unaccounted_jobs(state), 0);
}

TEST_F(AuditTest, CountsWhatMovesWhileItLooks) {
  make_some_of_each();
  int step = 0;
  const AuditReport& report = audit(1, [&] {
    push();
    run(fetch_of({"q"}, 1));
    if (++step == 2) remove(BulkVerb::kDelete, 25);
    if (step == 9) remove(BulkVerb::kDelete, 1);
  });
  EXPECT_GE(step, 20);
  EXPECT_EQ(report.findings, 0U) << report.texts.front();
}

TEST_F(AuditTest, FindsAJobThatNothingWillMoveOn) {
  Job& job = push();
  PushSpec later = spec();
  later.delay_ms = 10'000;
  Job& scheduled = push(later);
  job.state = JobState::kScheduled;  // Without a timer.
  scheduled.state = JobState::kWaiting;
  const AuditReport& report = audit();
  ASSERT_EQ(report.findings, 4U);  // And the counts of two states are wrong.
  EXPECT_EQ(report.texts[0],
            "job 0000000000001 of queue 'q' is scheduled, and nothing will move it on");
  EXPECT_EQ(report.texts[1],
            "job 0000000000002 of queue 'q' is waiting, and nothing will move it on");
  EXPECT_EQ(report.texts[2], "queue 'q' counts 0 jobs waiting, but has 1");
  job.state = JobState::kReady;
  scheduled.state = JobState::kScheduled;
  EXPECT_EQ(audit().findings, 0U);
}

TEST_F(AuditTest, FindsACountThatIsWrong) {
  push();
  ++state.find_queue("q")->jobs[static_cast<size_t>(JobState::kDead)];
  ASSERT_EQ(audit().findings, 1U);
  EXPECT_EQ(state.audit().report().texts[0], "queue 'q' counts 1 jobs dead, but has 0");
}

TEST_F(AuditTest, FindsARecordThatIsNowhere) {
  Job& job = push();
  make_cold();
  EXPECT_EQ(audit().findings, 0U);
  job.in_tables = false;
  EXPECT_EQ(audit().findings, 1U);
  job.in_tables = true;
}

TEST_F(AuditTest, AJobThatIsNotPushedButThereIsNotAccountedFor) {
  push();
  state.find_queue("q")->counters.pushed = 3;
  EXPECT_EQ(unaccounted_jobs(state), 2);
}

}  // namespace
}  // namespace core
