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

  std::unique_ptr<core::Job> next() {
    auto job = std::make_unique<core::Job>();
    job->id.value = random_.next() >> 12;
    job->state = static_cast<core::JobState>(random_.below(core::kJobStateCount));
    job->priority = static_cast<uint8_t>(random_.below(10));
    job->args = text(300);
    job->pushed.ms = time();
    job->namespace_id = maybe32();
    job->run_at_is_wall = random_.below(2) != 0;
    job->cancel_requested = random_.below(2) != 0;
    job->dead_reason = static_cast<core::DeadReason>(random_.below(4));
    if (random_.below(2) != 0) job->generation = number32();
    job->attempt = maybe32();
    if (random_.below(2) != 0) job->attempts_max = number32();
    job->fence = maybe32();
    job->crashes = maybe32();
    if (random_.below(2) != 0) job->crashes_max = number32();
    job->run_at_ms = maybe_time();
    job->expires_at.ms = maybe_time();
    job->ready_at.ms = maybe_time();
    job->finished_at.ms = maybe_time();
    job->finished_wall.ms = maybe_time();
    job->ready_seq = maybe32();
    if (random_.below(2) != 0) job->lease_ms = time();
    if (random_.below(2) != 0) job->timeout_ms = maybe_time();
    job->soft_timeout_ms = maybe_time();
    if (random_.below(2) != 0) job->keep_ms = time();
    if (random_.below(2) != 0) job->attempt_last = attempt();
    if (job->state == core::JobState::kRunning) add_lease(*job);
    if (random_.below(2) != 0) add_extras(core::extras_of(*job));
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
  uint32_t number32() { return 1 + static_cast<uint32_t>(random_.next() >> (33 + random_.below(30))); }
  uint32_t maybe32() { return random_.below(2) == 0 ? 0 : number32(); }
  int64_t time() { return 1 + static_cast<int64_t>(random_.below(uint64_t{1} << 42)); }
  int64_t maybe_time() { return random_.below(2) == 0 ? 0 : time(); }

  void add_lease(core::Job& job) {
    job.attempt = number32();
    job.attempt_last = attempt();
    job.lease.granted.ms = time();
    job.lease.deadline.ms = time();
    job.lease.timeout_end = random_.below(2) == 0 ? base::EngineTime::never() : job.lease.deadline;
    job.lease.alone = random_.below(2) != 0;
  }

  void add_extras(core::JobExtras& extras) {
    static constexpr const char* kPolicies[] = {"fixed:5~0", "linear:5,6", "exponential:5,1.125,9~3",
                                                "list:1,2,3", "sidekiq", "celery:7"};
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
