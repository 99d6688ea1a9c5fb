#include "engine/auditor.h"

#include "engine/machine_fixture.h"

namespace engine {
namespace {

constexpr base::Duration kMinute{60'000};

class AuditorTest : public MachineFixture {
 protected:
  AuditorTest() { auditor.set_every(kMinute); }
  bool step() { return auditor.step(machine.state(), now.engine); }

  Auditor auditor;
};

TEST_F(AuditorTest, BeginsEachIntervalAnew) {
  push();
  auditor.start(machine.state(), now.engine);
  EXPECT_EQ(auditor.next_due(), now.engine + kMinute);
  now.engine += base::Duration{59'999};
  EXPECT_FALSE(step());
  for (uint64_t audits = 1; audits <= 2; ++audits) {
    now.engine = auditor.next_due();
    EXPECT_TRUE(step());  // Few jobs: it ends in the same step.
    EXPECT_EQ(auditor.counters().audits, audits);
    EXPECT_FALSE(step());
  }
  EXPECT_EQ(auditor.counters().findings, 0U);
}

TEST_F(AuditorTest, GoesOnAtOnceWhileThereIsMoreToLookAt) {
  for (uint32_t i = 0; i <= Auditor::kPlacesPerTurn; ++i) push();
  auditor.start(machine.state(), now.engine);
  now.engine = auditor.next_due();
  EXPECT_TRUE(step());
  EXPECT_EQ(auditor.next_due(), now.engine);
  EXPECT_EQ(auditor.counters().audits, 0U);
  EXPECT_FALSE(step());
  EXPECT_EQ(auditor.counters().audits, 1U);
}

TEST_F(AuditorTest, CountsWhatDoesNotAgreeAndWhatIsLostSinceTheStart) {
  push();
  core::Queue& queue = *machine.state().find_queue("q");
  queue.counters.pushed += 5;  // Before the start: known.
  auditor.start(machine.state(), now.engine);
  now.engine = auditor.next_due();
  step();
  EXPECT_EQ(auditor.counters().findings, 0U);
  queue.counters.pushed += 1;
  ++queue.jobs[static_cast<size_t>(core::JobState::kDead)];
  now.engine = auditor.next_due();
  step();
  EXPECT_EQ(auditor.counters().findings, 1U);  // The count is wrong, and hides what is lost.
  --queue.jobs[static_cast<size_t>(core::JobState::kDead)];
  now.engine = auditor.next_due();
  step();
  EXPECT_EQ(auditor.counters().findings, 1U);
}

}  // namespace
}  // namespace engine
