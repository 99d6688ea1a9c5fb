#include "store/job_codec.h"

namespace store {
namespace {

using core::Attempt;
using core::Job;
using core::JobExtras;
using core::JobRecord;

// Bits of the mask, in the order in which the fields follow. Never renumber.
enum Field : uint32_t {
  kNamespace = 1U << 0,
  kFlags = 1U << 1,
  kDeadReason = 1U << 2,
  kGeneration = 1U << 3,
  kAttempt = 1U << 4,
  kAttemptsMax = 1U << 5,
  kFence = 1U << 6,
  kCrashes = 1U << 7,
  kCrashesMax = 1U << 8,
  kRunAt = 1U << 9,
  kExpires = 1U << 10,
  kReadyAt = 1U << 11,
  kFinished = 1U << 12,
  kReadySeq = 1U << 13,
  kLeaseMs = 1U << 14,
  kTimeoutMs = 1U << 15,
  kSoftTimeoutMs = 1U << 16,
  kKeepMs = 1U << 17,
  kLease = 1U << 18,
  kAttemptLast = 1U << 19,
  kKey = 1U << 20,
  kMeta = 1U << 21,
  kProgress = 1U << 22,
  kResult = 1U << 23,
  kBackoff = 1U << 24,
  kHistory = 1U << 25,
  kUnique = 1U << 26,
  kLimits = 1U << 27,
  kFairKey = 1U << 28,
  kLogs = 1U << 29,
};
constexpr uint32_t kKnownFields = (1U << 30) - 1;

constexpr uint8_t kFlagRunAtIsWall = 1;
constexpr uint8_t kFlagCancelRequested = 2;

uint32_t extras_mask(const JobExtras& extras) {
  uint32_t mask = 0;
  if (!extras.key.empty()) mask |= kKey;
  if (!extras.meta.empty()) mask |= kMeta;
  if (extras.has_progress) mask |= kProgress;
  if (extras.has_result) mask |= kResult;
  if (extras.has_backoff) mask |= kBackoff;
  if (!extras.history.empty()) mask |= kHistory;
  if (!extras.unique_key.empty()) mask |= kUnique;
  if (!extras.limits.empty()) mask |= kLimits;
  if (!extras.fair_key.empty()) mask |= kFairKey;
  if (!extras.logs.empty()) mask |= kLogs;
  return mask;
}

uint32_t mask_of(const JobRecord& record, core::JobState state) {
  static const JobRecord kPlain;
  uint32_t mask = 0;
  const auto differs = [&](auto member, Field field) {
    if (!(record.*member == kPlain.*member)) mask |= field;
  };
  differs(&JobRecord::namespace_id, kNamespace);
  if (record.run_at_is_wall || record.cancel_requested) mask |= kFlags;
  differs(&JobRecord::dead_reason, kDeadReason);
  differs(&JobRecord::generation, kGeneration);
  differs(&JobRecord::attempt, kAttempt);
  differs(&JobRecord::attempts_max, kAttemptsMax);
  differs(&JobRecord::fence, kFence);
  differs(&JobRecord::crashes, kCrashes);
  differs(&JobRecord::crashes_max, kCrashesMax);
  differs(&JobRecord::run_at_ms, kRunAt);
  differs(&JobRecord::expires_at, kExpires);
  differs(&JobRecord::ready_at, kReadyAt);
  if (record.finished_at.ms != 0 || record.finished_wall.ms != 0) mask |= kFinished;
  differs(&JobRecord::lease_ms, kLeaseMs);
  differs(&JobRecord::timeout_ms, kTimeoutMs);
  differs(&JobRecord::soft_timeout_ms, kSoftTimeoutMs);
  differs(&JobRecord::keep_ms, kKeepMs);
  if (state == core::JobState::kRunning) mask |= kLease;
  if (record.attempt_last.token.fence != 0) mask |= kAttemptLast;
  if (record.extras) mask |= extras_mask(*record.extras);
  return mask;
}

void write_attempt(ByteWriter& out, const Attempt& attempt) {
  out.number(attempt.token.fence);
  out.raw(attempt.token.secret.data(), attempt.token.secret.size());
  out.number(attempt.generation);
  out.number(attempt.number);
  out.byte(static_cast<uint8_t>(attempt.outcome));
  out.byte(static_cast<uint8_t>(attempt.ending));
  out.byte(attempt.cancelled ? 1 : 0);
  out.byte(static_cast<uint8_t>(attempt.after));
  out.text(attempt.worker);
  out.signed_number(attempt.started.ms);
  out.signed_number(attempt.ended.ms);
  out.signed_number(attempt.ended_engine.ms);
  out.signed_number(attempt.run_at_ms);
  out.text(attempt.error_class);
  out.text(attempt.message);
  out.text(attempt.trace);
}

Attempt read_attempt(ByteReader& in) {
  Attempt attempt;
  attempt.token.fence = static_cast<uint32_t>(in.bounded(UINT32_MAX));
  in.raw(attempt.token.secret.data(), attempt.token.secret.size());
  attempt.generation = static_cast<uint32_t>(in.bounded(UINT32_MAX));
  attempt.number = static_cast<uint32_t>(in.bounded(UINT32_MAX));
  attempt.outcome = static_cast<core::Outcome>(in.bounded(6));
  attempt.ending = static_cast<core::Ending>(in.bounded(3));
  attempt.cancelled = in.bounded(1) != 0;
  attempt.after = static_cast<core::JobState>(in.bounded(core::kJobStateCount - 1));
  attempt.worker = in.text();
  attempt.started.ms = in.signed_number();
  attempt.ended.ms = in.signed_number();
  attempt.ended_engine.ms = in.signed_number();
  attempt.run_at_ms = in.signed_number();
  attempt.error_class = in.text();
  attempt.message = in.text();
  attempt.trace = in.text();
  return attempt;
}

void write_texts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.number(texts.size());
  for (const std::string& text : texts) out.text(text);
}

std::vector<std::string> read_texts(ByteReader& in) {
  std::vector<std::string> texts;
  const uint64_t count = in.number();
  for (uint64_t i = 0; i < count && in.ok(); ++i) texts.emplace_back(in.text());
  return texts;
}

void write_logs(ByteWriter& out, const std::vector<core::AttemptLog>& logs) {
  out.number(logs.size());
  for (const core::AttemptLog& log : logs) {
    out.number(log.fence);
    out.number(log.dropped);
    out.number(log.lines.size());
    for (const core::LogLine& line : log.lines) {
      out.signed_number(line.at.ms);
      out.byte(static_cast<uint8_t>(line.level));
      out.text(line.text);
    }
  }
}

void read_logs(ByteReader& in, std::vector<core::AttemptLog>& logs) {
  const uint64_t count = in.number();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    core::AttemptLog& log = logs.emplace_back();
    log.fence = static_cast<uint32_t>(in.bounded(UINT32_MAX));
    const uint64_t dropped = in.number();
    const uint64_t lines = in.number();
    for (uint64_t j = 0; j < lines && in.ok(); ++j) {
      core::LogLine line;
      line.at.ms = in.signed_number();
      line.level = static_cast<core::LogLevel>(in.bounded(core::kLogLevelCount - 1));
      const std::string_view text = in.text();
      if (text.size() > core::limits::kLogTextBytesMax) in.fail();
      if (!in.ok()) return;
      line.text = text;
      log.add(std::move(line));
    }
    log.dropped += dropped;  // More than were dropped then only if the bound has shrunk.
  }
}

void write_extras(ByteWriter& out, const JobExtras& extras, uint32_t mask) {
  if (mask & kKey) out.text(extras.key);
  if (mask & kMeta) {
    out.number(extras.meta.size());
    for (const auto& [field, value] : extras.meta) {
      out.text(field);
      out.text(value);
    }
  }
  if (mask & kProgress) out.text(extras.progress);
  if (mask & kResult) out.text(extras.result);
  if (mask & kBackoff) out.text(core::backoff_text(extras.backoff));
  if (mask & kHistory) {
    out.number(extras.history.size());
    for (const Attempt& attempt : extras.history) write_attempt(out, attempt);
  }
  if (mask & kUnique) {
    out.text(extras.unique_key);
    out.byte(static_cast<uint8_t>(extras.unique_scope));
    out.signed_number(extras.unique_ms);
  }
  if (mask & kLimits) write_texts(out, extras.limits);
  if (mask & kFairKey) out.text(extras.fair_key);
  if (mask & kLogs) write_logs(out, extras.logs);
}

void read_backoff(ByteReader& in, JobExtras& extras) {
  base::Result<core::Backoff> policy = core::parse_backoff(in.text());
  if (!policy) return in.fail();
  extras.backoff = *std::move(policy);
  extras.has_backoff = true;
}

void read_extras(ByteReader& in, JobExtras& extras, uint32_t mask) {
  if (mask & kKey) extras.key = in.text();
  if (mask & kMeta) {
    const uint64_t count = in.number();
    for (uint64_t i = 0; i < count && in.ok(); ++i) {
      std::string field(in.text());
      extras.meta.emplace_back(std::move(field), in.text());
    }
  }
  extras.has_progress = (mask & kProgress) != 0;
  if (extras.has_progress) extras.progress = in.text();
  extras.has_result = (mask & kResult) != 0;
  if (extras.has_result) extras.result = in.text();
  if (mask & kBackoff) read_backoff(in, extras);
  if (mask & kHistory) {
    const uint64_t count = in.number();
    for (uint64_t i = 0; i < count && in.ok(); ++i) extras.history.push_back(read_attempt(in));
  }
  if (mask & kUnique) {
    extras.unique_key = in.text();
    extras.unique_scope = static_cast<core::UniqueScope>(in.bounded(3));
    extras.unique_ms = in.signed_number();
  }
  if (mask & kLimits) extras.limits = read_texts(in);
  if (mask & kFairKey) extras.fair_key = in.text();
  if (mask & kLogs) read_logs(in, extras.logs);
}

uint32_t read_u32(ByteReader& in) {
  return static_cast<uint32_t>(in.bounded(UINT32_MAX));
}

// `ready_seq`: of the fields the one that is not part of the record.
void write_fields(ByteWriter& out, const JobRecord& record, uint64_t ready_seq, uint32_t mask) {
  if (mask & kNamespace) out.number(record.namespace_id);
  if (mask & kFlags) {
    out.byte(static_cast<uint8_t>((record.run_at_is_wall ? kFlagRunAtIsWall : 0) |
                                  (record.cancel_requested ? kFlagCancelRequested : 0)));
  }
  if (mask & kDeadReason) out.byte(static_cast<uint8_t>(record.dead_reason));
  if (mask & kGeneration) out.number(record.generation);
  if (mask & kAttempt) out.number(record.attempt);
  if (mask & kAttemptsMax) out.number(record.attempts_max);
  if (mask & kFence) out.number(record.fence);
  if (mask & kCrashes) out.number(record.crashes);
  if (mask & kCrashesMax) out.number(record.crashes_max);
  if (mask & kRunAt) out.signed_number(record.run_at_ms);
  if (mask & kExpires) out.signed_number(record.expires_at.ms);
  if (mask & kReadyAt) out.signed_number(record.ready_at.ms);
  if (mask & kFinished) {
    out.signed_number(record.finished_at.ms);
    out.signed_number(record.finished_wall.ms);
  }
  if (mask & kReadySeq) out.number(ready_seq);
  if (mask & kLeaseMs) out.signed_number(record.lease_ms);
  if (mask & kTimeoutMs) out.signed_number(record.timeout_ms);
  if (mask & kSoftTimeoutMs) out.signed_number(record.soft_timeout_ms);
  if (mask & kKeepMs) out.signed_number(record.keep_ms);
  if (mask & kLease) {
    out.signed_number(record.lease.granted.ms);
    out.signed_number(record.lease.deadline.ms);
    out.signed_number(record.lease.timeout_end.ms);
    out.byte(record.lease.alone ? 1 : 0);
  }
  if (mask & kAttemptLast) write_attempt(out, record.attempt_last);
}

uint64_t read_fields(ByteReader& in, JobRecord& record, uint32_t mask) {
  uint64_t ready_seq = 0;
  if (mask & kNamespace) record.namespace_id = read_u32(in);
  if (mask & kFlags) {
    const uint64_t flags = in.bounded(kFlagRunAtIsWall | kFlagCancelRequested);
    record.run_at_is_wall = (flags & kFlagRunAtIsWall) != 0;
    record.cancel_requested = (flags & kFlagCancelRequested) != 0;
  }
  if (mask & kDeadReason) record.dead_reason = static_cast<core::DeadReason>(in.bounded(3));
  if (mask & kGeneration) record.generation = read_u32(in);
  if (mask & kAttempt) record.attempt = read_u32(in);
  if (mask & kAttemptsMax) record.attempts_max = read_u32(in);
  if (mask & kFence) record.fence = read_u32(in);
  if (mask & kCrashes) record.crashes = read_u32(in);
  if (mask & kCrashesMax) record.crashes_max = read_u32(in);
  if (mask & kRunAt) record.run_at_ms = in.signed_number();
  if (mask & kExpires) record.expires_at.ms = in.signed_number();
  if (mask & kReadyAt) record.ready_at.ms = in.signed_number();
  if (mask & kFinished) {
    record.finished_at.ms = in.signed_number();
    record.finished_wall.ms = in.signed_number();
  }
  if (mask & kReadySeq) ready_seq = in.bounded(core::kReadySeqMask);
  if (mask & kLeaseMs) record.lease_ms = in.signed_number();
  if (mask & kTimeoutMs) record.timeout_ms = in.signed_number();
  if (mask & kSoftTimeoutMs) record.soft_timeout_ms = in.signed_number();
  if (mask & kKeepMs) record.keep_ms = in.signed_number();
  if (mask & kLease) {
    record.lease.granted.ms = in.signed_number();
    record.lease.deadline.ms = in.signed_number();
    record.lease.timeout_end.ms = in.signed_number();
    record.lease.alone = in.bounded(1) != 0;
  }
  if (mask & kAttemptLast) record.attempt_last = read_attempt(in);
  return ready_seq;
}

constexpr uint32_t kExtrasFields =
    kKey | kMeta | kProgress | kResult | kBackoff | kHistory | kUnique | kLimits | kFairKey | kLogs;

void check_lease(ByteReader& in, const JobRecord& record, core::JobState state, uint32_t mask) {
  const bool leased = (mask & kLease) != 0;
  if (leased != (state == core::JobState::kRunning)) in.fail();
  if (leased && (record.attempt_last.token.fence == 0 || record.attempt == 0)) in.fail();
}

}  // namespace

void encode_job(ByteWriter& out, const Job& job) {
  const JobRecord& record = *job.record;
  uint32_t mask = mask_of(record, job.state);
  if (job.ready_seq != 0) mask |= kReadySeq;
  out.number(mask);
  out.number(job.id.value);
  out.byte(static_cast<uint8_t>(job.state));
  out.byte(job.priority);
  out.text(record.args);
  out.signed_number(record.pushed.ms);
  write_fields(out, record, job.ready_seq, mask);
  if (record.extras) write_extras(out, *record.extras, mask);
}

Job decode_job(ByteReader& in) {
  Job job;
  job.record = std::make_unique<JobRecord>();
  JobRecord& record = *job.record;
  const auto mask = static_cast<uint32_t>(in.bounded(kKnownFields));
  job.id.value = in.number();
  job.state = static_cast<core::JobState>(in.bounded(core::kJobStateCount - 1));
  job.priority = static_cast<uint8_t>(in.bounded(core::limits::kPriorityMax)) & core::kPriorityMask;
  record.args = in.text();
  record.pushed.ms = in.signed_number();
  job.set_ready_seq(read_fields(in, record, mask));
  if ((mask & kExtrasFields) != 0) read_extras(in, core::extras_of(record), mask);
  check_lease(in, record, job.state, mask);
  return job;
}

void encode_record(ByteWriter& out, const Job& job) {
  const JobRecord& record = *job.record;
  const uint32_t mask = mask_of(record, job.state);
  out.number(mask);
  out.signed_number(record.pushed.ms);
  write_fields(out, record, 0, mask);
  if (record.extras) write_extras(out, *record.extras, mask);
}

std::unique_ptr<JobRecord> decode_record(ByteReader& in, core::JobState state) {
  auto record = std::make_unique<JobRecord>();
  const auto mask = static_cast<uint32_t>(in.bounded(kKnownFields));
  if ((mask & kReadySeq) != 0) in.fail();
  record->pushed.ms = in.signed_number();
  read_fields(in, *record, mask);
  if ((mask & kExtrasFields) != 0) read_extras(in, core::extras_of(*record), mask);
  check_lease(in, *record, state, mask);
  return record;
}

base::Result<std::unique_ptr<core::JobRecord>> decode_row(const JobRow& row) {
  ByteReader in(row.record);
  std::unique_ptr<JobRecord> record = decode_record(in, row.header.state);
  if (!in.ok() || !in.done()) {
    return base::fail(base::ErrorCode::kCorrupt, "job {}: its record cannot be decoded",
                      core::job_id_text(row.header.id));
  }
  if (row.args) record->args = *row.args;
  return record;
}

}  // namespace store
