// For tests of the codecs: jobs and effects with something in every field.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/effect.h"
#include "core/job.h"

namespace store {

// Draws jobs that a server could hold: each field is now and then its default.
class RandomJobs {
 public:
  explicit RandomJobs(uint64_t seed) : random_(seed) {}

  core::Job next() {
    core::Job job;
    job.record = std::make_unique<core::JobRecord>();
    core::JobRecord& record = *job.record;
    job.id.value = random_.next() >> 12;
    job.state = static_cast<core::JobState>(random_.below(core::kJobStateCount));
    job.priority = static_cast<uint8_t>(random_.below(10)) & core::kPriorityMask;
    record.args = text(300);
    record.pushed.ms = time();
    record.namespace_id = maybe32();
    record.run_at_is_wall = random_.below(2) != 0;
    record.cancel_requested = random_.below(2) != 0;
    record.dead_reason = static_cast<core::DeadReason>(random_.below(4));
    if (random_.below(2) != 0) record.generation = number32();
    record.attempt = maybe32();
    if (random_.below(2) != 0) record.attempts_max = number32();
    record.fence = maybe32();
    record.crashes = maybe32();
    if (random_.below(2) != 0) record.crashes_max = number32();
    record.run_at_ms = maybe_time();
    record.expires_at.ms = maybe_time();
    record.ready_at.ms = maybe_time();
    record.finished_at.ms = maybe_time();
    record.finished_wall.ms = maybe_time();
    job.set_ready_seq(maybe32());
    if (random_.below(2) != 0) record.lease_ms = time();
    if (random_.below(2) != 0) record.timeout_ms = maybe_time();
    record.soft_timeout_ms = maybe_time();
    if (random_.below(2) != 0) record.keep_ms = time();
    if (random_.below(2) != 0) record.attempt_last = attempt();
    if (job.state == core::JobState::kRunning) add_lease(record);
    if (random_.below(2) != 0) add_extras(core::extras_of(record));
    return job;
  }

  core::Attempt attempt() {
    core::Attempt attempt;
    attempt.token.fence = number32();
    random_.fill(std::as_writable_bytes(std::span(attempt.token.secret)));
    attempt.generation = number32();
    attempt.number = number32();
    attempt.outcome = static_cast<core::Outcome>(random_.below(7));
    attempt.ending = static_cast<core::Ending>(random_.below(4));
    attempt.cancelled = random_.below(2) != 0;
    attempt.after = static_cast<core::JobState>(random_.below(core::kJobStateCount));
    attempt.worker = text(20);
    attempt.started.ms = time();
    attempt.ended.ms = maybe_time();
    attempt.ended_engine.ms = maybe_time();
    attempt.run_at_ms = maybe_time();
    attempt.error_class = text(10);
    attempt.message = text(50);
    attempt.trace = text(200);
    return attempt;
  }

  std::string text(size_t most) {
    std::string text(random_.below(most + 1), ' ');
    random_.fill(std::as_writable_bytes(std::span(text)));
    return text;
  }

 private:
  uint32_t number32() {
    return 1 + static_cast<uint32_t>(random_.next() >> (33 + random_.below(30)));
  }
  uint32_t maybe32() { return random_.below(2) == 0 ? 0 : number32(); }
  int64_t time() { return 1 + static_cast<int64_t>(random_.below(uint64_t{1} << 42)); }
  int64_t maybe_time() { return random_.below(2) == 0 ? 0 : time(); }

  void add_lease(core::JobRecord& record) {
    record.attempt = number32();
    record.attempt_last = attempt();
    record.lease.granted.ms = time();
    record.lease.deadline.ms = time();
    record.lease.timeout_end =
        random_.below(2) == 0 ? base::EngineTime::never() : record.lease.deadline;
    record.lease.alone = random_.below(2) != 0;
  }

  core::AttemptLog log_of(const core::Attempt& attempt) {
    core::AttemptLog log{.fence = attempt.token.fence, .dropped = maybe32()};
    for (uint64_t i = random_.below(4); i > 0; --i) {
      const auto level = static_cast<core::LogLevel>(random_.below(core::kLogLevelCount));
      log.add({base::WallTime{time()}, level, text(40)});
    }
    return log;
  }

  void add_extras(core::JobExtras& extras) {
    static constexpr const char* kPolicies[] = {
        "fixed:5~0", "linear:5,6", "exponential:5,1.125,9~3", "list:1,2,3", "sidekiq", "celery:7"};
    extras.key = text(20);
    for (uint64_t i = random_.below(3); i > 0; --i) extras.meta.emplace_back(text(5), text(5));
    extras.has_progress = random_.below(2) != 0;
    if (extras.has_progress) extras.progress = text(30);
    extras.has_result = random_.below(2) != 0;
    if (extras.has_result) extras.result = text(30);
    extras.has_backoff = random_.below(2) != 0;
    if (extras.has_backoff) {
      extras.backoff = core::parse_backoff(kPolicies[random_.below(std::size(kPolicies))]).value();
    }
    for (uint64_t i = random_.below(4); i > 0; --i) extras.history.push_back(attempt());
    for (const core::Attempt& attempt : extras.history) {
      if (random_.below(2) != 0) extras.logs.push_back(log_of(attempt));
    }
    extras.unique_key = text(10);
    if (!extras.unique_key.empty()) {
      extras.unique_scope = static_cast<core::UniqueScope>(random_.below(4));
      extras.unique_ms = maybe_time();
    }
    for (uint64_t i = random_.below(3); i > 0; --i) extras.limits.push_back(text(10));
    extras.fair_key = text(10);
  }

  base::SeededRandom random_;
};

}  // namespace store
