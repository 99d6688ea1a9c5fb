// Commands on jobs by id: GET, WAIT, RETRY, CANCEL, DELETE.
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

Status bulk_one(Context& context, const Bulk& bulk, const JobRef& ref) {
  const bool is_damaged = !ref.by_key() && context.state.damage_of(ref.id) != nullptr;
  if (bulk.verb == BulkVerb::kDelete && is_damaged && ref.sight.sees_all()) {
    emit(context, JobRemoved{.id = ref.id, .deleted = true});  // All that can be done with it.
    return {};
  }
  Job* job = TRY(find_job(context.state, ref));
  switch (bulk.verb) {
    case BulkVerb::kRetry:
      return retry_job(context, *job);
    case BulkVerb::kCancel:
      return cancel_job(context, *job, bulk.force);
    case BulkVerb::kDelete:
      return delete_job(context, *job);
  }
  ASSERT(false, "no such verb");
  return {};
}

}  // namespace

Status retry_job(Context& context, Job& job) {
  if (lifecycle(job.state, Event::kRetry).kind != Cell::Kind::kMove) {
    return tl::unexpected(bad_state(job, "retried"));
  }
  emit(context, JobMoved{.id = job.id,
                         .after = next_state(job.state, Event::kRetry),
                         .ready_seq = context.state.ready_seq_next(),
                         .new_generation = true});
  return {};
}

Status delete_job(Context& context, Job& job) {
  if (lifecycle(job.state, Event::kDelete).kind != Cell::Kind::kGone) {
    return tl::unexpected(bad_state(job, "deleted"));
  }
  emit(context, JobRemoved{.id = job.id, .deleted = true});
  return {};
}

base::Error bad_state(const Job& job, std::string_view verb) {
  return base::Error{ErrorCode::kBadState,
                     fmt::format("state={} job {} cannot be {} now", job_state_name(job.state),
                                 job_id_text(job.id), verb)};
}

Status cancel_job(Context& context, Job& job, bool force) {
  const Event event = force ? Event::kForceCancel : Event::kCancel;
  const Cell cell = lifecycle(job.state, event);
  if (cell.kind == Cell::Kind::kRefuse) return tl::unexpected(bad_state(job, "cancelled"));
  if (cell.kind == Cell::Kind::kStay) {
    if (job.state == JobState::kRunning && !job.record->cancel_requested) {
      emit(context, JobCancelRequested{.id = job.id});
    }
    return {};
  }
  if (job.state == JobState::kRunning) {
    emit(context, JobEnded{.id = job.id, .outcome = Outcome::kCancelled, .after = cell.next});
  } else {
    emit(context, JobMoved{.id = job.id, .after = cell.next});
  }
  return {};
}

void apply_bulk(Context& context, const Bulk& bulk, Answer& answer) {
  const Status fits = check_range("n", static_cast<int64_t>(bulk.jobs.size()),
                                  {1, static_cast<int64_t>(limits::kBatchItemsMax)});
  if (!fits) return answer.reply.error(fits.error());
  answer.reply.array(static_cast<uint32_t>(bulk.jobs.size()));
  for (const JobRef& ref : bulk.jobs) {
    const Status done = bulk_one(context, bulk, ref);
    done ? answer.reply.ok() : answer.reply.error(done.error());
  }
}

void apply_get(Context& context, const Get& get, Answer& answer) {
  const auto job = find_job(context.state, get.job);
  if (job) return write_job(answer.reply, **job, context.now);
  const bool damaged = job.error().code == ErrorCode::kCorrupt;
  damaged ? answer.reply.error(job.error()) : answer.reply.nil();
}

base::Result<std::vector<JobId>> resolve_wait(const State& state, const Wait& wait) {
  constexpr Range kAny{0, std::numeric_limits<int64_t>::max()};
  TRY(check_range("n", static_cast<int64_t>(wait.jobs.size()),
                  {1, static_cast<int64_t>(limits::kWaitJobsMax)}));
  TRY(check_range("BLOCK", wait.block_ms, kAny));
  std::vector<JobId> ids;
  for (const JobRef& ref : wait.jobs) {
    const auto job = find_job(state, ref);
    if (!job && job.error().code == ErrorCode::kNotFound) return tl::unexpected(job.error());
    // From here on the job goes by its id alone: one that is gone and one that is not seen have to
    // part from the wait alike.
    if (!job && !ref.sight.sees_all()) {
      return base::fail(ErrorCode::kNotFound, "no job has the id {}", job_id_text(ref.id));
    }
    ids.push_back(job ? (*job)->id : ref.id);
  }
  return ids;
}

bool wait_is_over(const State& state, const std::vector<JobId>& jobs, bool any) {
  const auto over = [&](JobId id) {
    const Job* job = state.find(id);
    return job == nullptr || is_finished(job->state);
  };
  return any ? std::ranges::any_of(jobs, over) : std::ranges::all_of(jobs, over);
}

Sight sight_of(const Wait& wait) {
  return wait.jobs.empty() ? Sight{} : wait.jobs.front().sight;
}

void write_wait(Reply& reply, const State& state, const std::vector<JobId>& jobs, Sight sight,
                base::Now now) {
  reply.array(static_cast<uint32_t>(jobs.size()));
  for (const JobId id : jobs) {
    const Job* job = state.find(id);
    if (job != nullptr && !sight.sees(job->queue->name)) job = nullptr;
    if (job != nullptr && reply.tape().size() < limits::kReplyBytesMax) {
      write_job(reply, *job, now);
      continue;
    }
    // Gone, or the reply is full: JOB.GET tells the rest.
    reply.map(2);
    reply.bulk("id");
    reply.bulk(job_id_text(id));
    reply.bulk("state");
    reply.bulk(job == nullptr ? "gone" : job_state_name(job->state));
  }
}

void apply_wait(Context& context, const Wait& wait, Answer& answer) {
  const auto ids = resolve_wait(context.state, wait);
  if (!ids) return answer.reply.error(ids.error());
  if (wait_is_over(context.state, *ids, wait.any)) {
    return write_wait(answer.reply, context.state, *ids, sight_of(wait), context.now);
  }
  answer.blocks = true;
}

}  // namespace core
