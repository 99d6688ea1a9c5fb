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
  time_ = std::max(time_, now.engine);  // Side records are of different flushes.
  return std::visit([&](auto&& body) { return enact(std::forward<decltype(body)>(body), now); },
                    std::move(effect));
}

Job* State::touch(JobId id) {
  Job* job = jobs_.find(id);
  if (job == nullptr) {
    ASSERT(recovering_, "an effect on job {}, which is not there", id.value);
    if (!damages_.contains(id.value)) ghosts_.insert(id.value);
    return nullptr;
  }
  ASSERT(job->record != nullptr, "an effect on job {}, which is not in memory", id.value);
  residency_.before_change(*job);
  if (group_ && group_->touched.insert(id.value).second) {
    group_->jobs.push_back({.id = id,
                            .record = clone_record(*job->record),
                            .queue = job->queue,
                            .type = job->type,
                            .ready_seq = job->ready_seq,
                            .state = job->state,
                            .priority = job->priority});
  }
  return job;
}

QueueCounters& State::counters_of(Queue& queue) {
  if (group_) group_->counters.try_emplace(&queue, queue.counters);
  note_changed(queue);
  return queue.counters;
}

Status State::enact(JobPut&& put, Now /*now*/) {
  const JobId id = put.job.id;
  ghosts_.erase(id.value);
  if (sequence_of(id) >= sequence_next_) sequence_next_ = sequence_of(id) + 1;
  if (put.job.ready_seq >= ready_seq_next_) ready_seq_next_ = put.job.ready_seq + 1;
  Queue& queue = used_queue(put.queue);
  TypeName& type = type_of(put.type);
  if (jobs_.find(id) != nullptr) {
    Job* job = touch(id);
    if (job == nullptr) return {};
    detach(*job);
    job->record = std::move(put.job.record);
    job->queue = &queue;
    job->type = &type;
    job->set_ready_seq(put.job.ready_seq);
    job->state = put.job.state;
    job->priority = put.job.priority & kPriorityMask;
    attach(*job);
  } else {
    if (group_) {
      group_->touched.insert(id.value);
      group_->jobs.emplace_back().id = id;
    }
    put.job.queue = &queue;
    put.job.type = &type;
    // In the place of one that was set aside: its row is there.
    put.job.in_tables = damages_.erase(id.value) != 0;
    Job& job = jobs_.insert(std::move(put.job));
    residency_.before_change(job);
    attach(job);
  }
  if (put.why == JobPut::Why::kPushed) ++counters_of(queue).pushed;
  return {};
}

Status State::enact(PushSeen&& seen, Now now) {
  if (!seen.request.empty()) {
    // In an image of what is there already, and for what is over, nothing is to do.
    if (seen.until <= now.engine || requests_.find(seen.request, now.engine)) return {};
    if (is_restoring_) {
      requests_.install(seen.request, {seen.id, seen.created}, seen.until);
    } else {
      requests_.put(seen.request, {seen.id, seen.created}, seen.until);
    }
    if (group_) group_->requests.emplace_back(seen.request);
    return {};
  }
  const SeenPush push{seen.producer_seq, seen.id, seen.created};
  const base::EngineTime used = producers_.put(seen.producer, push, now.engine);
  if (group_) group_->producers.push_back({std::string(seen.producer), seen.producer_seq, used});
  return {};
}

void State::prune_history(Job& job, base::EngineTime now) {
  std::vector<Attempt>& history = job.record->extras->history;
  // What was given back is not shown; it is kept while its command may be repeated.
  std::erase_if(history, [&](const Attempt& attempt) {
    return attempt.outcome == Outcome::kReleased && repeatable_until(*job.record, attempt) <= now;
  });
  const auto drop_oldest = [&](bool released) {
    const auto is_kind = [&](const Attempt& attempt) {
      return (attempt.outcome == Outcome::kReleased) == released;
    };
    const auto kept = static_cast<size_t>(std::ranges::count_if(history, is_kind));
    if (kept <= limits::kHistoryMax) return;
    const auto oldest = std::ranges::find_if(history, is_kind);
    remember(job, *oldest, repeatable_until(*job.record, *oldest), now);
    drop_log(job.record->extras->logs, oldest->token.fence);
    history.erase(oldest);
  };
  if (history.size() <= limits::kHistoryMax) return;
  drop_oldest(true);
  drop_oldest(false);
}

void State::start_attempt(Job& job, JobGranted& granted, Now now) {
  Attempt& attempt = job.record->attempt_last;
  if (attempt.token.fence != 0) {
    extras_of(*job.record).history.push_back(std::move(attempt));
    prune_history(job, now.engine);
  }
  attempt = Attempt{};
  attempt.token.fence = job.record->fence;
  attempt.token.secret = granted.secret;
  attempt.generation = job.record->generation;
  attempt.number = job.record->attempt;
  attempt.worker = granted.worker;
  attempt.started = now.wall;
}

namespace {

// An attempt that did not count is not shown, and its log no more.
void forget_log_of_last(JobRecord& record) {
  if (record.extras) drop_log(record.extras->logs, record.attempt_last.token.fence);
}

}  // namespace

Status State::enact(JobGranted&& granted, Now now) {
  Job* job = touch(granted.id);
  if (job == nullptr) return {};
  detach(*job);
  ++job->record->fence;
  ++job->record->attempt;
  start_attempt(*job, granted, now);
  job->state = JobState::kRunning;
  job->record->lease.granted = now.engine;
  job->record->lease.deadline = now.engine + base::Duration{job->record->lease_ms};
  const int64_t slack_ms = std::max(limits::kTimeoutSlackMsMin,
                                    job->record->timeout_ms * limits::kTimeoutSlackPercent / 100);
  job->record->lease.timeout_end =
      job->record->timeout_ms == 0
          ? base::EngineTime::never()
          : now.engine + base::Duration{job->record->timeout_ms + slack_ms};
  job->record->lease.alone = granted.alone;
  attach(*job);
  ++counters_of(*job->queue).started;
  return {};
}

Status State::enact(JobUngranted&& ungranted, Now /*now*/) {
  Job* job = touch(ungranted.id);
  if (job == nullptr) return {};
  ASSERT(job->state == JobState::kRunning && job->record->attempt > 0);
  detach(*job);
  --job->record->attempt;
  job->state = JobState::kReady;
  forget_log_of_last(*job->record);
  job->record->attempt_last = Attempt{};
  if (job->record->extras && !job->record->extras->history.empty()) {
    job->record->attempt_last = std::move(job->record->extras->history.back());
    job->record->extras->history.pop_back();
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
  Attempt& attempt = job->record->attempt_last;
  attempt.outcome = ended.outcome;
  attempt.ending = ended.ending;
  attempt.cancelled = job->record->cancel_requested || ended.after == JobState::kCancelled;
  attempt.after = ended.after;
  attempt.ended = now.wall;
  attempt.ended_engine = now.engine;
  attempt.run_at_ms = ended.run_at_ms;
  attempt.error_class = ended.error_class;
  attempt.message = ended.message;
  attempt.trace = ended.trace;
  job->state = ended.after;
  job->record->run_at_is_wall = false;
  if (ended.outcome == Outcome::kReleased) {
    --job->record->attempt;
    forget_log_of_last(*job->record);
  }
  if (ended.outcome == Outcome::kLost) ++job->record->crashes;
  if (ended.after == JobState::kScheduled) job->record->run_at_ms = ended.run_at_ms;
  if (ended.after == JobState::kReady && ended.ready_seq != job->ready_seq) {
    job->set_ready_seq(ended.ready_seq);
    job->record->ready_at = now.engine;
    if (ended.ready_seq >= ready_seq_next_) ready_seq_next_ = ended.ready_seq + 1;
  }
  if (is_finished(ended.after)) {
    if (!recovering_) ended_.push_back(ended.id);
    job->record->finished_at = now.engine;
    job->record->finished_wall = now.wall;
    job->record->cancel_requested = false;
    job->record->dead_reason = ended.dead_reason;
  }
  if (ended.has_result) {
    extras_of(*job->record).result = ended.result;
    extras_of(*job->record).has_result = true;
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
    ++job->record->generation;
    job->record->attempt = 0;
    job->record->crashes = 0;
    job->record->finished_at = {};
    job->record->finished_wall = {};
    job->record->expires_at = {};
    job->record->dead_reason = DeadReason::kNone;
    if (job->record->extras) {
      job->record->extras->result.clear();
      job->record->extras->has_result = false;
    }
  }
  if (moved.after == JobState::kReady) {
    job->set_ready_seq(moved.ready_seq);
    job->record->ready_at = now.engine;
    if (moved.ready_seq >= ready_seq_next_) ready_seq_next_ = moved.ready_seq + 1;
  }
  if (is_finished(moved.after)) {
    if (!recovering_) ended_.push_back(moved.id);
    job->record->finished_at = now.engine;
    job->record->finished_wall = now.wall;
    job->record->cancel_requested = false;
  }
  attach(*job);
  if (moved.after == JobState::kCancelled) ++counters_of(*job->queue).cancelled;
  if (moved.new_generation) ++counters_of(*job->queue).retried;
  if (moved.after == JobState::kExpired) ++counters_of(*job->queue).expired;
  return {};
}

Status State::enact(JobCancelRequested&& requested, Now /*now*/) {
  Job* job = touch(requested.id);
  if (job != nullptr) job->record->cancel_requested = true;
  return {};
}

Status State::enact(JobProgressed&& progressed, Now /*now*/) {
  Job* job = touch(progressed.id);
  if (job == nullptr) return {};
  detach(*job);
  JobExtras& extras = extras_of(*job->record);
  extras.progress = progressed.data;
  extras.has_progress = true;
  attach(*job);
  return {};
}

Status State::enact(JobLogged&& logged, Now now) {
  Job* job = touch(logged.id);
  if (job == nullptr) return {};
  detach(*job);
  ASSERT(job->state == JobState::kRunning);
  std::vector<AttemptLog>& logs = extras_of(*job->record).logs;
  const uint32_t fence = job->record->attempt_last.token.fence;
  if (logs.empty() || logs.back().fence != fence) logs.push_back({.fence = fence});
  logs.back().add({now.wall, logged.level, std::string(logged.text)});
  attach(*job);
  return {};
}

void State::remember(const Job& job, const Attempt& attempt, base::EngineTime until,
                     base::EngineTime now) {
  const bool answerable = attempt.ending != Ending::kNone || attempt.cancelled;
  if (!answerable || until <= now) return;
  LedgerEntry entry;
  entry.id = job.id;
  entry.fence = attempt.token.fence;
  entry.secret_hash = secret_hash(attempt.token);
  entry.ending = attempt.ending;
  entry.cancelled = attempt.cancelled;
  entry.after = attempt.after;
  entry.attempt = attempt.number;
  entry.run_at_ms = attempt.run_at_ms;
  entry.until = until;
  ledger_.add(entry, now);
}

void State::remember_all(const Job& job, base::EngineTime now) {
  const auto is_known = [&](const Attempt& attempt) {
    return (job.in_ledger || recovering_) &&
           ledger_.find(job.id, attempt.token.fence, now).has_value();
  };
  const auto one = [&](const Attempt& attempt) {
    const base::EngineTime until = repeatable_until(*job.record, attempt);
    if (until > now && !is_known(attempt)) remember(job, attempt, until, now);
  };
  one(job.record->attempt_last);
  if (job.record->extras) std::ranges::for_each(job.record->extras->history, one);
}

void State::before_record_leaves(Job& job) {
  // Others go by a command of a client, which looks at the record.
  if (!is_finished(job.state) || job.state == JobState::kDead) return;
  // Nor does one that is kept as long as its answers: until then its row has them.
  if (job.record->keep_ms >= limits::kLedgerMs) return;
  remember_all(job, time_);
  job.in_ledger = true;
}

Status State::enact(JobRemoved&& removed, Now now) {
  ASSERT(!group_, "no group removes a job");
  ghosts_.erase(removed.id.value);
  Job* job = jobs_.find(removed.id);
  if (job == nullptr) {
    if (damages_.erase(removed.id.value) == 0) return {};
    residency_.note_row_removed(removed.id);
    ++damaged_removed_;
    return {};
  }
  residency_.before_removal(*job);
  if (job->record) {
    remember_all(*job, now.engine);
    detach(*job);
  } else {
    ASSERT(!job->is_keyed, "job {} has a key that is not in memory", removed.id.value);
    detach_order(*job);
  }
  timers_.set(*job, false, 0);
  wall_timers_.set(*job, false, 0);
  QueueCounters& counters = counters_of(*job->queue);
  ++(removed.deleted ? counters.deleted : counters.retired);
  if (!recovering_) ended_.push_back(removed.id);
  jobs_.remove(*job);
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
  for (const LedgerEntry& entry : put.entries) {
    if (entry.until <= now.engine) continue;
    if (!orders_later_) {
      ledger_.install(entry, now.engine);  // From the tables, which have it once.
    } else if (!ledger_.find(entry.id, entry.fence, now.engine)) {
      ledger_.add(entry, now.engine);
    }
  }
  return {};
}

Status State::enact(StatePut&& put, Now /*now*/) {
  sequence_next_ = std::max(sequence_next_, put.sequence_next);
  ready_seq_next_ = std::max(ready_seq_next_, put.ready_seq_next);
  return {};
}

Status State::enact(OperationPut&& put, Now /*now*/) {
  operations_.put(std::move(put.operation));
  return {};
}

Status State::enact(Ticked&& /*ticked*/, Now /*now*/) {
  return {};
}

Status State::enact(CheckpointDone&& /*done*/, Now /*now*/) {
  return {};
}

Status State::enact(Flushed&& /*flushed*/, Now /*now*/) {
  return {};
}

}  // namespace core
