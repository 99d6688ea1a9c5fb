// JOB.EDIT, also as an operation: a job that waits is changed in place. It keeps its id, its key
// and its place in the order; only a new time to run takes it out of that.
#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

// Whether this job may be changed so.
Status check_job(const Context& context, const JobChanges& changes, const Job& job) {
  if (lifecycle(job.state, Event::kEdit).kind != Cell::Kind::kMove) {
    return tl::unexpected(bad_state(job, "edited"));
  }
  const JobOptions& options = changes.options;
  if (options.attempts && *options.attempts <= job.record->attempt) {
    return base::fail(ErrorCode::kBadReq, "field=ATTEMPTS {} is not more than the {} that are used",
                      *options.attempts, job.record->attempt);
  }
  if (changes.queue && *changes.queue != job.queue->name) {
    TRY(check_room(context.state.find_queue(*changes.queue)));
  }
  if (context.push_refusal != nullptr) return tl::unexpected(*context.push_refusal);
  return {};
}

// The numbers that the options name; of the time at which it expires, when that is.
void put_numbers(const Context& context, const JobOptions& options, JobEdited& edited) {
  edited.of(EditNumber::kAttemptsMax) = options.attempts;
  edited.of(EditNumber::kCrashesMax) = options.crashes;
  edited.of(EditNumber::kTimeoutMs) = options.timeout_ms;
  edited.of(EditNumber::kSoftTimeoutMs) = options.soft_timeout_ms;
  edited.of(EditNumber::kLeaseMs) = options.lease_ms;
  edited.of(EditNumber::kKeepMs) = options.keep_ms;
  if (options.expire_ms) {
    const base::EngineTime end = context.now.engine + base::Duration{*options.expire_ms};
    edited.of(EditNumber::kExpiresAt) = end.ms;
  }
}

// Puts the job where its new time wants it.
void reschedule(const Context& context, const JobOptions& options, JobEdited& edited) {
  if (const std::optional<RunAt> run_at = run_at_of(context, options)) {
    edited.after = JobState::kScheduled;
    edited.run_at_ms = run_at->ms;
    edited.run_at_is_wall = run_at->is_wall;
  } else if (edited.after != JobState::kReady) {
    edited.after = JobState::kReady;
    edited.ready_seq = context.state.ready_seq_next();
  }
}

}  // namespace

Status check_changes(const State& state, const JobChanges& changes) {
  if (changes.empty()) {
    return base::fail(ErrorCode::kBadReq,
                      "field=OPTION say what is to change: QUEUE, PRIORITY, "
                      "AT, DELAY, ARGS, TYPE, ATTEMPTS, …");
  }
  if (changes.queue) TRY(check_name("QUEUE", *changes.queue));
  if (changes.type) TRY(check_name("TYPE", *changes.type));
  if (changes.args) TRY(check_bytes("ARGS", changes.args->size(), limits::kArgsBytesMax));
  if (changes.priority) {
    TRY(check_range("PRIORITY", *changes.priority, {limits::kPriorityMin, limits::kPriorityMax}));
  }
  TRY(check_options(changes.options));
  if (changes.queue) TRY(check_queue_bound(state, *changes.queue));
  if (changes.type) TRY(check_type_bound(state, *changes.type));
  return {};
}

Status edit_job(Context& context, const JobChanges& changes, const Job& job) {
  TRY(check_job(context, changes, job));
  JobEdited edited{
      .id = job.id, .queue = changes.queue, .type = changes.type, .args = changes.args};
  if (changes.priority) edited.priority = static_cast<uint8_t>(*changes.priority);
  put_numbers(context, changes.options, edited);
  edited.backoff = changes.options.backoff;
  edited.after = job.state;
  const bool timed = changes.options.delay_ms || changes.options.at_ms;
  if (timed && job.state != JobState::kWaiting) reschedule(context, changes.options, edited);
  emit(context, std::move(edited));
  return {};
}

void apply_edit(Context& context, const Edit& edit, Answer& answer) {
  const Status fits = check_changes(context.state, edit);
  if (!fits) return answer.reply.error(fits.error());
  const base::Result<Job*> job = find_job(context.state, edit.job);
  if (!job) return answer.reply.error(job.error());
  const Status done = edit_job(context, edit, **job);
  done ? answer.reply.ok() : answer.reply.error(done.error());
}

}  // namespace core
