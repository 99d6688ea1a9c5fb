#include "core/state_group.h"

#include "base/assert.h"

namespace core {

void State::begin_group() {
  ASSERT(!group_, "groups do not nest");
  group_ = std::make_unique<Group>();
  group_->sequence_next = sequence_next_;
  group_->ready_seq_next = ready_seq_next_;
  string_keys_.begin_group();
}

void State::end_group(bool commit) {
  ASSERT(group_ != nullptr);
  const std::unique_ptr<Group> group = std::move(group_);
  string_keys_.end_group(commit);
  if (commit) return;
  for (auto saved = group->jobs.rbegin(); saved != group->jobs.rend(); ++saved) {
    Job* job = jobs_.find(saved->id);
    ASSERT(job != nullptr, "a group removes no job");
    detach(*job);
    timers_.set(*job, false, 0);
    wall_timers_.set(*job, false, 0);
    if (!saved->record) {
      residency_.before_removal(*job);
      jobs_.remove(*job);
      continue;
    }
    job->record = std::move(saved->record);
    job->queue = saved->queue;
    job->type = saved->type;
    job->set_ready_seq(saved->ready_seq);
    job->state = saved->state;
    job->priority = saved->priority & kPriorityMask;
    attach(*job);
  }
  for (const std::string& token : group->requests) requests_.take_back(token);
  for (auto saved = group->producers.rbegin(); saved != group->producers.rend(); ++saved) {
    producers_.take_back(saved->name, saved->seq, saved->used);
  }
  for (const auto& [queue, counters] : group->counters) queue->counters = counters;
  for (Queue* queue : group->remembered) queue->is_forgotten = true;
  sequence_next_ = group->sequence_next;
  ready_seq_next_ = group->ready_seq_next;
  for (size_t i = 0; i < group->queues_made; ++i) {
    Queue* queue = queues_.back().get();
    std::erase(woken_, queue);
    std::erase(changed_queues_, queue);
    queue_names_.remove(*queue);
    queues_.pop_back();
  }
}

}  // namespace core
