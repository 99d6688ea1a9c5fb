// JOB.EDIT: a job that waits is changed in place. It keeps its id, its key and its place in the
// order; only a new time to run takes it out of that.
#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

bool says_anything(const Edit& edit) {
  const JobOptions& options = edit.options;
  return edit.queue || edit.type || edit.args || edit.priority || options.delay_ms ||
         options.at_ms || options.attempts || options.crashes || options.timeout_ms ||
         options.soft_timeout_ms || options.lease_ms || options.expire_ms || options.keep_ms ||
         options.backoff;
}

// Whether the change may be made at all, apart from what the job is.
Status check_edit(const State& state, const Edit& edit) {
  if (!says_anything(edit)) {
    return base::fail(ErrorCode::kBadReq,
                      "field=OPTION say what is to change: QUEUE, PRIORITY, "
                      "AT, DELAY, ARGS, TYPE, ATTEMPTS, …");
  }
  if (edit.queue) TRY(check_name("QUEUE", *edit.queue));
  if (edit.type) TRY(check_name("TYPE", *edit.type));
  if (edit.args) TRY(check_bytes("ARGS", edit.args->size(), limits::kArgsBytesMax));
  if (edit.priority) {
    TRY(check_range("PRIORITY", *edit.priority, {limits::kPriorityMin, limits::kPriorityMax}));
  }
  TRY(check_options(edit.options));
  if (edit.queue) TRY(check_queue_bound(state, *edit.queue));
  if (edit.type) TRY(check_type_bound(state, *edit.type));
  return {};
}

// Whether this job may be changed so.
Status check_job(const Context& context, const Edit& edit, const Job& job) {
  if (lifecycle(job.state, Event::kEdit).kind != Cell::Kind::kMove) {
    return tl::unexpected(bad_state(job, "edited"));
  }
  const JobOptions& options = edit.options;
  if (options.attempts && *options.attempts <= job.record->attempt) {
    return base::fail(ErrorCode::kBadReq, "field=ATTEMPTS {} is not more than the {} that are used",
                      *options.attempts, job.record->attempt);
  }
  if (edit.queue && *edit.queue != job.queue->name) {
    TRY(check_room(context.state.find_queue(*edit.queue)));
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

void apply_edit(Context& context, const Edit& edit, Answer& answer) {
  const Status fits = check_edit(context.state, edit);
  if (!fits) return answer.reply.error(fits.error());
  const base::Result<Job*> found = find_job(context.state, edit.job);
  if (!found) return answer.reply.error(found.error());
  const Job& job = **found;
  const Status may = check_job(context, edit, job);
  if (!may) return answer.reply.error(may.error());
  JobEdited edited{.id = job.id, .queue = edit.queue, .type = edit.type, .args = edit.args};
  if (edit.priority) edited.priority = static_cast<uint8_t>(*edit.priority);
  put_numbers(context, edit.options, edited);
  edited.backoff = edit.options.backoff;
  edited.after = job.state;
  const bool timed = edit.options.delay_ms || edit.options.at_ms;
  if (timed && job.state != JobState::kWaiting) reschedule(context, edit.options, edited);
  emit(context, std::move(edited));
  answer.reply.ok();
}

}  // namespace core
