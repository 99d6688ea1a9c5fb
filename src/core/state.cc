#include "core/state.h"

#include <algorithm>

#include "base/assert.h"
#include "core/state_group.h"

namespace core {

using base::ErrorCode;

State::State(uint64_t shard, size_t history_bytes_max)
    : shard_(shard), history_bytes_max_(history_bytes_max) {}
State::~State() = default;

base::EngineTime lease_end(const Job& job) {
  return std::min(job.lease.deadline, job.lease.timeout_end);
}

base::EngineTime repeatable_until(const Job& job, const Attempt& attempt) {
  return attempt.ended_engine + base::Duration{std::max(limits::kLedgerMs, job.keep_ms)};
}

// --- Looking things up.

Job* State::find_key(std::string_view key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : found->second;
}

Queue* State::find_queue(std::string_view name) const {
  const auto found = queue_names_.find(name);
  return found == queue_names_.end() ? nullptr : found->second;
}

TypeName* State::find_type(std::string_view name) const {
  const auto found = type_names_.find(name);
  return found == type_names_.end() ? nullptr : found->second;
}

Queue& State::queue_of(std::string_view name) {
  if (Queue* queue = find_queue(name)) return *queue;
  queues_.push_back(std::make_unique<Queue>());
  Queue& queue = *queues_.back();
  queue.name = name;
  queue_names_.emplace(queue.name, &queue);
  if (group_) ++group_->queues_made;
  return queue;
}

TypeName& State::type_of(std::string_view name) {
  if (TypeName* type = find_type(name)) return *type;
  types_.push_back(std::make_unique<TypeName>());
  TypeName& type = *types_.back();
  type.name = name;
  type.index = static_cast<uint32_t>(types_.size() - 1);
  type_names_.emplace(type.name, &type);
  return type;
}

Job* State::history_overflow() const {
  return history_bytes_ > history_bytes_max_ ? history_.front() : nullptr;
}

// --- Indexes.

namespace {
// Whether the finished record goes by the byte budget of the history.
bool in_history(const Job& job) {
  return is_finished(job.state) && job.state != JobState::kDead && job.keep_ms < 0;
}
}  // namespace

void State::attach(Job& job) {
  job.bytes = job_bytes(job);
  live_bytes_ += job.bytes;
  ++job.queue->jobs[static_cast<size_t>(job.state)];
  if (job.extras && !job.extras->key.empty()) keys_[job.extras->key] = &job;
  if (recovering_) return;
  set_timers(job);
  if (job.state == JobState::kReady) {
    job.queue->ready.insert(job);
    wake(*job.queue);
  } else if (in_history(job)) {
    history_.push_back(job);
    history_bytes_ += job.bytes;
  }
}

void State::detach(Job& job) {
  live_bytes_ -= job.bytes;
  --job.queue->jobs[static_cast<size_t>(job.state)];
  if (job.extras && !job.extras->key.empty()) keys_.erase(job.extras->key);
  if (recovering_) return;
  if (job.state == JobState::kReady) {
    job.queue->ready.remove(job);
  } else if (in_history(job)) {
    history_.remove(job);
    history_bytes_ -= job.bytes;
  }
}

void State::set_timers(Job& job) {
  int64_t at_ms = 0;  // Zero: none.
  bool wall = false;
  // Once it has started a job does not expire any more.
  const int64_t expiry = job.attempt == 0 ? job.expires_at.ms : 0;
  switch (job.state) {
    case JobState::kScheduled:
      wall = job.run_at_is_wall;
      at_ms = expiry;
      if (!wall && (at_ms == 0 || job.run_at_ms < at_ms)) at_ms = job.run_at_ms;
      break;
    case JobState::kWaiting:
    case JobState::kReady:
      at_ms = expiry;
      break;
    case JobState::kRunning:
      at_ms = lease_end(job).ms;
      break;
    default:
      if (job.keep_ms >= 0 && job.state != JobState::kDead) {
        at_ms = (job.finished_at + base::Duration{job.keep_ms}).ms;
      }
  }
  timers_.set(job, at_ms != 0, at_ms);
  wall_timers_.set(job, wall, job.run_at_ms);
}

void State::set_lease_deadline(Job& job, base::EngineTime deadline) {
  ASSERT(job.state == JobState::kRunning);
  job.lease.deadline = deadline;
  set_timers(job);
}

void State::credit_leases(base::EngineTime now) {
  for (const uint64_t page : jobs_.page_numbers()) {
    jobs_.for_each_in_page(page, [&](Job& job) {
      if (job.state != JobState::kRunning) return;
      const base::EngineTime least =
          now + base::Duration{std::min(job.lease_ms, limits::kRestartGraceMsMax)};
      job.lease.deadline = std::max(job.lease.deadline, least);
      job.lease.timeout_end = std::max(job.lease.timeout_end, least);
      set_timers(job);
    });
  }
}

void State::expire_memory(base::EngineTime now) {
  requests_.expire(now);
  ledger_.expire(now);
}

void State::wake(Queue& queue) {
  if (queue.woken || queue.paused) return;
  queue.woken = true;
  woken_.push_back(&queue);
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
  const int64_t offset_ms = now.wall.ms - now.engine.ms;
  if (wall_offset_ms_ && offset_ms - *wall_offset_ms_ > limits::kWallJumpMs) {
    wall_hold_until_ = now.engine + base::Duration{limits::kWallHoldMs};
  }
  wall_offset_ms_ = offset_ms;
}

base::Status State::end_recovery() {
  if (!ghosts_.empty()) {
    return base::fail(ErrorCode::kCorrupt,
                      "the journal speaks of job {} and {} more, whose records are not in it",
                      job_id_text(JobId{*ghosts_.begin()}), ghosts_.size() - 1);
  }
  recovering_ = false;
  std::vector<Job*> ready;
  std::vector<Job*> finished;
  for (const uint64_t page : jobs_.page_numbers()) {
    jobs_.for_each_in_page(page, [&](Job& job) {
      set_timers(job);
      if (job.state == JobState::kReady) ready.push_back(&job);
      if (in_history(job)) finished.push_back(&job);
    });
  }
  std::ranges::sort(ready, {}, [](const Job* job) { return job->ready_seq; });
  for (Job* job : ready) job->queue->ready.insert(*job);
  std::ranges::sort(finished, {},
                    [](const Job* job) { return std::pair(job->finished_at.ms, job->id.value); });
  for (Job* job : finished) {
    history_.push_back(*job);
    history_bytes_ += job->bytes;
  }
  return {};
}

}  // namespace core
