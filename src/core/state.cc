#include "core/state.h"

#include <algorithm>

#include "base/assert.h"
#include "core/state_group.h"

namespace core {

using base::ErrorCode;

State::State(uint64_t shard, size_t history_bytes_max)
    : shard_(shard), history_bytes_max_(history_bytes_max) {}
State::~State() = default;

base::EngineTime lease_end(const JobRecord& record) {
  return std::min(record.lease.deadline, record.lease.timeout_end);
}

base::EngineTime repeatable_until(const JobRecord& record, const Attempt& attempt) {
  return attempt.ended_engine + base::Duration{std::max(limits::kLedgerMs, record.keep_ms)};
}

// --- Looking things up.

Job* State::find_key(std::string_view key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : found->second;
}

Queue& State::queue_of(std::string_view name) {
  if (Queue* queue = find_queue(name)) return *queue;
  queues_.push_back(std::make_unique<Queue>());
  Queue& queue = *queues_.back();
  queue.name = name;
  queue.index = static_cast<uint32_t>(queues_.size() - 1);
  note_changed(queue);
  queue_names_.add(queue);
  if (group_) ++group_->queues_made;
  return queue;
}

Queue& State::used_queue(std::string_view name) {
  Queue& queue = queue_of(name);
  if (!queue.is_forgotten) return queue;
  queue.is_forgotten = false;
  note_changed(queue);
  if (group_) group_->remembered.push_back(&queue);
  return queue;
}

TypeName& State::type_of(std::string_view name) {
  if (TypeName* type = find_type(name)) return *type;
  types_.push_back(std::make_unique<TypeName>());
  TypeName& type = *types_.back();
  type.name = name;
  type.index = static_cast<uint32_t>(types_.size() - 1);
  type_names_.add(type);
  return type;
}

Job* State::history_overflow() const {
  return history_bytes_ > history_bytes_max_ ? history_.front() : nullptr;
}

void State::note_changed(Queue& queue) {
  if (queue.changed) return;
  queue.changed = true;
  changed_queues_.push_back(&queue);
}

std::vector<Queue*> State::take_changed_queues() {
  std::vector<Queue*> changed;
  changed.swap(changed_queues_);
  for (Queue* queue : changed) queue->changed = false;
  return changed;
}

// --- Indexes.

namespace {
// Whether the finished record goes by the byte budget of the history.
bool in_history(const Job& job) {
  return is_finished(job.state) && job.state != JobState::kDead && job.record->keep_ms < 0;
}
}  // namespace

void State::attach(Job& job) {
  JobRecord& record = *job.record;
  record.bytes = job_bytes(job);
  job.is_suspect = record.suspect();
  job.is_keyed = record.has_key();
  residency_.add_bytes(record.bytes);
  if (job.is_keyed) keys_[record.extras->key] = &job;
  if (job.state == JobState::kRunning) workers_.count_lease(record.attempt_last.worker, 1);
  const bool history = in_history(job);
  residency_.count(job, history);
  // From the tables it comes with what it counted, and its record without the args.
  if (history && !is_restoring_) job.set_ready_seq(record.bytes);
  if (!orders_later_) set_timers(job);
  attach_order(job);
}

void State::detach(Job& job) {
  residency_.discount(job);
  residency_.subtract_bytes(job.record->bytes);
  if (job.is_keyed) keys_.erase(job.record->extras->key);
  if (job.state == JobState::kRunning) {
    workers_.count_lease(job.record->attempt_last.worker, -1);
  }
  detach_order(job);
}

void State::count(const Job& job, int64_t by) {
  job.queue->jobs[static_cast<size_t>(job.state)] += static_cast<uint64_t>(by);
  blocks_.count(job, by);
  if (audit_.running()) audit_.note(*this, job, by);
}

void State::attach_order(Job& job) {
  count(job, 1);
  if (orders_later_) return;
  if (job.state == JobState::kReady && is_restoring_) {
    restored_ready_.push_back(&job);
  } else if (job.state == JobState::kReady) {
    job.queue->ready.insert(job);
    if (!job.queue->ready.holds(*job.type)) wake(*job.queue);
  } else if (is_finished(job.state) && in_history(job)) {
    history_bytes_ += job.ready_seq;
    history_bytes_ever_ += job.ready_seq;
    if (is_restoring_) {
      restored_history_.emplace_back(job.record->finished_at, &job);
    } else {
      history_.push_back(job);
    }
  }
}

void State::detach_order(Job& job) {
  count(job, -1);
  if (!job.linked) return;
  if (job.state == JobState::kReady) {
    job.queue->ready.remove(job);
  } else {
    history_.remove(job);
    history_bytes_ -= job.ready_seq;
  }
}

void State::set_timers(Job& job) {
  const JobRecord& record = *job.record;
  int64_t at_ms = 0;  // Zero: none.
  bool wall = false;
  // Once it has started a job does not expire any more.
  const int64_t expiry = record.attempt == 0 ? record.expires_at.ms : 0;
  switch (job.state) {
    case JobState::kScheduled:
      wall = record.run_at_is_wall;
      at_ms = expiry;
      if (!wall && (at_ms == 0 || record.run_at_ms < at_ms)) at_ms = record.run_at_ms;
      break;
    case JobState::kWaiting:
    case JobState::kReady:
      at_ms = expiry;
      break;
    case JobState::kRunning:
      at_ms = lease_end(record).ms;
      break;
    default:
      if (record.keep_ms >= 0 && job.state != JobState::kDead) {
        at_ms = (record.finished_at + base::Duration{record.keep_ms}).ms;
      }
  }
  timers_.set(job, at_ms != 0, at_ms);
  wall_timers_.set(job, wall, record.run_at_ms);
}

// --- Records that were not in memory.

void State::bring_in(JobId id, std::unique_ptr<JobRecord> record) {
  Job* job = jobs_.find(id);
  if (job == nullptr || job->record) return;
  job->wanted = false;
  job->record = std::move(record);
  job->record->bytes = job_bytes(*job);
  residency_.add_bytes(job->record->bytes);
  residency_.pool(*job);
  if (job->state != JobState::kReady) return;
  if (job->queue->oldest_asked == id) {
    job->queue->oldest_known = {id, job->ready_seq, job->record->ready_at};
  }
  job->queue->ready.note_present(*job);
  wake(*job->queue);
}

void State::set_aside(JobId id, base::Error error) {
  Job* job = jobs_.find(id);
  if (job != nullptr && job->record) return;
  if (job == nullptr && !recovering_) return;  // It went while its record was being read.
  error.code = ErrorCode::kCorrupt;            // Also where there is no row: there has to be one.
  damages_.emplace(id.value, std::move(error));
  if (job == nullptr) return;
  wake(*job->queue);  // What stands behind it can go on.
  detach_order(*job);
  if (job->is_keyed) std::erase_if(keys_, [&](const auto& key) { return key.second == job; });
  timers_.set(*job, false, 0);
  wall_timers_.set(*job, false, 0);
  if (!recovering_) ended_.push_back(id);
  jobs_.remove(*job);
}

const base::Error* State::damage_of(JobId id) const {
  const auto found = damages_.find(id.value);
  return found == damages_.end() ? nullptr : &found->second;
}

void State::look_ahead(const Job& granted) {
  const size_t most = std::min(limits::kAheadMax, residency_.room_for(limits::kPoolBytesMax / 2));
  granted.queue->ready.look_ahead(granted, most, [&](Job& job) { residency_.want(job); });
}

void State::look_ahead_due(base::Now until) {
  const size_t most = std::min(limits::kAheadMax, residency_.room_for(limits::kPoolBytesMax / 2));
  const auto want = [&](Job& job) {
    if (!is_finished(job.state)) residency_.want(job);
  };
  timers_.visit_until(until.engine.ms, most, want);
  wall_timers_.visit_until(until.wall.ms, most, want);
}

void State::set_lease_deadline(Job& job, base::EngineTime deadline) {
  ASSERT(job.state == JobState::kRunning);
  job.record->lease.deadline = deadline;
  set_timers(job);
}

void State::credit_leases(base::EngineTime now) {
  jobs_.for_each([&](Job& job) {
    if (job.state != JobState::kRunning || !job.record) return;
    JobRecord& record = *job.record;
    const base::EngineTime least =
        now + base::Duration{std::min(record.lease_ms, limits::kRestartGraceMsMax)};
    record.lease.deadline = std::max(record.lease.deadline, least);
    record.lease.timeout_end = std::max(record.lease.timeout_end, least);
    set_timers(job);
  });
}

void State::expire_memory(base::EngineTime now) {
  requests_.expire(now);
  ledger_.expire(now);
  forget_silent_workers(now);
}

void State::forget_worker(std::string_view name) {
  if (workers_.forget(name)) wake_all();
}

void State::forget_silent_workers(base::EngineTime now) {
  if (workers_.expire(now)) wake_all();
}

void State::wake(Queue& queue) {
  if (queue.woken || queue.paused) return;
  queue.woken = true;
  woken_.push_back(&queue);
}

void State::wake_all() {
  for (const auto& queue : queues_) {
    if (!queue->ready.empty()) wake(*queue);
  }
}

std::vector<Queue*> State::take_woken() {
  std::vector<Queue*> woken;
  woken.swap(woken_);
  for (Queue* queue : woken) queue->woken = false;
  return woken;
}

StatePut State::image() const {
  return StatePut{sequence_next_, ready_seq_next_};
}

void State::watch_wall_clock(base::Now now) {
  time_ = now.engine;
  const int64_t offset_ms = now.wall.ms - now.engine.ms;
  if (wall_offset_ms_ && offset_ms - *wall_offset_ms_ > limits::kWallJumpMs) {
    wall_hold_until_ = now.engine + base::Duration{limits::kWallHoldMs};
  }
  wall_offset_ms_ = offset_ms;
}

void State::begin_recovery(bool has_tables) {
  recovering_ = true;
  is_restoring_ = has_tables;
  string_keys_.set_installing(has_tables);
  orders_later_ = !has_tables;
}

void State::restore(Job&& from_tables) {
  ASSERT(recovering_ && !orders_later_);
  from_tables.in_tables = true;
  Job& job = jobs_.insert(std::move(from_tables));
  if (!job.record) {
    ASSERT(job.state == JobState::kReady, "job {} needs its record", job.id.value);
    insert_restored(job.ready_seq);
    count(job, 1);
    job.queue->ready.insert(job);
    return;
  }
  attach(job);
  if (Residency::can_leave(job)) residency_.let_go(job);
}

// A ring takes jobs in order at once, others only after a look at all before them.
void State::insert_restored(uint64_t ready_seq_before) {
  if (!std::exchange(restored_ready_sorted_, true)) {
    std::ranges::sort(restored_ready_, std::ranges::greater{},
                      [](const Job* job) { return uint64_t{job->ready_seq}; });
  }
  while (!restored_ready_.empty() && restored_ready_.back()->ready_seq < ready_seq_before) {
    Job& job = *restored_ready_.back();
    restored_ready_.pop_back();
    job.queue->ready.insert(job);
  }
}

// The tables have finished jobs in the order of their ids.
void State::end_restore() {
  insert_restored(UINT64_MAX);
  restored_ready_sorted_ = false;
  std::ranges::sort(restored_history_, [](const auto& a, const auto& b) {
    return std::pair(a.first.ms, a.second->id.value) < std::pair(b.first.ms, b.second->id.value);
  });
  for (const auto& [finished_at, job] : restored_history_) history_.push_back(*job);
  restored_history_ = {};
  is_restoring_ = false;
  string_keys_.set_installing(false);
}

base::Status State::end_recovery() {
  if (!ghosts_.empty()) {
    return base::fail(ErrorCode::kCorrupt,
                      "the journal speaks of job {} and {} more, whose records are not in it",
                      job_id_text(JobId{*ghosts_.begin()}), ghosts_.size() - 1);
  }
  recovering_ = false;
  if (!std::exchange(orders_later_, false)) return {};
  std::vector<Job*> ready;
  std::vector<Job*> finished;
  jobs_.for_each([&](Job& job) {
    set_timers(job);
    if (job.state == JobState::kReady) ready.push_back(&job);
    if (in_history(job)) finished.push_back(&job);
  });
  std::ranges::sort(ready, {}, [](const Job* job) { return uint64_t{job->ready_seq}; });
  for (Job* job : ready) job->queue->ready.insert(*job);
  std::ranges::sort(finished, {}, [](const Job* job) {
    return std::pair(job->record->finished_at.ms, job->id.value);
  });
  for (Job* job : finished) {
    history_.push_back(*job);
    history_bytes_ += job->ready_seq;
  }
  return {};
}

}  // namespace core
