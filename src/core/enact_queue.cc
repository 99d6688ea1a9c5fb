// What the effects on queues and types do to the state: enact.cc has the others.
#include "base/assert.h"
#include "core/state.h"
#include "core/state_group.h"

namespace core {

using base::Now;
using base::Status;

Status State::enact(QueuePut&& put, Now /*now*/) {
  Queue& queue = queue_of(put.name);
  queue.is_forgotten = put.is_forgotten;
  queue.paused = put.paused;
  queue.pause_reason = put.reason;
  if (put.has_counters) {
    queue.counters = put.counters;
    queue.balance = put.balance;
  } else if (put.is_forgotten) {
    const QueueCounters was = std::exchange(queue.counters, {});
    queue.balance += static_cast<int64_t>(was.pushed - was.deleted - was.retired);
    queue.settings = {};
  }
  note_changed(queue);
  if (!queue.paused && !queue.ready.empty()) wake(queue);
  return {};
}

Status State::enact(QueueSettingsPut&& put, Now /*now*/) {
  ASSERT(!group_, "no group sets a queue");
  Queue& queue = queue_of(put.name);
  queue.settings = std::move(put.settings);
  queue.is_forgotten = false;
  note_changed(queue);
  return {};
}

Status State::enact(TypePausePut&& put, Now /*now*/) {
  ASSERT(!group_, "no group pauses a type");
  TypeName& type = type_of(put.type);
  const bool is_new = !put.queue.empty() && find_queue(put.queue) == nullptr;
  Queue* queue = put.queue.empty() ? nullptr : &queue_of(put.queue);
  if (is_new) queue->is_forgotten = true;  // Nobody has used it.
  if (put.paused) {
    type_pauses_.pause(type, queue, put.reason);
    return {};
  }
  type_pauses_.resume(type, queue);
  if (queue == nullptr) {
    wake_all();
  } else if (!queue->ready.empty()) {
    wake(*queue);
  }
  return {};
}

}  // namespace core
