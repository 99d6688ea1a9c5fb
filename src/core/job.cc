#include "core/job.h"

#include <cstring>

#include "base/base32.h"
#include "core/queue.h"

namespace core {

std::string_view job_state_name(JobState state) {
  static constexpr std::array<std::string_view, kJobStateCount> kNames = {
      "waiting", "scheduled", "ready", "running", "succeeded", "dead", "cancelled", "expired"};
  return kNames[static_cast<size_t>(state)];
}

std::string_view outcome_name(Outcome outcome) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "running", "succeeded", "failed", "released", "lost", "timeout", "cancelled"};
  return kNames[static_cast<size_t>(outcome)];
}

std::string_view dead_reason_text(DeadReason reason) {
  static constexpr std::array<std::string_view, 4> kTexts = {
      "", "attempts used up", "not retryable", "its worker died too often"};
  return kTexts[static_cast<size_t>(reason)];
}

JobExtras& extras_of(Job& job) {
  if (!job.extras) job.extras = std::make_unique<JobExtras>();
  return *job.extras;
}

size_t job_bytes(const Job& job) {
  // The fixed part of a stored record, and of an attempt, rounded up.
  constexpr size_t kRecordBytes = 128;
  constexpr size_t kAttemptBytes = 64;
  const auto attempt_bytes = [](const Attempt& attempt) {
    return kAttemptBytes + attempt.worker.size() + attempt.error_class.size() +
           attempt.message.size() + attempt.trace.size();
  };
  size_t bytes = kRecordBytes + job.args.size() + job.queue->name.size() + job.type->name.size();
  bytes += attempt_bytes(job.attempt_last);
  if (!job.extras) return bytes;
  const JobExtras& extras = *job.extras;
  bytes += extras.key.size() + extras.progress.size() + extras.result.size() +
           extras.backoff.list_ms.size() * sizeof(int64_t);
  for (const auto& [field, value] : extras.meta) bytes += field.size() + value.size();
  for (const Attempt& attempt : extras.history) bytes += attempt_bytes(attempt);
  return bytes;
}

std::unique_ptr<Job> clone_job(const Job& job) {
  auto copy = std::make_unique<Job>();
  copy->id = job.id;
  copy->namespace_id = job.namespace_id;
  copy->state = job.state;
  copy->priority = job.priority;
  copy->run_at_is_wall = job.run_at_is_wall;
  copy->cancel_requested = job.cancel_requested;
  copy->dead_reason = job.dead_reason;
  copy->generation = job.generation;
  copy->attempt = job.attempt;
  copy->attempts_max = job.attempts_max;
  copy->fence = job.fence;
  copy->crashes = job.crashes;
  copy->crashes_max = job.crashes_max;
  copy->queue = job.queue;
  copy->type = job.type;
  copy->args = job.args;
  copy->run_at_ms = job.run_at_ms;
  copy->expires_at = job.expires_at;
  copy->pushed = job.pushed;
  copy->ready_at = job.ready_at;
  copy->finished_at = job.finished_at;
  copy->finished_wall = job.finished_wall;
  copy->ready_seq = job.ready_seq;
  copy->lease_ms = job.lease_ms;
  copy->timeout_ms = job.timeout_ms;
  copy->soft_timeout_ms = job.soft_timeout_ms;
  copy->keep_ms = job.keep_ms;
  copy->lease = job.lease;
  copy->attempt_last = job.attempt_last;
  if (job.extras) copy->extras = std::make_unique<JobExtras>(*job.extras);
  return copy;
}

std::string job_id_text(JobId id) {
  return base::base32_encode(id.value).str();
}

namespace {
// A token is 128 bits: 32 of fence, 96 of secret.
base::Bits128 token_bits(const LeaseToken& token) {
  uint32_t secret_high = 0;
  base::Bits128 bits;
  std::memcpy(&secret_high, token.secret.data(), sizeof secret_high);
  std::memcpy(&bits.low, token.secret.data() + sizeof secret_high, sizeof bits.low);
  bits.high = (uint64_t{token.fence} << 32) | secret_high;
  return bits;
}
}  // namespace

std::string lease_token_text(const LeaseToken& token) {
  return base::base32_encode(token_bits(token)).str();
}

std::optional<LeaseToken> parse_lease_token(std::string_view text) {
  const auto bits = base::base32_decode_u128(text);
  if (!bits) return std::nullopt;
  LeaseToken token;
  token.fence = static_cast<uint32_t>(bits->high >> 32);
  const auto secret_high = static_cast<uint32_t>(bits->high);
  std::memcpy(token.secret.data(), &secret_high, sizeof secret_high);
  std::memcpy(token.secret.data() + sizeof secret_high, &bits->low, sizeof bits->low);
  return token;
}

}  // namespace core
