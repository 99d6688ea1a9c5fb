#include "core/job.h"

#include <algorithm>
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

JobExtras& extras_of(JobRecord& record) {
  if (!record.extras) record.extras = std::make_unique<JobExtras>();
  return *record.extras;
}

size_t job_bytes(const Job& job) {
  // The fixed part of a stored record, and of an attempt, rounded up.
  constexpr size_t kRecordBytes = 128;
  constexpr size_t kAttemptBytes = 64;
  const auto attempt_bytes = [](const Attempt& attempt) {
    return kAttemptBytes + attempt.worker.size() + attempt.error_class.size() +
           attempt.message.size() + attempt.trace.size();
  };
  const JobRecord& record = *job.record;
  size_t bytes = kRecordBytes + record.args.size() + job.queue->name.size() + job.type->name.size();
  bytes += attempt_bytes(record.attempt_last);
  if (!record.extras) return bytes;
  const JobExtras& extras = *record.extras;
  bytes += extras.key.size() + extras.progress.size() + extras.result.size() +
           extras.backoff.list_ms.size() * sizeof(int64_t);
  for (const auto& [field, value] : extras.meta) bytes += field.size() + value.size();
  for (const Attempt& attempt : extras.history) bytes += attempt_bytes(attempt);
  for (const AttemptLog& log : extras.logs) bytes += log.bytes;
  return bytes;
}

const Attempt* last_failure(const JobRecord& record) {
  const auto failed = [](const Attempt& attempt) { return !attempt.error_class.empty(); };
  if (failed(record.attempt_last)) return &record.attempt_last;
  if (!record.extras) return nullptr;
  const auto& history = record.extras->history;
  const auto found = std::ranges::find_if(history.rbegin(), history.rend(), failed);
  return found == history.rend() ? nullptr : &*found;
}

std::unique_ptr<JobRecord> clone_record(const JobRecord& record) {
  auto copy = std::make_unique<JobRecord>();
  copy->namespace_id = record.namespace_id;
  copy->run_at_is_wall = record.run_at_is_wall;
  copy->cancel_requested = record.cancel_requested;
  copy->dead_reason = record.dead_reason;
  copy->generation = record.generation;
  copy->attempt = record.attempt;
  copy->attempts_max = record.attempts_max;
  copy->fence = record.fence;
  copy->crashes = record.crashes;
  copy->crashes_max = record.crashes_max;
  copy->args = record.args;
  copy->run_at_ms = record.run_at_ms;
  copy->expires_at = record.expires_at;
  copy->pushed = record.pushed;
  copy->ready_at = record.ready_at;
  copy->finished_at = record.finished_at;
  copy->finished_wall = record.finished_wall;
  copy->lease_ms = record.lease_ms;
  copy->timeout_ms = record.timeout_ms;
  copy->soft_timeout_ms = record.soft_timeout_ms;
  copy->keep_ms = record.keep_ms;
  copy->lease = record.lease;
  copy->attempt_last = record.attempt_last;
  if (record.extras) copy->extras = std::make_unique<JobExtras>(*record.extras);
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
