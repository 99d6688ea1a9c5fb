#include "core/residency.h"

#include "base/assert.h"
#include "core/queue.h"

namespace core {

// --- Changes.

void Residency::before_change(Job& job) {
  if (job.written == Written::kChanged) return;
  if (job.written == Written::kFrozen) take(job);
  if (job.pooled) unpool(job);
  note_touched(job);
  job.written = Written::kChanged;
  changed_.push_back(job.id);
}

void Residency::note_touched(const Job& job) {
  if (job.in_tables) touched_bytes_ += job.record ? job.record->bytes : record_bytes_mean_;
}

void Residency::before_removal(Job& job) {
  if (job.written == Written::kFrozen) take(job);
  if (job.pooled) unpool(job);
  if (job.written != Written::kChanged) note_touched(job);
  if (job.in_tables) removed_.push_back(job.id);
}

void Residency::count(Job& job, bool in_history) {
  if (job.written == Written::kClean || in_history) return;
  job.counted = true;
  unflushed_bytes_ += job.record->bytes;
}

void Residency::discount(Job& job) {
  if (!job.counted) return;
  job.counted = false;
  unflushed_bytes_ -= job.record->bytes;
}

// --- The flush.

std::vector<JobId> Residency::freeze(Take take) {
  ASSERT(!flushing() && take != nullptr);
  take_ = std::move(take);
  frozen_ = std::exchange(changed_, {});
  touched_bytes_ = 0;
  frozen_taken_ = 0;
  for (const JobId id : frozen_) {
    if (Job* job = jobs_.find(id)) job->written = Written::kFrozen;
  }
  return std::exchange(removed_, {});
}

void Residency::take(Job& job) {
  ASSERT(job.written == Written::kFrozen && job.record != nullptr);
  take_(job);
  job.written = Written::kFlushing;
  job.in_tables = true;
}

bool Residency::take_some(size_t most) {
  ASSERT(flushing());
  for (size_t i = 0; i < most && frozen_taken_ < frozen_.size(); ++i) {
    Job* job = jobs_.find(frozen_[frozen_taken_++]);
    if (job != nullptr && job->written == Written::kFrozen) take(*job);
  }
  return frozen_taken_ == frozen_.size();
}

void Residency::flush_done(uint64_t memory_max) {
  ASSERT(flushing() && frozen_taken_ == frozen_.size());
  take_ = nullptr;
  // The newest first: of what waits, the oldest is needed next.
  for (auto id = frozen_.rbegin(); id != frozen_.rend(); ++id) {
    Job* job = jobs_.find(*id);
    if (job == nullptr || job->written != Written::kFlushing) continue;
    job->written = Written::kClean;
    discount(*job);
    if (memory_bytes() > memory_max && can_leave(*job)) let_go(*job);
  }
  frozen_ = {};
}

// --- Records in memory and not.

void Residency::want(Job& job) {
  if (job.record || job.wanted) return;
  job.wanted = true;
  wants_.push_back(job.id);
}

void Residency::join_wants(size_t mark) {
  ASSERT(mark <= wants_.size());
  if (wants_.size() - mark < 2) return;
  const auto first = wants_.begin() + static_cast<ptrdiff_t>(mark);
  wants_together_.emplace_back(first, wants_.end());
  wants_.erase(first, wants_.end());
}

void Residency::give_up(Job& job) {
  job.wanted = false;
  if (!job.record) given_up_.insert(job.id.value);
}

size_t Residency::room_for(uint64_t bytes_max) const {
  const uint64_t coming = wants_.size() * record_bytes_mean_;
  const uint64_t held = pool_bytes_ + coming;
  return held >= bytes_max ? 0 : (bytes_max - held) / record_bytes_mean_;
}

size_t Residency::wants_within(uint64_t bytes_max) const {
  const uint64_t coming = wants_.size() * record_bytes_mean_;
  return coming >= bytes_max ? 0 : (bytes_max - coming) / record_bytes_mean_;
}

void Residency::pool(Job& job) {
  ASSERT(job.record != nullptr && !job.pooled);
  record_bytes_mean_ = (record_bytes_mean_ * 15 + job.record->bytes) / 16 + 1;
  job.pooled = true;
  pool_.emplace_back(job.id, job.record->bytes);
  pool_bytes_ += job.record->bytes;
}

void Residency::unpool(Job& job) {
  job.pooled = false;
  pool_bytes_ -= job.record->bytes;
}

void Residency::trim_pool(uint64_t bytes_max) {
  while (pool_bytes_ > bytes_max) {
    ASSERT(!pool_.empty());
    Job* job = jobs_.find(pool_.front().first);
    pool_.pop_front();
    if (job != nullptr && job->pooled && can_leave(*job)) let_go(*job);
  }
  // What left the pool otherwise is still named in it.
  while (!pool_.empty()) {
    const Job* job = jobs_.find(pool_.front().first);
    if (job != nullptr && job->pooled) break;
    pool_.pop_front();
  }
}

void Residency::let_go(Job& job) {
  ASSERT(can_leave(job));
  leave_(job);
  if (job.pooled) unpool(job);
  subtract_bytes(job.record->bytes);
  job.record.reset();
  if (job.state == JobState::kReady && job.linked) job.queue->ready.note_absent(job);
}

}  // namespace core
