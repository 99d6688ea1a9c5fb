#include "core/apply_fixture.h"

namespace core {
namespace {

class ApplyFinish : public ApplyFixture {
 protected:
  static TokenRef malformed() { return TokenRef{}; }
};

// It ended the process: the loss was taken for a command that PROGRESS repeats.
TEST_F(ApplyFinish, TheTokenOfALostLeaseRenewsNothing) {
  const Job& job = push();
  const auto [ref, token] = start();
  pass(limits::kLeaseMsDefault);
  ASSERT_EQ(job.state, JobState::kScheduled);
  EXPECT_TRUE(error_of(run(Progress{ref, token, "half"})).starts_with("LEASELOST"));
  EXPECT_TRUE(error_of(run(Extend{ref, token, 1'000})).starts_with("LEASELOST"));
  const Answer beat = run(WorkerBeat{"w", {{ref, token}}, {}});
  EXPECT_EQ(error_of(beat), "OK");
}

TEST_F(ApplyFinish, OneMalformedTokenRefusesAWholeBeatOrBye) {
  Job& job = push();
  const auto [ref, token] = start();
  now.engine += base::Duration{1'000};
  const base::EngineTime deadline = job.record->lease.deadline;
  const std::vector<LeaseRef> leases = {{ref, token}, {ref, malformed()}};
  EXPECT_TRUE(error_of(run(WorkerBeat{"w", leases, {}})).starts_with("BADREQ"));
  EXPECT_EQ(job.record->lease.deadline, deadline);
  EXPECT_TRUE(error_of(run(WorkerBye{"w", leases})).starts_with("BADREQ"));
  EXPECT_EQ(job.state, JobState::kRunning);
  EXPECT_TRUE(error_of(run(WorkerBeat{"", {}, {}})).starts_with("BADREQ"));
}

TEST_F(ApplyFinish, ARememberedTokenMeetsLeaseLostAlsoWhenTheRecordIsGone) {
  push();
  const auto [ref, token] = start();
  run(Ack{{ref, token, "", false}});
  run(Bulk{BulkVerb::kDelete, false, {ref}});
  EXPECT_EQ(error_of(run(Ack{{ref, token, "", false}})), "OK");
  EXPECT_TRUE(error_of(run(Release{ref, token, std::nullopt})).starts_with("LEASELOST"));
  now.engine += base::Duration{limits::kLedgerMs};
  EXPECT_TRUE(error_of(run(Ack{{ref, token, "", false}})).starts_with("GONE"));
}

TEST_F(ApplyFinish, ARepeatedAckIsAnsweredWhateverIsLeftOfTheJob) {
  push();
  const auto [ref, token] = start();
  const Ack ack{{ref, token, "", false}};
  run(ack);
  make_cold();
  ASSERT_EQ(state.find(ref.id)->record, nullptr);
  ASSERT_FALSE(ready_to_apply(state, Command{ack}));
  read_wants();
  EXPECT_EQ(error_of(run(ack)), "OK") << "by its record, which was read again";
  state.residency().trim_pool(0);
  ASSERT_EQ(state.find(ref.id)->record, nullptr);
  state.set_history_bytes_max(0);
  pass(0);
  ASSERT_EQ(state.find(ref.id), nullptr) << "it went without a look at its record";
  EXPECT_EQ(error_of(run(ack)), "OK") << "by the ledger";
  now.engine += base::Duration{limits::kLedgerMs};
  EXPECT_TRUE(error_of(run(ack)).starts_with("GONE"));
}

TEST_F(ApplyFinish, ARepeatIsAnsweredByTheLedgerWhenTheRecordCannotBeRead) {
  push();
  const auto [ref, token] = start();
  const Ack ack{{ref, token, "", false}};
  run(ack);
  make_cold();
  state.set_aside(ref.id, {base::ErrorCode::kCorrupt, "damaged"});
  EXPECT_EQ(error_of(run(ack)), "OK");
}

TEST_F(ApplyFinish, EachCommandOfADeletedJobIsInTheLedgerOnce) {
  push();
  const auto [ref, token] = start();
  run(Release{ref, token, std::nullopt});
  const auto [again, second] = start();
  run(Ack{{again, second, "", false}});
  EXPECT_EQ(state.ledger().size(), 0U) << "its record answers";
  make_cold();
  EXPECT_EQ(state.ledger().size(), 2U) << "it may go without a look at its record";
  state.residency().want(*state.find(ref.id));
  read_wants();
  run(Bulk{BulkVerb::kDelete, false, {ref}});
  EXPECT_EQ(state.ledger().size(), 2U);
  EXPECT_EQ(error_of(run(Release{ref, token, std::nullopt})), "OK");
  EXPECT_EQ(error_of(run(Ack{{again, second, "", false}})), "OK");
}

TEST_F(ApplyFinish, ADeletedJobIsRememberedForItsKeep) {
  PushSpec kept = spec();
  kept.keep_ms = 600'000;
  push(kept);
  const auto [ref, token] = start();
  run(Ack{{ref, token, "", false}});
  run(Bulk{BulkVerb::kDelete, false, {ref}});
  now.engine += base::Duration{599'999};
  state.expire_memory(now.engine);
  EXPECT_EQ(error_of(run(Ack{{ref, token, "", false}})), "OK");
  now.engine += base::Duration{1};
  EXPECT_TRUE(error_of(run(Ack{{ref, token, "", false}})).starts_with("GONE"));
}

TEST_F(ApplyFinish, AReleaseThatEndsAsCancelledCountsAsCancelled) {
  const Job& job = push();
  const auto [ref, token] = start();
  run(Bulk{BulkVerb::kCancel, false, {ref}});
  run(Release{ref, token, std::nullopt});
  EXPECT_EQ(job.state, JobState::kCancelled);
  EXPECT_EQ(job.queue->counters.cancelled, 1U);
  EXPECT_EQ(job.queue->counters.released, 0U);
}

TEST_F(ApplyFinish, ByeGivesBackSeveralJobsInTheirOldOrder) {
  for (int i = 0; i < 5; ++i) push();
  const Answer answer = run(fetch_of({"q"}, 4));
  WorkerBye bye;
  bye.worker = "w";
  for (const size_t i : {1U, 3U, 0U, 2U, 1U}) {
    const auto [ref, token] = names(answer.grants[i]);
    bye.leases.push_back({ref, token});
  }
  EXPECT_EQ(error_of(run(bye)), "OK");
  const Answer again = run(fetch_of({"q"}, 5));
  ASSERT_EQ(again.grants.size(), 5U);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_EQ(again.grants[i].first.value, i + 1);
}

TEST_F(ApplyFinish, LongTextsOfAFailureAreCut) {
  const Job& job = push();
  const auto [ref, token] = start();
  const std::string text(100'000, 'x');
  Fail fail;
  fail.job = ref;
  fail.token = token;
  fail.error_class = fail.message = fail.trace = text;
  EXPECT_EQ(error_of(run(fail)), "OK");
  EXPECT_EQ(job.record->attempt_last.error_class.size(), limits::kErrorClassBytesMax);
  EXPECT_EQ(job.record->attempt_last.message.size(), limits::kErrorMessageBytesMax);
  EXPECT_EQ(job.record->attempt_last.trace.size(), limits::kErrorTraceBytesMax);
}

}  // namespace
}  // namespace core
