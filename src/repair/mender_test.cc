#include "repair/mender.h"

#include <gtest/gtest.h>

#include <memory>

namespace repair {
namespace {

using core::JobId;
using core::JobState;

class MenderTest : public testing::Test {
 protected:
  MenderTest() { state.begin_recovery(false); }

  void take(core::Effect&& effect) { ASSERT_TRUE(mender.take(std::move(effect), now).has_value()); }
  void put(uint64_t id, std::string_view key = {}) {
    core::JobPut put;
    put.job.id = JobId{id};
    put.job.set_ready_seq(id);
    put.job.record = std::make_unique<core::JobRecord>();
    if (!key.empty()) core::extras_of(*put.job.record).key = key;
    put.queue = "q";
    put.type = "t";
    take(std::move(put));
  }
  void grant(uint64_t id) { take(core::JobGranted{.id = JobId{id}}); }
  void end(uint64_t id, JobState after) {
    core::JobEnded ended;
    ended.id = JobId{id};
    ended.outcome = core::Outcome::kSucceeded;
    ended.after = after;
    take(std::move(ended));
  }
  void finish() { ASSERT_TRUE(mender.finish().has_value()); }
  JobState state_of(uint64_t id) const { return state.find(JobId{id})->state; }

  const base::Now now{base::EngineTime{1'000}, base::WallTime{2'000}};
  core::State state;
  base::SeededRandom random{1};
  Mender mender{state, random};
};

TEST_F(MenderTest, SuppliesNothingWhereNothingIsMissing) {
  put(1);
  grant(1);
  end(1, JobState::kSucceeded);
  const core::JobId next = state.id_next();
  finish();
  EXPECT_EQ(mender.steps_supplied(), 0U);
  EXPECT_EQ(mender.effects_left_out(), 0U);
  EXPECT_EQ(state.id_next(), next);
}

TEST_F(MenderTest, AJobWhoseEndIsKnownStaysEndedThoughItsLeaseWasLost) {
  put(1);
  mender.gap();
  end(1, JobState::kSucceeded);
  finish();
  EXPECT_EQ(state_of(1), JobState::kSucceeded);
  EXPECT_EQ(mender.steps_supplied(), 1U);
}

TEST_F(MenderTest, LeavesOutWhatSpeaksOfALostJobAndMakesNoneUp) {
  mender.gap();
  grant(1);
  end(1, JobState::kSucceeded);
  finish();
  EXPECT_EQ(state.jobs().size(), 0U);
  EXPECT_EQ(mender.effects_left_out(), 2U);
  EXPECT_EQ(mender.jobs_lost(), 1U);
}

TEST_F(MenderTest, AnImageThatComesLaterMakesUpForEarlierEffects) {
  grant(1);
  put(1);
  finish();
  EXPECT_EQ(mender.effects_left_out(), 0U);
}

TEST_F(MenderTest, AJobThatWasRemovedIsNotMissed) {
  grant(1);
  take(core::JobRemoved{JobId{1}});
  finish();
  EXPECT_EQ(mender.jobs_lost(), 0U);
}

TEST_F(MenderTest, EveryEffectCanFollowOnEveryState) {
  const auto states = {JobState::kScheduled, JobState::kReady,     JobState::kRunning,
                       JobState::kSucceeded, JobState::kCancelled, JobState::kDead};
  uint64_t id = 0;
  for (const JobState before : states) {
    for (int which = 0; which < 7; ++which) {
      put(++id);
      if (before != JobState::kReady) grant(id);
      if (before != JobState::kReady && before != JobState::kRunning) end(id, before);
      mender.gap();
      if (which == 0) grant(id);
      if (which == 1) end(id, JobState::kSucceeded);
      if (which == 2) take(core::JobUngranted{JobId{id}});
      if (which == 3) take(core::JobMoved{JobId{id}, JobState::kReady, id, false});
      if (which == 4) take(core::JobMoved{JobId{id}, JobState::kReady, id, true});
      if (which == 5) take(core::JobCancelRequested{JobId{id}});
      if (which == 6) take(core::JobProgressed{JobId{id}, "half"});
    }
  }
  finish();
  EXPECT_EQ(state.jobs().size(), id);
}

TEST_F(MenderTest, AKeyThatIsTakenAnewHasLostItsOldJob) {
  put(1, "key");
  mender.gap();
  put(2, "key");
  finish();
  EXPECT_EQ(state.find(JobId{1}), nullptr);
  EXPECT_EQ(state.find_key("key"), state.find(JobId{2}));
}

TEST_F(MenderTest, AnIdThatALostPushMayHaveGivenIsNotGivenAgain) {
  put(1);
  mender.gap();
  take(core::PushSeen{.id = JobId{5}, .created = true, .request = "r", .until = {9'000}});
  finish();
  EXPECT_FALSE(state.requests().find("r", now.engine)) << "it would name a job that is not there";
  EXPECT_GT(state.id_next(), JobId{1'000});
}

}  // namespace
}  // namespace repair
