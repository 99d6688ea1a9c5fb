// The passing of time: due work, lost leases, timeouts, expiry, stalls, restarts.
#include <algorithm>
#include <tuple>

#include "model/model.h"
#include "model/step.h"

namespace model {
namespace {

constexpr int64_t kGraceMsMax = 30'000;
constexpr int64_t kLargeStepMs = 3'600'000;
constexpr int64_t kHoldMs = 60'000;
constexpr int64_t kSuspectCrashes = 2;

}  // namespace

bool at_held(const World& world) {
  return world.at_held_until_ms && world.now.engine_ms < *world.at_held_until_ms;
}

void Step::observe_clocks(Now now) {
  if (now.engine_ms < w_.now.engine_ms) throw Mismatch{"the driver's engine time went back"};
  const int64_t before = w_.now.wall_ms - w_.now.engine_ms;
  if (now.wall_ms - now.engine_ms - before > kLargeStepMs) {
    w_.at_held_until_ms = now.engine_ms + kHoldMs;
  }
  w_.now = now;
  forgive_scans();
  forgive_listings();
}

std::optional<Due> due_of(const World& world, const Job& job) {
  const JobView& view = job.view;
  std::optional<Due> next;
  const auto consider = [&](int64_t at_ms, DueKind kind) {
    if (!next || at_ms < next->at_ms) next = Due{at_ms, view.id, kind};
  };
  if (view.state == State::kRunning) {
    if (view.lease->timeout_at_engine_ms) {
      consider(*view.lease->timeout_at_engine_ms, DueKind::kTimeout);
    }
    consider(view.lease->deadline_engine_ms, DueKind::kLost);
    return next;
  }
  if (is_finished(view.state)) {
    if (view.keep_ms && view.state != State::kDead) {
      consider(*view.finished_engine_ms + *view.keep_ms, DueKind::kForget);
    }
    return next;
  }
  if (view.expires_at_engine_ms && view.attempt == 0) {
    consider(*view.expires_at_engine_ms, DueKind::kExpire);
  }
  if (view.state == State::kScheduled) {
    if (!view.run_at.is_wall) {
      consider(view.run_at.ms, DueKind::kReady);
    } else {
      const int64_t at_ms = view.run_at.ms - (world.now.wall_ms - world.now.engine_ms);
      const bool held = at_held(world);
      consider(held ? std::max(at_ms, *world.at_held_until_ms) : at_ms, DueKind::kReady);
    }
  }
  return next;
}

std::optional<Due> next_due(const World& world) {
  std::optional<Due> next;
  for (const auto& [id, job] : world.jobs) {
    const std::optional<Due> due = due_of(world, job);
    if (!due || due->at_ms > world.now.engine_ms) continue;
    if (!next || due->at_ms < next->at_ms) next = due;  // Jobs come by id, so ties do too.
  }
  return next;
}

void Step::carry_out(const Due& due) {
  Job& job = *find_job(w_, due.id);
  switch (due.kind) {
    case DueKind::kTimeout:
      return time_out(job);
    case DueKind::kLost:
      return lose(job);
    case DueKind::kExpire:
      ++queue_of(job).expired;
      return finish(job, State::kExpired);
    case DueKind::kReady:
      return make_ready(job);
    case DueKind::kForget:
      return forget(due.id);
  }
}

void Step::time_out(Job& job) {
  Fail how;
  how.error_class = "Timeout";
  if (job.view.cancel_requested) {
    record(job, job.view.lease->token, LedgerEntry{LeaseVerb::kOther, {}, true, 0});
    end_cancelled(job, how);
  } else {
    end_failed(job, how, nullptr);
  }
}

void Step::lose(Job& job) {
  JobView& view = job.view;
  Fail how;
  how.error_class = "LeaseLost";
  if (view.cancel_requested) {
    record(job, view.lease->token, LedgerEntry{LeaseVerb::kOther, {}, true, 0});
    end_cancelled(job, how);
    return;
  }
  add_history(job, Outcome::kLost, how);
  ++queue_of(job).lost;
  ++view.crashes;
  view.suspect = view.crashes >= kSuspectCrashes;
  if (job.lease_alone && view.crashes >= view.max_crashes) {
    die(job, DeadReason::kCrashes);
  } else if (view.attempt >= view.max_attempts) {
    die(job, DeadReason::kAttempts);
  } else {
    schedule(job, crash_delay(job.backoff, view.attempt, view.crashes), nullptr);
  }
}

void Step::advance(const Advance& advance) {
  if (advance.stall) give_grace(false);
  while (const std::optional<Due> due = next_due(w_)) carry_out(*due);
  drop_keys_over();
  forget_idle_workers();
}

void Step::give_grace(bool renewals_may_be_lost) {
  for (auto& [id, job] : w_.jobs) {
    if (job.view.state != State::kRunning) continue;
    LeaseView& lease = *job.view.lease;
    const int64_t floor = w_.now.engine_ms + std::min(job.view.lease_ms, kGraceMsMax);
    const int64_t granted = std::max(job.granted_deadline, floor);
    const int64_t renewed = std::max(lease.deadline_engine_ms, floor);
    lease.deadline_engine_ms = renewed;
    if (renewals_may_be_lost && granted != renewed) {
      job.deadline_range = Range{granted, renewed};
    }
    if (lease.timeout_at_engine_ms) {
      lease.timeout_at_engine_ms = std::max(*lease.timeout_at_engine_ms, floor);
    }
  }
}

void Step::restart() {
  w_.at_held_until_ms.reset();
  w_.waiters.clear();
  w_.workers.clear();
  give_grace(true);
}

std::optional<int64_t> Model::until_next_due() const {
  std::optional<int64_t> first;
  const auto consider = [&](int64_t at_ms) {
    if (!first || at_ms < *first) first = at_ms;
  };
  for (const auto& [id, job] : world_.jobs) {
    if (const std::optional<Due> due = due_of(world_, job)) consider(due->at_ms);
  }
  for (const Waiter& waiter : world_.waiters) consider(waiter.until_ms);
  const int64_t wall_ahead_ms = world_.now.wall_ms - world_.now.engine_ms;
  for (const auto& [name, key] : world_.stored) {
    if (key.end_ms) consider(key.end_is_wall ? *key.end_ms - wall_ahead_ms : *key.end_ms);
  }
  if (!first) return std::nullopt;
  return std::max<int64_t>(0, *first - world_.now.engine_ms);
}

}  // namespace model
