// What each effect does to the state. No decision is taken here: replay runs the same code.
#include <algorithm>

#include "base/assert.h"
#include "core/state.h"
#include "core/state_group.h"

namespace core {

using base::ErrorCode;
using base::Now;
using base::Status;

Status State::enact(Effect&& effect, Now now) {
  return std::visit([&](auto&& body) { return enact(std::forward<decltype(body)>(body), now); },
                    std::move(effect));
}

Job* State::touch(JobId id) {
  Job* job = jobs_.find(id);
  if (job == nullptr) {
    ghosts_.insert(id.value);
    ASSERT(recovering_, "an effect on job {}, which is not there", id.value);
    return nullptr;
  }
  if (group_ && group_->touched.insert(id.value).second) {
    group_->jobs.push_back({id, clone_job(*job)});
  }
  return job;
}

QueueCounters& State::counters_of(Queue& queue) {
  if (group_) group_->counters.try_emplace(&queue, queue.counters);
  return queue.counters;
}

Status State::enact(JobPut&& put, Now /*now*/) {
  if (put.job == nullptr) return {};  // An image of what is there.
  ghosts_.erase(put.job->id.value);
  put.job->queue = &queue_of(put.queue);
  put.job->type = &type_of(put.type);
  const JobId id = put.job->id;
  if (sequence_of(id) >= sequence_next_) sequence_next_ = sequence_of(id) + 1;
  if (put.job->ready_seq >= ready_seq_next_) ready_seq_next_ = put.job->ready_seq + 1;
  if (Job* old = jobs_.find(id)) {
    if (group_) touch(id);
    detach(*old);
    timers_.set(*old, false, 0);
    wall_timers_.set(*old, false, 0);
    *old = std::move(*put.job);
    attach(*old);
  } else {
    if (group_) {
      group_->touched.insert(id.value);
      group_->jobs.push_back({id, nullptr});
    }
    attach(jobs_.insert(std::move(put.job)));
  }
  if (put.why == JobPut::Why::kPushed) ++counters_of(*jobs_.find(id)->queue).pushed;
  return {};
}

Status State::enact(PushSeen&& seen, Now now) {
  if (!seen.request.empty()) {
    // In an image of what is there already, and for what is over, nothing is to do.
    if (seen.until <= now.engine || requests_.find(seen.request, now.engine)) return {};
    requests_.put(seen.request, {seen.id, seen.created}, seen.until);
    if (group_) group_->requests.emplace_back(seen.request);
    return {};
  }
  const SeenPush push{seen.producer_seq, seen.id, seen.created};
  const base::EngineTime used = producers_.put(seen.producer, push, now.engine);
  if (group_) group_->producers.push_back({std::string(seen.producer), seen.producer_seq, used});
  return {};
}

void State::prune_history(Job& job, base::EngineTime now) {
  std::vector<Attempt>& history = job.extras->history;
  // What was given back is not shown; it is kept while its command may be repeated.
  std::erase_if(history, [&](const Attempt& attempt) {
    return attempt.outcome == Outcome::kReleased && repeatable_until(job, attempt) <= now;
  });
  const auto drop_oldest = [&](bool released) {
    const auto is_kind = [&](const Attempt& attempt) {
      return (attempt.outcome == Outcome::kReleased) == released;
    };
    const auto kept = static_cast<size_t>(std::ranges::count_if(history, is_kind));
    if (kept <= limits::kHistoryMax) return;
    const auto oldest = std::ranges::find_if(history, is_kind);
    remember(job, *oldest, now);
    history.erase(oldest);
  };
  if (history.size() <= limits::kHistoryMax) return;
  drop_oldest(true);
  drop_oldest(false);
}

void State::start_attempt(Job& job, JobGranted& granted, Now now) {
  Attempt& attempt = job.attempt_last;
  if (attempt.token.fence != 0) {
    extras_of(job).history.push_back(std::move(attempt));
    prune_history(job, now.engine);
  }
  attempt = Attempt{};
  attempt.token.fence = job.fence;
  attempt.token.secret = granted.secret;
  attempt.generation = job.generation;
  attempt.number = job.attempt;
  attempt.worker = granted.worker;
  attempt.started = now.wall;
}

Status State::enact(JobGranted&& granted, Now now) {
  Job* job = touch(granted.id);
  if (job == nullptr) return {};
  detach(*job);
  ++job->fence;
  ++job->attempt;
  start_attempt(*job, granted, now);
  job->state = JobState::kRunning;
  job->lease.granted = now.engine;
  job->lease.deadline = now.engine + base::Duration{job->lease_ms};
  const int64_t slack_ms =
      std::max(limits::kTimeoutSlackMsMin, job->timeout_ms * limits::kTimeoutSlackPercent / 100);
  job->lease.timeout_end = job->timeout_ms == 0
                               ? base::EngineTime::never()
                               : now.engine + base::Duration{job->timeout_ms + slack_ms};
  job->lease.alone = granted.alone;
  attach(*job);
  ++counters_of(*job->queue).started;
  return {};
}

Status State::enact(JobUngranted&& ungranted, Now /*now*/) {
  Job* job = touch(ungranted.id);
  if (job == nullptr) return {};
  ASSERT(job->state == JobState::kRunning && job->attempt > 0);
  detach(*job);
  --job->attempt;
  job->state = JobState::kReady;
  job->attempt_last = Attempt{};
  if (job->extras && !job->extras->history.empty()) {
    job->attempt_last = std::move(job->extras->history.back());
    job->extras->history.pop_back();
  }
  attach(*job);
  return {};
}

namespace {

void count_end(QueueCounters& counters, const JobEnded& ended) {
  if (ended.after == JobState::kCancelled) {  // However it ended, it counts as this alone.
    ++counters.cancelled;
    return;
  }
  if (ended.outcome == Outcome::kReleased) ++counters.released;
  if (ended.outcome == Outcome::kSucceeded) ++counters.succeeded;
  const bool failed = ended.outcome == Outcome::kFailed || ended.outcome == Outcome::kTimeout;
  const bool lost = ended.outcome == Outcome::kLost;
  if (failed) ++counters.failed;
  if (lost) ++counters.lost;
  if (ended.after == JobState::kDead) ++counters.dead;
  if ((failed || lost) && ended.after != JobState::kDead) ++counters.retrying;
}

}  // namespace

Status State::enact(JobEnded&& ended, Now now) {
  Job* job = touch(ended.id);
  if (job == nullptr) return {};
  ASSERT(job->state == JobState::kRunning);
  detach(*job);
  Attempt& attempt = job->attempt_last;
  attempt.outcome = ended.outcome;
  attempt.ending = ended.ending;
  attempt.cancelled = job->cancel_requested || ended.after == JobState::kCancelled;
  attempt.after = ended.after;
  attempt.ended = now.wall;
  attempt.ended_engine = now.engine;
  attempt.run_at_ms = ended.run_at_ms;
  attempt.error_class = ended.error_class;
  attempt.message = ended.message;
  attempt.trace = ended.trace;
  job->state = ended.after;
  job->run_at_is_wall = false;
  if (ended.outcome == Outcome::kReleased) --job->attempt;
  if (ended.outcome == Outcome::kLost) ++job->crashes;
  if (ended.after == JobState::kScheduled) job->run_at_ms = ended.run_at_ms;
  if (ended.after == JobState::kReady && ended.ready_seq != job->ready_seq) {
    job->ready_seq = ended.ready_seq;
    job->ready_at = now.engine;
    if (ended.ready_seq >= ready_seq_next_) ready_seq_next_ = ended.ready_seq + 1;
  }
  if (is_finished(ended.after)) {
    if (!recovering_) ended_.push_back(ended.id);
    job->finished_at = now.engine;
    job->finished_wall = now.wall;
    job->cancel_requested = false;
    job->dead_reason = ended.dead_reason;
  }
  if (ended.has_result) {
    extras_of(*job).result = ended.result;
    extras_of(*job).has_result = true;
  }
  attach(*job);
  count_end(counters_of(*job->queue), ended);
  return {};
}

Status State::enact(JobMoved&& moved, Now now) {
  Job* job = touch(moved.id);
  if (job == nullptr) return {};
  ASSERT(job->state != JobState::kRunning);
  detach(*job);
  job->state = moved.after;
  if (moved.new_generation) {
    ++job->generation;
    job->attempt = 0;
    job->crashes = 0;
    job->finished_at = {};
    job->finished_wall = {};
    job->expires_at = {};
    job->dead_reason = DeadReason::kNone;
    if (job->extras) {
      job->extras->result.clear();
      job->extras->has_result = false;
    }
  }
  if (moved.after == JobState::kReady) {
    job->ready_seq = moved.ready_seq;
    job->ready_at = now.engine;
    if (moved.ready_seq >= ready_seq_next_) ready_seq_next_ = moved.ready_seq + 1;
  }
  if (is_finished(moved.after)) {
    if (!recovering_) ended_.push_back(moved.id);
    job->finished_at = now.engine;
    job->finished_wall = now.wall;
    job->cancel_requested = false;
  }
  attach(*job);
  if (moved.after == JobState::kCancelled) ++counters_of(*job->queue).cancelled;
  if (moved.new_generation) ++counters_of(*job->queue).retried;
  if (moved.after == JobState::kExpired) ++counters_of(*job->queue).expired;
  return {};
}

Status State::enact(JobCancelRequested&& requested, Now /*now*/) {
  Job* job = touch(requested.id);
  if (job != nullptr) job->cancel_requested = true;
  return {};
}

Status State::enact(JobProgressed&& progressed, Now /*now*/) {
  Job* job = touch(progressed.id);
  if (job == nullptr) return {};
  live_bytes_ -= job->bytes;
  extras_of(*job).progress = progressed.data;
  extras_of(*job).has_progress = true;
  job->bytes = job_bytes(*job);
  live_bytes_ += job->bytes;
  return {};
}

void State::remember(const Job& job, const Attempt& attempt, base::EngineTime now) {
  const bool answerable = attempt.ending != Ending::kNone || attempt.cancelled;
  if (!answerable) return;
  LedgerEntry entry;
  entry.id = job.id;
  entry.fence = attempt.token.fence;
  entry.secret_hash = secret_hash(attempt.token);
  entry.ending = attempt.ending;
  entry.cancelled = attempt.cancelled;
  entry.after = attempt.after;
  entry.attempt = attempt.number;
  entry.run_at_ms = attempt.run_at_ms;
  entry.until = repeatable_until(job, attempt);
  ledger_.add(entry, now);
}

Status State::enact(JobRemoved&& removed, Now now) {
  ASSERT(!group_, "no group removes a job");
  ghosts_.erase(removed.id.value);
  Job* job = jobs_.find(removed.id);
  if (job == nullptr) return {};
  detach(*job);
  timers_.set(*job, false, 0);
  wall_timers_.set(*job, false, 0);
  remember(*job, job->attempt_last, now.engine);
  if (job->extras) {
    for (const Attempt& attempt : job->extras->history) remember(*job, attempt, now.engine);
  }
  ++(removed.deleted ? job->queue->counters.deleted : job->queue->counters.retired);
  if (!recovering_) ended_.push_back(removed.id);
  jobs_.remove(removed.id);
  return {};
}

Status State::enact(QueuePut&& put, Now /*now*/) {
  Queue& queue = queue_of(put.name);
  queue.paused = put.paused;
  queue.pause_reason = put.reason;
  if (put.has_counters) queue.counters = put.counters;
  if (!queue.paused && !queue.ready.empty()) wake(queue);
  return {};
}

Status State::enact(ProducerPut&& put, Now /*now*/) {
  if (recovering_) producers_.install(put);
  return {};
}

Status State::enact(ProducerForgotten&& forgotten, Now /*now*/) {
  producers_.forget(forgotten.name);
  return {};
}

Status State::enact(LedgerPut&& put, Now now) {
  if (!recovering_) return {};  // An image of what is there.
  for (const LedgerEntry& entry : put.entries) {
    if (!ledger_.find(entry.id, entry.fence, now.engine)) ledger_.add(entry, now.engine);
  }
  return {};
}

Status State::enact(StatePut&& put, Now /*now*/) {
  sequence_next_ = std::max(sequence_next_, put.sequence_next);
  ready_seq_next_ = std::max(ready_seq_next_, put.ready_seq_next);
  return {};
}

Status State::enact(KeyPut&& put, Now /*now*/) {
  string_keys_.put(put.name, put.value, put.expiry);
  return {};
}

Status State::enact(KeyRemoved&& removed, Now /*now*/) {
  ASSERT(recovering_ || string_keys_.holds(removed.name), "a key that is not held is removed");
  string_keys_.remove(removed.name);  // While recovering its frame may be gone already.
  return {};
}

Status State::enact(Ticked&& /*ticked*/, Now /*now*/) {
  return {};
}

Status State::enact(CheckpointDone&& /*done*/, Now /*now*/) {
  return {};
}

}  // namespace core
