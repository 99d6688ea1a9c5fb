// GET, CANCEL, RETRY, DELETE, queues, EXEC.
#include <algorithm>

#include "model/step.h"

namespace model {
namespace {

constexpr size_t kIdsMax = 10'000;

bool refused(const std::vector<std::string>& ids) {
  return ids.empty() || ids.size() > kIdsMax || !std::all_of(ids.begin(), ids.end(), valid_id);
}

Reply bad_state(State state) {
  Reply reply = error_reply("BADSTATE");
  reply.state = state;
  return reply;
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

Reply Step::cancel(const Cancel& cancel) {
  if (refused(cancel.ids)) return error_reply("BADREQ");
  std::vector<Reply> items;
  for (const std::string& name : cancel.ids) {
    const std::optional<std::string> id = resolve(name);
    Job* job = id ? find_job(w_, *id) : nullptr;
    if (job == nullptr) {
      items.push_back(no_record(id.value_or("")));
      continue;
    }
    const State state = job->view.state;
    if (state == State::kSucceeded || state == State::kDead || state == State::kExpired) {
      items.push_back(bad_state(state));
      continue;
    }
    if (state == State::kRunning && cancel.force) {
      const LedgerEntry entry{LeaseVerb::kOther, {}, true, 0};
      record(*job, job->view.lease->token, entry);
      end_cancelled(*job, Fail{});
    } else if (state == State::kRunning) {
      job->view.cancel_requested = true;
    } else if (state != State::kCancelled) {
      finish(*job, State::kCancelled);
    }
    items.push_back(ok_reply());
  }
  return array_reply(std::move(items));
}

Reply Step::retry(const Retry& retry) {
  if (refused(retry.ids)) return error_reply("BADREQ");
  std::vector<Reply> items;
  for (const std::string& name : retry.ids) {
    const std::optional<std::string> id = resolve(name);
    Job* job = id ? find_job(w_, *id) : nullptr;
    if (job == nullptr) {
      items.push_back(no_record(id.value_or("")));
      continue;
    }
    JobView& view = job->view;
    if (!is_finished(view.state)) {
      items.push_back(bad_state(view.state));
      continue;
    }
    ++view.generation;
    view.attempt = 0;
    view.crashes = 0;
    view.suspect = false;
    view.result.reset();
    view.dead_reason = DeadReason::kNone;
    view.finished_engine_ms.reset();
    view.expires_at_engine_ms.reset();
    ++queue_of(*job).retried;
    make_ready(*job);
    items.push_back(ok_reply());
  }
  return array_reply(std::move(items));
}

Reply Step::remove(const Delete& del) {
  if (refused(del.ids)) return error_reply("BADREQ");
  std::vector<Reply> items;
  for (const std::string& name : del.ids) {
    const std::optional<std::string> id = resolve(name);
    const Job* job = id ? find_job(w_, *id) : nullptr;
    if (job == nullptr) {
      items.push_back(no_record(id.value_or("")));
    } else if (job->view.state == State::kRunning) {
      items.push_back(bad_state(State::kRunning));
    } else {
      forget(*id);
      items.push_back(ok_reply());
    }
  }
  return array_reply(std::move(items));
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
