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
  return std::visit([&](auto&& body) { return enact(std::move(body), now); }, std::move(effect));
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

Status State::enact(JobPut&& put, Now now) {
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
  if (!put.request.empty()) {
    requests_.put(put.request, id, put.request_until);
    if (group_) group_->requests.emplace_back(put.request);
  }
  if (!put.producer.empty()) {
    producers_.put(put.producer, put.producer_seq, id, now.engine);
    if (group_) group_->producers.emplace_back(std::string(put.producer), put.producer_seq);
  }
  return {};
}

void State::start_attempt(Job& job, JobGranted& granted, Now now) {
  Attempt& attempt = job.attempt_last;
  if (attempt.token.fence != 0) {
    std::vector<Attempt>& history = extras_of(job).history;
    history.push_back(std::move(attempt));
    if (history.size() > limits::kHistoryMax) {
      remember(job, history.front(), now.engine);
      history.erase(history.begin());
    }
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
  job->lease.timeout_at = now.engine + base::Duration{job->timeout_ms};
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
  --counters_of(*job->queue).started;
  return {};
}

namespace {

void count_end(QueueCounters& counters, Outcome outcome, JobState after) {
  switch (outcome) {
    case Outcome::kSucceeded:
      ++counters.succeeded;
      break;
    case Outcome::kFailed:
    case Outcome::kTimeout:
      ++counters.failed;
      break;
    case Outcome::kLost:
      ++counters.lost;
      break;
    case Outcome::kReleased:
      ++counters.released;
      break;
    default:
      break;
  }
  if (after == JobState::kDead) ++counters.dead;
  if (after == JobState::kCancelled) ++counters.cancelled;
  const bool released = outcome == Outcome::kReleased;
  if (after == JobState::kScheduled && !released) ++counters.retried;
}

}  // namespace

Status State::enact(JobEnded&& ended, Now now) {
  Job* job = touch(ended.id);
  if (job == nullptr) return {};
  ASSERT(job->state == JobState::kRunning);
  detach(*job);
  Attempt& attempt = job->attempt_last;
  attempt.outcome = ended.outcome;
  attempt.after = ended.after;
  attempt.ended = now.wall;
  attempt.ended_engine = now.engine;
  attempt.error_class = ended.error_class;
  attempt.message = ended.message;
  attempt.trace = ended.trace;
  job->state = ended.after;
  job->run_at_is_wall = false;
  if (ended.outcome == Outcome::kReleased) --job->attempt;
  if (ended.outcome == Outcome::kLost) ++job->crashes;
  if (ended.after == JobState::kScheduled) {
    job->run_at_ms = ended.run_at_ms;
    attempt.run_at_ms = ended.run_at_ms + (now.wall.ms - now.engine.ms);
  }
  if (is_finished(ended.after)) {
    job->finished_at = now.engine;
    job->finished_wall = now.wall;
    job->cancel_requested = false;
  }
  if (ended.has_result) {
    extras_of(*job).result = ended.result;
    extras_of(*job).has_result = true;
  }
  if (!ended.reason.empty()) extras_of(*job).reason = ended.reason;
  attach(*job);
  count_end(counters_of(*job->queue), ended.outcome, ended.after);
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
    if (job->extras) {
      job->extras->reason.clear();
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
    job->finished_at = now.engine;
    job->finished_wall = now.wall;
  }
  if (!moved.reason.empty()) extras_of(*job).reason = moved.reason;
  attach(*job);
  if (moved.after == JobState::kCancelled) ++counters_of(*job->queue).cancelled;
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
  const bool ended = attempt.outcome != Outcome::kNone && attempt.outcome != Outcome::kLost;
  if (!ended || (now - attempt.ended_engine).count() > limits::kLedgerMs) return;
  LedgerEntry entry;
  entry.id = job.id;
  entry.fence = attempt.token.fence;
  entry.secret_hash = secret_hash(attempt.token);
  entry.outcome = attempt.outcome;
  entry.after = attempt.after;
  entry.attempt = attempt.number;
  entry.run_at_ms = attempt.run_at_ms;
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

Status State::enact(RequestPut&& put, Now now) {
  if (put.until > now.engine && !requests_.find(put.token, now.engine)) {
    requests_.put(put.token, put.id, put.until);
  }
  return {};
}

Status State::enact(ProducerPut&& put, Now /*now*/) {
  if (recovering_) producers_.install(put);
  return {};
}

Status State::enact(LedgerPut&& put, Now /*now*/) {
  if (!recovering_) return {};  // An image of what is there.
  for (const LedgerEntry& entry : put.entries) {
    if (!ledger_.find(entry.id, entry.fence)) ledger_.add(entry, put.closed);
  }
  return {};
}

Status State::enact(StatePut&& put, Now /*now*/) {
  sequence_next_ = std::max(sequence_next_, put.sequence_next);
  ready_seq_next_ = std::max(ready_seq_next_, put.ready_seq_next);
  wall_hold_until_ = put.wall_hold_until;
  return {};
}

Status State::enact(WallHeld&& held, Now /*now*/) {
  wall_hold_until_ = held.until;
  return {};
}

Status State::enact(CheckpointDone&& /*done*/, Now /*now*/) { return {}; }

}  // namespace core
