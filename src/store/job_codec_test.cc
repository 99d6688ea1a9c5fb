#include "store/job_codec.h"

#include <gtest/gtest.h>

#include "store/codec_fixture.h"

namespace store {
namespace {

using core::Attempt;
using core::Job;

std::string encoded(const Job& job) {
  std::string bytes;
  ByteWriter out(bytes);
  encode_job(out, job);
  return bytes;
}

std::unique_ptr<Job> decoded(std::string_view bytes) {
  ByteReader in(bytes);
  std::unique_ptr<Job> job = decode_job(in);
  return in.ok() && in.done() ? std::move(job) : nullptr;
}

void expect_same(const Attempt& a, const Attempt& b) {
  EXPECT_EQ(a.token, b.token);
  EXPECT_EQ(a.generation, b.generation);
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.outcome, b.outcome);
  EXPECT_EQ(a.ending, b.ending);
  EXPECT_EQ(a.cancelled, b.cancelled);
  EXPECT_EQ(a.after, b.after);
  EXPECT_EQ(a.worker, b.worker);
  EXPECT_EQ(a.started, b.started);
  EXPECT_EQ(a.ended, b.ended);
  EXPECT_EQ(a.ended_engine, b.ended_engine);
  EXPECT_EQ(a.run_at_ms, b.run_at_ms);
  EXPECT_EQ(a.error_class, b.error_class);
  EXPECT_EQ(a.message, b.message);
  EXPECT_EQ(a.trace, b.trace);
}

void expect_same(const core::JobExtras& a, const core::JobExtras& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.meta, b.meta);
  EXPECT_EQ(a.progress, b.progress);
  EXPECT_EQ(a.result, b.result);
  EXPECT_EQ(a.backoff, b.backoff);
  EXPECT_EQ(a.has_backoff, b.has_backoff);
  EXPECT_EQ(a.has_result, b.has_result);
  EXPECT_EQ(a.has_progress, b.has_progress);
  ASSERT_EQ(a.history.size(), b.history.size());
  for (size_t i = 0; i < a.history.size(); ++i) expect_same(a.history[i], b.history[i]);
  EXPECT_EQ(a.unique_key, b.unique_key);
  EXPECT_EQ(a.unique_scope, b.unique_scope);
  EXPECT_EQ(a.unique_ms, b.unique_ms);
  EXPECT_EQ(a.limits, b.limits);
  EXPECT_EQ(a.fair_key, b.fair_key);
}

// Every stored field. Names of queue and type are stored beside the job.
void expect_same(const Job& a, const Job& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.namespace_id, b.namespace_id);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.priority, b.priority);
  EXPECT_EQ(a.run_at_is_wall, b.run_at_is_wall);
  EXPECT_EQ(a.cancel_requested, b.cancel_requested);
  EXPECT_EQ(a.dead_reason, b.dead_reason);
  EXPECT_EQ(a.generation, b.generation);
  EXPECT_EQ(a.attempt, b.attempt);
  EXPECT_EQ(a.attempts_max, b.attempts_max);
  EXPECT_EQ(a.fence, b.fence);
  EXPECT_EQ(a.crashes, b.crashes);
  EXPECT_EQ(a.crashes_max, b.crashes_max);
  EXPECT_EQ(a.args, b.args);
  EXPECT_EQ(a.run_at_ms, b.run_at_ms);
  EXPECT_EQ(a.expires_at, b.expires_at);
  EXPECT_EQ(a.pushed, b.pushed);
  EXPECT_EQ(a.ready_at, b.ready_at);
  EXPECT_EQ(a.finished_at, b.finished_at);
  EXPECT_EQ(a.finished_wall, b.finished_wall);
  EXPECT_EQ(a.ready_seq, b.ready_seq);
  EXPECT_EQ(a.lease_ms, b.lease_ms);
  EXPECT_EQ(a.timeout_ms, b.timeout_ms);
  EXPECT_EQ(a.soft_timeout_ms, b.soft_timeout_ms);
  EXPECT_EQ(a.keep_ms, b.keep_ms);
  EXPECT_EQ(a.lease.granted, b.lease.granted);
  EXPECT_EQ(a.lease.deadline, b.lease.deadline);
  EXPECT_EQ(a.lease.timeout_end, b.lease.timeout_end);
  EXPECT_EQ(a.lease.alone, b.lease.alone);
  expect_same(a.attempt_last, b.attempt_last);
  static const core::JobExtras kNone;
  expect_same(a.extras ? *a.extras : kNone, b.extras ? *b.extras : kNone);
}

TEST(JobCodec, RandomJobsComeBackWithEveryField) {
  RandomJobs jobs(11);
  for (int i = 0; i < 3'000; ++i) {
    const std::unique_ptr<Job> job = jobs.next();
    const std::string bytes = encoded(*job);
    const std::unique_ptr<Job> back = decoded(bytes);
    ASSERT_NE(back, nullptr) << "job " << i;
    expect_same(*job, *back);
    EXPECT_EQ(encoded(*back), bytes);
    if (testing::Test::HasFailure()) break;
  }
}

TEST(JobCodec, APlainJobIsShort) {
  Job job;
  job.id.value = 1;
  job.args = "{}";
  EXPECT_LE(encoded(job).size(), 10U);
}

TEST(JobCodec, NoPrefixOfAJobIsAJob) {
  RandomJobs jobs(2);
  for (int i = 0; i < 50; ++i) {
    const std::string bytes = encoded(*jobs.next());
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(decoded(std::string_view(bytes).substr(0, size)), nullptr);
    }
  }
}

TEST(JobCodec, DamagedBytesNeverCrash) {
  RandomJobs jobs(3);
  base::SeededRandom random(4);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes = encoded(*jobs.next());
    for (uint64_t hits = 1 + random.below(4); hits > 0; --hits) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    const std::unique_ptr<Job> job = decoded(bytes);
    if (job == nullptr) continue;
    const std::string again = encoded(*job);
    const std::unique_ptr<Job> back = decoded(again);
    ASSERT_NE(back, nullptr) << "what was read can't be written";
    EXPECT_EQ(encoded(*back), again);
  }
}

TEST(JobCodec, ARunningJobHasALeaseAndItsAttempt) {
  RandomJobs jobs(5);
  std::unique_ptr<Job> job = jobs.next();
  while (job->state != core::JobState::kRunning) job = jobs.next();
  ASSERT_NE(decoded(encoded(*job)), nullptr);
  const Attempt attempt = std::exchange(job->attempt_last, {});
  EXPECT_EQ(decoded(encoded(*job)), nullptr) << "without an attempt";
  job->attempt_last = attempt;
  std::string no_fence = encoded(*job);
  std::string fence;
  ByteWriter(fence).number(attempt.token.fence);
  fence.append(reinterpret_cast<const char*>(attempt.token.secret.data()),
               attempt.token.secret.size());
  std::string zero(1, '\0');
  zero.append(reinterpret_cast<const char*>(attempt.token.secret.data()),
              attempt.token.secret.size());
  ASSERT_NE(no_fence.find(fence), std::string::npos);
  no_fence.replace(no_fence.find(fence), fence.size(), zero);
  EXPECT_EQ(decoded(no_fence), nullptr) << "with a fence that no lease has";
  job->attempt = 0;
  EXPECT_EQ(decoded(encoded(*job)), nullptr) << "that was never counted";
}

TEST(JobCodec, AFieldOfALaterVersionIsRefused) {
  Job job;
  std::string bytes;
  ByteWriter out(bytes);
  out.number(uint64_t{1} << 29);
  bytes += encoded(job).substr(1);
  EXPECT_EQ(decoded(bytes), nullptr);
}

}  // namespace
}  // namespace store
