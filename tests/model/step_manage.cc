// GET, CANCEL, RETRY, DELETE, EDIT, queues, EXEC.
#include <algorithm>

#include "model/step.h"

namespace model {
namespace {

constexpr size_t kIdsMax = 10'000;

bool refused_ids(const std::vector<std::string>& ids) {
  return ids.empty() || ids.size() > kIdsMax || !std::all_of(ids.begin(), ids.end(), valid_id);
}

bool changes_nothing(const Edit& edit) {
  return !edit.queue && !edit.priority && !edit.delay_ms && !edit.at_wall_ms && !edit.args &&
         !edit.type && !edit.attempts && !edit.backoff && !edit.timeout_ms &&
         !edit.soft_timeout_ms && !edit.lease_ms && !edit.expire_ms && !edit.crashes &&
         !edit.keep_ms;
}

// For its words alone.
bool refused_edit(const Edit& edit) {
  if (changes_nothing(edit) || (edit.delay_ms && edit.at_wall_ms)) return true;
  if ((edit.queue && !valid_name(*edit.queue)) || (edit.type && !valid_name(*edit.type))) {
    return true;
  }
  if (edit.backoff && !parse_backoff(*edit.backoff)) return true;
  return outside(edit.priority, 0, 9) || outside(edit.delay_ms, 0, kDurationMsMax) ||
         outside(edit.at_wall_ms, 0, INT64_MAX) || outside(edit.attempts, 1, kRunsMax) ||
         outside(edit.timeout_ms, 0, kDurationMsMax) ||
         outside(edit.soft_timeout_ms, 0, kDurationMsMax) || outside(edit.lease_ms, 1, kDayMs) ||
         outside(edit.expire_ms, 1, kDurationMsMax) || outside(edit.crashes, 1, kRunsMax) ||
         outside(edit.keep_ms, 0, kDurationMsMax);
}

// The first error in a member's reply: its own, or (CANCEL) that of an item.
const Reply* first_error(const Reply& reply) {
  if (reply.kind == Reply::Kind::kError) return &reply;
  for (const Reply& item : reply.items) {
    if (item.kind == Reply::Kind::kError) return &item;
  }
  return nullptr;
}

}  // namespace

Reply Step::get(const Get& get) {
  if (!valid_id(get.id)) return error_reply("BADREQ");
  const std::optional<std::string> id = resolve(get.id);
  const Job* job = id ? find_job(w_, *id) : nullptr;
  Reply reply;
  reply.kind = job == nullptr ? Reply::Kind::kNil : Reply::Kind::kJob;
  if (job != nullptr) reply.job.push_back(job->view);
  return reply;
}

// One result for each id: what `each` says to a job that is there.
template <typename Each>
Reply Step::each_of(const std::vector<std::string>& ids, const Each& each) {
  if (refused_ids(ids)) return error_reply("BADREQ");
  std::vector<Reply> items;
  for (const std::string& name : ids) {
    const std::optional<std::string> id = resolve(name);
    Job* job = id ? find_job(w_, *id) : nullptr;
    items.push_back(job == nullptr ? no_record(id.value_or("")) : each(*job));
  }
  return array_reply(std::move(items));
}

Reply Step::cancel(const Cancel& cancel) {
  return each_of(cancel.ids, [&](Job& job) { return cancel_job(job, cancel.force); });
}

Reply Step::cancel_job(Job& job, bool force) {
  const State state = job.view.state;
  if (state == State::kSucceeded || state == State::kDead || state == State::kExpired) {
    return bad_state(state);
  }
  if (state == State::kRunning && force) {
    record(job, job.view.lease->token, LedgerEntry{LeaseVerb::kOther, {}, true, 0});
    end_cancelled(job, Fail{});
  } else if (state == State::kRunning) {
    job.view.cancel_requested = true;
  } else if (state != State::kCancelled) {
    finish(job, State::kCancelled);
  }
  return ok_reply();
}

Reply Step::retry(const Retry& retry) {
  return each_of(retry.ids, [&](Job& job) { return retry_job(job); });
}

Reply Step::retry_job(Job& job) {
  JobView& view = job.view;
  if (!is_finished(view.state)) return bad_state(view.state);
  ++view.generation;
  view.attempt = 0;
  view.crashes = 0;
  view.suspect = false;
  view.result.reset();
  view.dead_reason = DeadReason::kNone;
  view.finished_engine_ms.reset();
  view.expires_at_engine_ms.reset();
  ++queue_of(job).retried;
  make_ready(job);
  return ok_reply();
}

Reply Step::remove(const Delete& del) {
  return each_of(del.ids, [&](const Job& job) { return remove_job(job); });
}

Reply Step::remove_job(const Job& job) {
  if (job.view.state == State::kRunning) return bad_state(State::kRunning);
  forget(std::string(job.view.id));
  return ok_reply();
}

Reply Step::edit(const Edit& edit) {
  if (!valid_id(edit.id)) return error_reply("BADREQ");
  if (const auto refusal = refused_change(edit)) return *refusal;
  const std::optional<std::string> id = resolve(edit.id);
  Job* job = id ? find_job(w_, *id) : nullptr;
  return job == nullptr ? no_record(id.value_or("")) : edit_job(*job, edit);
}

// For its words alone.
std::optional<Reply> Step::refused_change(const Edit& edit) {
  if (refused_edit(edit)) return error_reply("BADREQ");
  if (edit.args && edit.args->size() > kArgsBytesMax) return error_reply("TOOBIG");
  return std::nullopt;
}

Reply Step::edit_job(Job& job, const Edit& edit) {
  JobView& view = job.view;
  if (view.state == State::kRunning || is_finished(view.state)) return bad_state(view.state);
  if (edit.attempts && *edit.attempts <= view.attempt) return error_reply("BADREQ");
  const std::string queue = edit.queue.value_or(view.queue);
  if (queue != view.queue) {
    if (const auto refusal = full(queue)) return *refusal;
  }
  w_.queues[queue];  // It comes into being if it is new.
  view.queue = queue;
  view.priority = edit.priority.value_or(view.priority);
  view.args = edit.args.value_or(view.args);
  view.type = edit.type.value_or(view.type);
  view.max_attempts = edit.attempts.value_or(view.max_attempts);
  view.max_crashes = edit.crashes.value_or(view.max_crashes);
  view.timeout_ms = edit.timeout_ms.value_or(view.timeout_ms);
  view.soft_timeout_ms = edit.soft_timeout_ms.value_or(view.soft_timeout_ms);
  view.lease_ms = edit.lease_ms.value_or(view.lease_ms);
  if (edit.keep_ms) view.keep_ms = edit.keep_ms;
  if (edit.expire_ms) view.expires_at_engine_ms = w_.now.engine_ms + *edit.expire_ms;
  if (edit.backoff) job.backoff = *parse_backoff(*edit.backoff);
  if (!edit.delay_ms && !edit.at_wall_ms) return ok_reply();
  const Job before = job;
  job.run_at_range.reset();
  place(job, edit.delay_ms, edit.at_wall_ms);
  if (before.view.state == State::kReady && view.state == State::kReady) {
    job.ready_seq = before.ready_seq;
    job.ready_since_ms = before.ready_since_ms;
  }
  return ok_reply();
}

void Step::forget(const std::string& id) {
  const Job* job = find_job(w_, id);
  if (job->view.key) w_.keys.erase(*job->view.key);
  w_.jobs.erase(id);
}

Reply Step::exec(const Exec& exec, const Reply* seen) {
  World copy = w_;
  Step dry(copy, conn_);
  for (size_t i = 0; i < exec.members.size(); ++i) {
    const Reply reply = dry.apply(exec.members[i], nullptr);
    if (const Reply* error = first_error(reply)) {
      Reply aborted = error_reply("EXECABORT");
      aborted.index = static_cast<int64_t>(i);
      aborted.inner_code = error->code;
      return aborted;
    }
  }
  std::vector<Reply> items;
  for (size_t i = 0; i < exec.members.size(); ++i) {
    const bool shown = seen != nullptr && i < seen->items.size();
    items.push_back(apply(exec.members[i], shown ? &seen->items[i] : nullptr));
  }
  return array_reply(std::move(items));
}

Reply Step::pause(const QueuePause& pause) {
  if (!valid_name(pause.queue)) return error_reply("BADREQ");
  Queue& queue = w_.queues[pause.queue];
  queue.paused = true;
  queue.pause_reason = pause.reason;
  return ok_reply();
}

Reply Step::resume(const QueueResume& resume) {
  if (!valid_name(resume.queue)) return error_reply("BADREQ");
  const auto queue = w_.queues.find(resume.queue);
  if (queue != w_.queues.end()) {
    queue->second.paused = false;
    queue->second.pause_reason.clear();
  }
  return ok_reply();
}

Reply Step::stats(const QueueStats& stats) {
  if (!valid_name(stats.queue)) return error_reply("BADREQ");
  Reply reply;
  reply.kind = Reply::Kind::kStats;
  reply.queue.emplace_back();
  reply.queue[0].name = stats.queue;
  return reply;
}

Reply Step::list() const {
  Reply reply;
  reply.kind = Reply::Kind::kNames;
  for (const auto& [name, queue] : w_.queues) reply.names.push_back(name);
  return reply;
}

}  // namespace model
