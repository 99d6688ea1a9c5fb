// What a change of a job by a client does to the state: enact.cc has the other effects.
#include "base/assert.h"
#include "core/state.h"
#include "core/state_group.h"

namespace core {
namespace {

void put_record_numbers(JobRecord& record, JobEdited& edited) {
  const auto put = [&](EditNumber number, auto& field) {
    using Field = std::decay_t<decltype(field)>;
    if (const auto value = edited.of(number)) field = static_cast<Field>(*value);
  };
  put(EditNumber::kAttemptsMax, record.attempts_max);
  put(EditNumber::kCrashesMax, record.crashes_max);
  put(EditNumber::kTimeoutMs, record.timeout_ms);
  put(EditNumber::kSoftTimeoutMs, record.soft_timeout_ms);
  put(EditNumber::kLeaseMs, record.lease_ms);
  put(EditNumber::kKeepMs, record.keep_ms);
  put(EditNumber::kExpiresAt, record.expires_at.ms);
}

void put_record(JobRecord& record, JobEdited& edited) {
  put_record_numbers(record, edited);
  if (edited.args) record.args = *edited.args;
  if (edited.backoff) {
    extras_of(record).backoff = *std::move(edited.backoff);
    extras_of(record).has_backoff = true;
  }
  if (edited.run_at_ms != 0 || edited.run_at_is_wall) {
    record.run_at_ms = edited.run_at_ms;
    record.run_at_is_wall = edited.run_at_is_wall;
  }
}

}  // namespace

base::Status State::enact(JobEdited&& edited, base::Now now) {
  // Before anything is changed, as a new queue may be taken back.
  Queue* queue = edited.queue ? &used_queue(*edited.queue) : nullptr;
  TypeName* type = edited.type ? &type_of(*edited.type) : nullptr;
  Job* job = touch(edited.id);
  if (job == nullptr) return {};
  ASSERT(job->state != JobState::kRunning, "job {} runs", edited.id.value);
  detach(*job);
  if (queue != nullptr) job->queue = queue;
  if (type != nullptr) job->type = type;
  if (edited.priority) job->priority = *edited.priority & kPriorityMask;
  put_record(*job->record, edited);
  job->state = edited.after;
  if (edited.ready_seq != 0) {
    job->set_ready_seq(edited.ready_seq);
    job->record->ready_at = now.engine;
    if (edited.ready_seq >= ready_seq_next_) ready_seq_next_ = edited.ready_seq + 1;
  }
  attach(*job);
  return {};
}

}  // namespace core
