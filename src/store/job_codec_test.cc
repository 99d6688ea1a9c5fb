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

std::optional<Job> decoded(std::string_view bytes) {
  ByteReader in(bytes);
  Job job = decode_job(in);
  return in.ok() && in.done() ? std::optional(std::move(job)) : std::nullopt;
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
  EXPECT_EQ(a.record->namespace_id, b.record->namespace_id);
  EXPECT_EQ(static_cast<int>(a.state), static_cast<int>(b.state));
  EXPECT_EQ(uint8_t{a.priority}, uint8_t{b.priority});
  EXPECT_EQ(a.record->run_at_is_wall, b.record->run_at_is_wall);
  EXPECT_EQ(a.record->cancel_requested, b.record->cancel_requested);
  EXPECT_EQ(a.record->dead_reason, b.record->dead_reason);
  EXPECT_EQ(a.record->generation, b.record->generation);
  EXPECT_EQ(a.record->attempt, b.record->attempt);
  EXPECT_EQ(a.record->attempts_max, b.record->attempts_max);
  EXPECT_EQ(a.record->fence, b.record->fence);
  EXPECT_EQ(a.record->crashes, b.record->crashes);
  EXPECT_EQ(a.record->crashes_max, b.record->crashes_max);
  EXPECT_EQ(a.record->args, b.record->args);
  EXPECT_EQ(a.record->run_at_ms, b.record->run_at_ms);
  EXPECT_EQ(a.record->expires_at, b.record->expires_at);
  EXPECT_EQ(a.record->pushed, b.record->pushed);
  EXPECT_EQ(a.record->ready_at, b.record->ready_at);
  EXPECT_EQ(a.record->finished_at, b.record->finished_at);
  EXPECT_EQ(a.record->finished_wall, b.record->finished_wall);
  EXPECT_EQ(uint64_t{a.ready_seq}, uint64_t{b.ready_seq});
  EXPECT_EQ(a.record->lease_ms, b.record->lease_ms);
  EXPECT_EQ(a.record->timeout_ms, b.record->timeout_ms);
  EXPECT_EQ(a.record->soft_timeout_ms, b.record->soft_timeout_ms);
  EXPECT_EQ(a.record->keep_ms, b.record->keep_ms);
  EXPECT_EQ(a.record->lease.granted, b.record->lease.granted);
  EXPECT_EQ(a.record->lease.deadline, b.record->lease.deadline);
  EXPECT_EQ(a.record->lease.timeout_end, b.record->lease.timeout_end);
  EXPECT_EQ(a.record->lease.alone, b.record->lease.alone);
  expect_same(a.record->attempt_last, b.record->attempt_last);
  static const core::JobExtras kNone;
  expect_same(a.record->extras ? *a.record->extras : kNone,
              b.record->extras ? *b.record->extras : kNone);
}

TEST(JobCodec, RandomJobsComeBackWithEveryField) {
  RandomJobs jobs(11);
  for (int i = 0; i < 3'000; ++i) {
    const Job job = jobs.next();
    const std::string bytes = encoded(job);
    const std::optional<Job> back = decoded(bytes);
    ASSERT_TRUE(back.has_value()) << "job " << i;
    expect_same(job, *back);
    EXPECT_EQ(encoded(*back), bytes);
    if (testing::Test::HasFailure()) break;
  }
}

TEST(JobCodec, APlainJobIsShort) {
  Job job;
  job.record = std::make_unique<core::JobRecord>();
  job.id.value = 1;
  job.record->args = "{}";
  EXPECT_LE(encoded(job).size(), 10U);
}

TEST(JobCodec, NoPrefixOfAJobIsAJob) {
  RandomJobs jobs(2);
  for (int i = 0; i < 50; ++i) {
    const std::string bytes = encoded(jobs.next());
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decoded(std::string_view(bytes).substr(0, size)).has_value());
    }
  }
}

TEST(JobCodec, DamagedBytesNeverCrash) {
  RandomJobs jobs(3);
  base::SeededRandom random(4);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes = encoded(jobs.next());
    for (uint64_t hits = 1 + random.below(4); hits > 0; --hits) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    const std::optional<Job> job = decoded(bytes);
    if (!job) continue;
    const std::string again = encoded(*job);
    const std::optional<Job> back = decoded(again);
    ASSERT_TRUE(back.has_value()) << "what was read can't be written";
    EXPECT_EQ(encoded(*back), again);
  }
}

TEST(JobCodec, ARunningJobHasALeaseAndItsAttempt) {
  RandomJobs jobs(5);
  Job job = jobs.next();
  while (job.state != core::JobState::kRunning) job = jobs.next();
  ASSERT_TRUE(decoded(encoded(job)).has_value());
  const Attempt attempt = std::exchange(job.record->attempt_last, {});
  EXPECT_FALSE(decoded(encoded(job)).has_value()) << "without an attempt";
  job.record->attempt_last = attempt;
  std::string no_fence = encoded(job);
  std::string fence;
  ByteWriter(fence).number(attempt.token.fence);
  fence.append(reinterpret_cast<const char*>(attempt.token.secret.data()),
               attempt.token.secret.size());
  std::string zero(1, '\0');
  zero.append(reinterpret_cast<const char*>(attempt.token.secret.data()),
              attempt.token.secret.size());
  ASSERT_NE(no_fence.find(fence), std::string::npos);
  no_fence.replace(no_fence.find(fence), fence.size(), zero);
  EXPECT_FALSE(decoded(no_fence).has_value()) << "with a fence that no lease has";
  job.record->attempt = 0;
  EXPECT_FALSE(decoded(encoded(job)).has_value()) << "that was never counted";
}

TEST(JobCodec, AFieldOfALaterVersionIsRefused) {
  Job job;
  job.record = std::make_unique<core::JobRecord>();
  std::string bytes;
  ByteWriter out(bytes);
  out.number(uint64_t{1} << 29);
  bytes += encoded(job).substr(1);
  EXPECT_FALSE(decoded(bytes).has_value());
}

}  // namespace
}  // namespace store
