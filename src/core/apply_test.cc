// What is due, and jobs that were set aside.
#include "core/apply.h"

#include "core/apply_fixture.h"

namespace core {
namespace {

class ApplyDue : public ApplyFixture {
 protected:
  static PushSpec later(int64_t delay_ms) {
    PushSpec push = spec();
    push.delay_ms = delay_ms;
    return push;
  }
  void advance(int64_t ms) {
    now.engine += base::Duration{ms};
    now.wall += base::Duration{ms};
  }
  Due due() {
    Context step = context();
    return apply_due(step, 100);
  }
  JobRef finish_one() {
    const auto [ref, token] = start();
    EXPECT_EQ(error_of(run(Ack{{ref, token, "", false}})), "OK");
    return ref;
  }
};

TEST_F(ApplyDue, AJobWithoutRecordIsAskedForAndGoesOnWhenItIsThere) {
  const JobId id = push(later(1'000)).id;
  make_cold();
  advance(1'000);
  EXPECT_EQ(next_due(state, now), now.engine);
  EXPECT_EQ(due(), Due::kMisses);
  EXPECT_EQ(state.find(id)->state, JobState::kScheduled);
  EXPECT_EQ(next_due(state, now), base::EngineTime::never()) << "until it is there";
  EXPECT_EQ(due(), Due::kMisses);
  EXPECT_EQ(read_wants(), std::vector<uint64_t>{id.value});
  EXPECT_EQ(next_due(state, now), now.engine);
  EXPECT_EQ(due(), Due::kDone);
  EXPECT_EQ(state.find(id)->state, JobState::kReady);
}

TEST_F(ApplyDue, AJobWithATimeOfTheCalendarIsAskedForToo) {
  PushSpec calendar = spec();
  calendar.at_ms = now.wall.ms + 1'000;
  const JobId id = push(calendar).id;
  make_cold();
  advance(1'000);
  EXPECT_EQ(due(), Due::kMisses);
  EXPECT_EQ(next_due(state, now), base::EngineTime::never());
  read_wants();
  EXPECT_EQ(due(), Due::kDone);
  EXPECT_EQ(state.find(id)->state, JobState::kReady);
}

TEST_F(ApplyDue, WhatIsDueSoonIsAskedForTogether) {
  for (const int64_t delay_ms : {1'000, 2'000, 2'500, 3'001}) push(later(delay_ms));
  make_cold();
  advance(1'000);
  EXPECT_EQ(due(), Due::kMisses);
  EXPECT_EQ(read_wants(), (std::vector<uint64_t>{1, 2, 3}));
}

TEST_F(ApplyDue, NothingOvertakesAJobThatIsBeingRead) {
  push(later(1'000));
  make_cold();
  Job& second = push(later(1'001));
  advance(2'000);
  EXPECT_EQ(due(), Due::kMisses);
  EXPECT_EQ(second.state, JobState::kScheduled);
  read_wants();
  EXPECT_EQ(due(), Due::kDone);
  EXPECT_EQ(state.find_queue("q")->ready.in_order().front()->id, JobId{1});
}

TEST_F(ApplyDue, AnExpiryOfAReadyJobReadsItFirst) {
  PushSpec brief = spec();
  brief.expire_ms = 1'000;
  const JobId id = push(brief).id;
  make_cold();
  ASSERT_EQ(state.find(id)->record, nullptr);
  advance(1'000);
  EXPECT_EQ(due(), Due::kMisses);
  read_wants();
  EXPECT_EQ(due(), Due::kDone);
  EXPECT_EQ(state.find(id)->state, JobState::kExpired);
}

TEST_F(ApplyDue, AFinishedJobWithoutKeyIsRemovedUnseen) {
  PushSpec kept = spec();
  kept.keep_ms = 1'000;
  push(kept);
  const JobRef ref = finish_one();
  make_cold();
  ASSERT_EQ(state.find(ref.id)->record, nullptr);
  advance(1'000);
  EXPECT_EQ(due(), Due::kDone);
  EXPECT_EQ(state.find(ref.id), nullptr);
  EXPECT_FALSE(state.residency().any_wants());
  EXPECT_EQ(state.residency().record_bytes(), 0U);
  make_cold();
  EXPECT_TRUE(rows.empty()) << "its row goes with the next flush";
}

TEST_F(ApplyDue, AFinishedJobWithAKeyIsReadForIt) {
  PushSpec kept = spec();
  kept.keep_ms = 1'000;
  kept.key = "k";
  kept.has_key = true;
  push(kept);
  finish_one();
  make_cold();
  advance(1'000);
  EXPECT_EQ(due(), Due::kMisses);
  EXPECT_NE(state.find_key("k"), nullptr);
  read_wants();
  EXPECT_EQ(due(), Due::kDone);
  EXPECT_EQ(state.find_key("k"), nullptr);
}

TEST_F(ApplyDue, TheHistoryOverflowsUnseenUpToTheFirstKey) {
  push();
  PushSpec keyed = spec();
  keyed.key = "k";
  keyed.has_key = true;
  push(keyed);
  finish_one();
  finish_one();
  make_cold();
  state.set_history_bytes_max(0);
  EXPECT_EQ(next_due(state, now), now.engine);
  due();
  EXPECT_EQ(state.find(JobId{1}), nullptr);
  ASSERT_NE(state.find(JobId{2}), nullptr);
  EXPECT_EQ(next_due(state, now), base::EngineTime::never()) << "until it is there";
  EXPECT_EQ(read_wants(), std::vector<uint64_t>{2});
  EXPECT_EQ(next_due(state, now), now.engine);
  due();
  EXPECT_EQ(state.find(JobId{2}), nullptr);
  EXPECT_EQ(state.history_overflow(), nullptr);
}

TEST_F(ApplyDue, ARunningJobIsAlwaysInMemory) {
  push();
  const auto [ref, token] = start();
  make_cold();
  ASSERT_NE(state.find(ref.id)->record, nullptr);
  pass(limits::kLeaseMsDefault);
  EXPECT_EQ(state.find(ref.id)->state, JobState::kScheduled);
}

class SetAside : public ApplyFixture {
 protected:
  // Job 1, whose record could not be read.
  void set_first_aside() {
    state.set_aside(JobId{1}, {base::ErrorCode::kCorrupt, "table job, id 1: damaged"});
  }
  static JobRef first() { return JobRef{JobId{1}, {}, {}}; }
};

TEST_F(SetAside, AJobAnswersCorruptToWhoeverNamesIt) {
  push();
  make_cold();
  set_first_aside();
  EXPECT_EQ(error_of(run(Get{first()})), "CORRUPT table job, id 1: damaged");
  const TokenRef token{LeaseToken{1, {}}, true};
  EXPECT_TRUE(error_of(run(Ack{{first(), token, "", false}})).starts_with("CORRUPT"));
  EXPECT_EQ(state.damaged(), 1U);
}

TEST_F(SetAside, AJobCountsNoLongerAndIsNeverLeased) {
  push();
  push();
  make_cold();
  set_first_aside();
  EXPECT_EQ(state.jobs().size(), 1U);
  EXPECT_EQ(state.find_queue("q")->jobs[static_cast<size_t>(JobState::kReady)], 1U);
  EXPECT_TRUE(run(fetch_of({"q"})).misses);
  EXPECT_EQ(read_wants(), std::vector<uint64_t>{2});
  EXPECT_EQ(start().first.id, JobId{2});
}

TEST_F(SetAside, AJobCanBeDeletedWithItsRow) {
  push();
  make_cold();
  set_first_aside();
  const Answer answer = run(Bulk{BulkVerb::kDelete, false, {first()}});
  ReplyReader reader(answer.reply.tape());
  EXPECT_EQ(reader.tag(), ReplyTag::kArray);
  EXPECT_EQ(reader.count(), 1U);
  EXPECT_EQ(reader.tag(), ReplyTag::kOk);
  EXPECT_EQ(state.damaged(), 0U);
  make_cold();
  EXPECT_TRUE(rows.empty());
  const TokenRef token{LeaseToken{1, {}}, true};
  EXPECT_TRUE(error_of(run(Ack{{first(), token, "", false}})).starts_with("GONE"));
}

TEST_F(SetAside, AJobWithATimerAndAKeyLeavesNeither) {
  PushSpec keyed = spec();
  keyed.key = "k";
  keyed.has_key = true;
  keyed.delay_ms = 1'000;
  push(keyed);
  make_cold();
  set_first_aside();
  EXPECT_EQ(state.find_key("k"), nullptr);
  EXPECT_TRUE(state.timers().empty());
  pass(2'000);
  push(keyed);
  EXPECT_EQ(state.find_key("k")->id, JobId{2}) << "the key is free";
}

TEST_F(SetAside, AWaitForTheJobIsOver) {
  push();
  make_cold();
  state.take_ended();
  set_first_aside();
  EXPECT_EQ(state.take_ended(), std::vector<JobId>{JobId{1}});
  EXPECT_TRUE(wait_is_over(state, {JobId{1}}, false));
}

// Only at a restart: the journal has more of it than the tables.
TEST_F(SetAside, AJobThatTheJournalHasWholeIsAJobAgain) {
  push();
  make_cold();
  set_first_aside();
  JobPut put;
  put.job.id = JobId{1};
  put.job.record = std::make_unique<JobRecord>();
  put.queue = "q";
  put.type = "t";
  ASSERT_TRUE(state.enact(Effect(std::move(put)), now).has_value());
  EXPECT_EQ(state.damaged(), 0U);
  EXPECT_EQ(start().first.id, JobId{1});
  run(Bulk{BulkVerb::kCancel, true, {first()}});
  run(Bulk{BulkVerb::kDelete, false, {first()}});
  make_cold();
  EXPECT_TRUE(rows.empty()) << "its damaged row has gone with it";
}

TEST_F(SetAside, AJobWhoseRecordIsThereIsNotSetAside) {
  push();
  set_first_aside();
  EXPECT_EQ(state.damaged(), 0U);
  EXPECT_EQ(start().first.id, JobId{1});
}

}  // namespace
}  // namespace core
