// What was seen against what must be: replies, jobs, queues, whole snapshots.
#include <algorithm>
#include <set>

#include "model/model.h"
#include "model/step.h"

namespace model {
namespace {

std::string text_of(int64_t value) {
  return std::to_string(value);
}
std::string text_of(bool value) {
  return value ? "true" : "false";
}
std::string text_of(const std::string& value) {
  constexpr size_t kShown = 60;
  if (value.size() <= kShown) return "'" + value + "'";
  return "'" + value.substr(0, kShown) + "…' (" + std::to_string(value.size()) + " bytes)";
}
std::string text_of(State value) {
  return name_of(value);
}
std::string text_of(DeadReason value) {
  return name_of(value);
}
std::string text_of(const RunAt& value) {
  return (value.is_wall ? "wall " : "engine ") + std::to_string(value.ms);
}
std::string text_of(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) text += (text.size() > 1 ? " " : "") + value;
  return text + "]";
}
std::string text_of(const std::map<std::string, std::string>& values) {
  std::string text = "{";
  for (const auto& [key, value] : values) text += key + "=" + value + " ";
  return text + "}";
}
template <typename T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "nothing";
}

// Says which thing a field belongs to; built into text only when there is something to say.
struct Where {
  const char* what;
  const std::string& name;
};

template <typename T>
void same(const Where& where, const char* field, const T& expected, const T& got) {
  if (expected == got) return;
  throw Mismatch{std::string(where.what) + where.name + ": " + field + " should be " +
                 text_of(expected) + ", got " + text_of(got)};
}

// Compares only if the driver filled it in.
template <typename T>
void same_if_seen(const Where& where, const char* field, const T& expected,
                  const std::optional<T>& got) {
  if (got) same(where, field, expected, *got);
}

// Takes an open value from what was seen, if it is allowed.
void adopt(const Where& where, const char* field, std::optional<Range>& open, int64_t& value,
           int64_t got) {
  if (!open) return;
  if (!open->holds(got)) {
    throw Mismatch{std::string(where.what) + where.name + ": " + field + " should be between " +
                   text_of(open->low) + " and " + text_of(open->high) + ", got " + text_of(got)};
  }
  value = got;
  open.reset();
}

// "GONE|LEASELOST" allows either.
bool code_allowed(const std::string& allowed, const std::string& code) {
  if (allowed == code) return true;
  size_t from = 0;
  while (from <= allowed.size()) {
    const size_t to = std::min(allowed.find('|', from), allowed.size());
    if (allowed.compare(from, to - from, code) == 0) return true;
    from = to + 1;
  }
  return false;
}

void match_history(const Where& where, const std::vector<AttemptView>& expected,
                   const std::vector<AttemptView>& got) {
  same(where, "history length", static_cast<int64_t>(expected.size()),
       static_cast<int64_t>(got.size()));
  for (size_t i = 0; i < expected.size(); ++i) {
    const AttemptView& want = expected[i];
    AttemptView have = got[i];
    // The server words these itself.
    if (want.error_class == "LeaseLost" || want.error_class == "Timeout") {
      have.message = want.message;
    }
    if (want == have) continue;
    const auto line = [](const AttemptView& view) {
      return "attempt " + text_of(view.attempt) + " generation " + text_of(view.generation) +
             " fence " + text_of(view.fence) + " worker " + text_of(view.worker) + " " +
             name_of(view.outcome) + " class " + text_of(view.error_class) + " message " +
             text_of(view.message) + " trace " + text_of(view.trace);
    };
    throw Mismatch{std::string(where.what) + where.name + ": history[" + std::to_string(i) +
                   "] should be {" + line(want) + "}, got {" + line(have) + "}"};
  }
}

void match_grant(const GrantView& expected, const GrantView& got) {
  const Where where{"lease of job ", expected.id};
  same(where, "id", expected.id, got.id);
  same(where, "token", expected.token, got.token);
  same(where, "fence", expected.fence, got.fence);
  same(where, "queue", expected.queue, got.queue);
  same(where, "type", expected.type, got.type);
  same(where, "args", expected.args, got.args);
  same(where, "attempt", expected.attempt, got.attempt);
  same(where, "max_attempts", expected.max_attempts, got.max_attempts);
  same(where, "priority", expected.priority, got.priority);
  same(where, "lease_ms", expected.lease_ms, got.lease_ms);
  same(where, "timeout_ms", expected.timeout_ms, got.timeout_ms);
  same(where, "soft_timeout_ms", expected.soft_timeout_ms, got.soft_timeout_ms);
  same(where, "pushed_wall_ms", expected.pushed_wall_ms, got.pushed_wall_ms);
  same(where, "meta", expected.meta, got.meta);
  same(where, "key", expected.key, got.key);
  same(where, "progress", expected.progress, got.progress);
}

void match_error(const Where& where, const Reply& expected, const Reply& got) {
  if (!code_allowed(expected.code, got.code)) {
    throw Mismatch{std::string(where.what) + where.name + " should be " + expected.code + ", got " +
                   got.code};
  }
  if (expected.code == "DUPLICATE" && !expected.id.empty()) {
    same(where, "DUPLICATE id", expected.id, got.id);
  }
  if (expected.code == "BADSTATE" && got.state) {
    same(where, "BADSTATE state", expected.state, got.state);
  }
  if (expected.code == "EXECABORT") {
    same(where, "EXECABORT index", expected.index, got.index);
    if (!code_allowed(expected.inner_code, got.inner_code)) {
      throw Mismatch{std::string(where.what) + where.name + " should be aborted by " +
                     expected.inner_code + ", got " + got.inner_code};
    }
  }
}

}  // namespace

void Step::match(const Reply& expected, const Reply& seen, const std::string& name) {
  const Where where{"", name};
  if (expected.kind != seen.kind) {
    throw Mismatch{name + " should be " + describe(expected) + ", got " + describe(seen)};
  }
  switch (expected.kind) {
    case Reply::Kind::kNone:
    case Reply::Kind::kOk:
    case Reply::Kind::kNil:
    case Reply::Kind::kGone:
    case Reply::Kind::kBlocked:
      return;
    case Reply::Kind::kError:
      return match_error(where, expected, seen);
    case Reply::Kind::kPushed:
      same(where, "id", expected.id, seen.id);
      return same(where, "created", expected.created, seen.created);
    case Reply::Kind::kFailed:
      same(where, "state", expected.state, seen.state);
      same(where, "run_at", expected.run_at_engine_ms, seen.run_at_engine_ms);
      return same(where, "attempt", expected.attempt, seen.attempt);
    case Reply::Kind::kLease:
      same(where, "lease_ms", expected.lease_ms, seen.lease_ms);
      return same(where, "cancelled", expected.cancelled, seen.cancelled);
    case Reply::Kind::kLeases:
      same(where, "number of leases", static_cast<int64_t>(expected.leases.size()),
           static_cast<int64_t>(seen.leases.size()));
      for (size_t i = 0; i < expected.leases.size(); ++i) {
        match_grant(expected.leases[i], seen.leases[i]);
      }
      return;
    case Reply::Kind::kJob:
      same(where, "job id", expected.job.at(0).id, seen.job.at(0).id);
      return match_job(*find_job(w_, expected.job[0].id), seen.job[0], false);
    case Reply::Kind::kBeat:
      same(where, "state", expected.worker_state, seen.worker_state);
      same(where, "cancel", expected.cancel, seen.cancel);
      return same(where, "lost", expected.lost, seen.lost);
    case Reply::Kind::kStats:
      same(where, "queue", expected.queue.at(0).name, seen.queue.at(0).name);
      return match_queue(expected.queue[0].name, seen.queue[0]);
    case Reply::Kind::kNames:
      return same(where, "names", expected.names, seen.names);
    case Reply::Kind::kValue:
      return same(where, "value", expected.text, seen.text);
    case Reply::Kind::kInteger:
      return same(where, "number", expected.number, seen.number);
    case Reply::Kind::kScanned:
      return;  // Judged where it was expected: what it names is free.
    case Reply::Kind::kArray:
      same(where, "number of items", static_cast<int64_t>(expected.items.size()),
           static_cast<int64_t>(seen.items.size()));
      for (size_t i = 0; i < expected.items.size(); ++i) {
        match(expected.items[i], seen.items[i], name + "[" + std::to_string(i) + "]");
      }
      return;
  }
}

void Step::match_job(Job& job, const JobView& seen, bool with_token) {
  JobView& view = job.view;
  const Where where{"job ", view.id};
  same(where, "state", view.state, seen.state);
  same(where, "generation", view.generation, seen.generation);
  same(where, "queue", view.queue, seen.queue);
  same(where, "type", view.type, seen.type);
  same(where, "args", view.args, seen.args);
  same(where, "priority", view.priority, seen.priority);
  same(where, "attempt", view.attempt, seen.attempt);
  same(where, "max_attempts", view.max_attempts, seen.max_attempts);
  same(where, "fence", view.fence, seen.fence);
  same(where, "crashes", view.crashes, seen.crashes);
  same(where, "max_crashes", view.max_crashes, seen.max_crashes);
  same(where, "suspect", view.suspect, seen.suspect);
  same(where, "cancel_requested", view.cancel_requested, seen.cancel_requested);
  if (view.state == State::kScheduled) {
    adopt(where, "run_at", job.run_at_range, view.run_at.ms, seen.run_at.ms);
    same(where, "run_at", view.run_at, seen.run_at);
  }
  same(where, "lease_ms", view.lease_ms, seen.lease_ms);
  same(where, "timeout_ms", view.timeout_ms, seen.timeout_ms);
  same(where, "soft_timeout_ms", view.soft_timeout_ms, seen.soft_timeout_ms);
  if (!is_finished(view.state)) {
    same(where, "expires_at", view.expires_at_engine_ms, seen.expires_at_engine_ms);
  }
  same(where, "keep_ms", view.keep_ms, seen.keep_ms);
  same(where, "key", view.key, seen.key);
  same(where, "meta", view.meta, seen.meta);
  same(where, "progress", view.progress, seen.progress);
  same(where, "result", view.result, seen.result);
  same(where, "pushed_wall_ms", view.pushed_wall_ms, seen.pushed_wall_ms);
  same(where, "finished_at", view.finished_engine_ms, seen.finished_engine_ms);
  same(where, "dead reason", view.dead_reason, seen.dead_reason);
  match_history(where, view.history, seen.history);
  same(where, "lease present", view.lease.has_value(), seen.lease.has_value());
  if (!view.lease) return;
  adopt(where, "lease deadline", job.deadline_range, view.lease->deadline_engine_ms,
        seen.lease->deadline_engine_ms);
  same(where, "lease worker", view.lease->worker, seen.lease->worker);
  same(where, "lease deadline", view.lease->deadline_engine_ms, seen.lease->deadline_engine_ms);
  same(where, "lease timeout", view.lease->timeout_at_engine_ms, seen.lease->timeout_at_engine_ms);
  if (with_token || !seen.lease->token.empty()) {
    same(where, "lease token", view.lease->token, seen.lease->token);
  }
}

QueueView queue_view(const World& world, const std::string& name) {
  const auto found = world.queues.find(name);
  const Queue queue = found == world.queues.end() ? Queue{} : found->second;
  std::map<State, int64_t> count;
  std::vector<const Job*> ready;
  for (const auto& [id, job] : world.jobs) {
    if (job.view.queue != name) continue;
    ++count[job.view.state];
    if (job.view.state == State::kReady) ready.push_back(&job);
  }
  QueueView view;
  view.name = name;
  view.paused = queue.paused;
  view.pause_reason = queue.pause_reason;
  view.ready = count[State::kReady];
  view.scheduled = count[State::kScheduled];
  view.running = count[State::kRunning];
  view.succeeded_kept = count[State::kSucceeded];
  view.dead = count[State::kDead];
  view.cancelled_kept = count[State::kCancelled];
  view.expired_kept = count[State::kExpired];
  view.pushed = queue.pushed;
  view.started = queue.started;
  view.succeeded = queue.succeeded;
  view.failed = queue.failed;
  view.lost = queue.lost;
  view.released = queue.released;
  view.died = queue.died;
  view.cancelled = queue.cancelled;
  view.expired = queue.expired;
  view.retried = queue.retried;
  std::sort(ready.begin(), ready.end(),
            [](const Job* a, const Job* b) { return a->ready_seq < b->ready_seq; });
  view.oldest_ms = ready.empty() ? 0 : world.now.engine_ms - ready[0]->ready_since_ms;
  std::stable_sort(ready.begin(), ready.end(),
                   [](const Job* a, const Job* b) { return a->view.priority > b->view.priority; });
  view.ready_ids.emplace();
  for (const Job* job : ready) view.ready_ids->push_back(job->view.id);
  return view;
}

void Step::match_queue(const std::string& name, const QueueView& seen) {
  const Where where{"queue ", name};
  const QueueView view = queue_view(w_, name);
  same(where, "paused", view.paused, seen.paused);
  same(where, "pause reason", view.pause_reason, seen.pause_reason);
  same(where, "ready", view.ready, seen.ready);
  same(where, "scheduled", view.scheduled, seen.scheduled);
  same(where, "running", view.running, seen.running);
  same(where, "succeeded kept", view.succeeded_kept, seen.succeeded_kept);
  same(where, "dead", view.dead, seen.dead);
  same(where, "cancelled kept", view.cancelled_kept, seen.cancelled_kept);
  same(where, "expired kept", view.expired_kept, seen.expired_kept);
  same(where, "pushed", view.pushed, seen.pushed);
  same(where, "started", view.started, seen.started);
  same(where, "succeeded", view.succeeded, seen.succeeded);
  same(where, "failed", view.failed, seen.failed);
  same_if_seen(where, "lost", *view.lost, seen.lost);
  same_if_seen(where, "released", *view.released, seen.released);
  same_if_seen(where, "died", *view.died, seen.died);
  same_if_seen(where, "cancelled", *view.cancelled, seen.cancelled);
  same_if_seen(where, "expired", *view.expired, seen.expired);
  same_if_seen(where, "retried", *view.retried, seen.retried);
  same_if_seen(where, "oldest_ms", *view.oldest_ms, seen.oldest_ms);
  same_if_seen(where, "ready order", *view.ready_ids, seen.ready_ids);
}

namespace {

void match_keys(const World& world, const std::vector<KeyView>& seen) {
  std::set<std::string> shown;
  for (const KeyView& view : seen) {
    const Where where{"key ", view.name};
    const auto stored = world.stored.find(view.name);
    if (stored == world.stored.end() || is_over(world, stored->second)) {
      throw Mismatch{"there should be no key '" + view.name + "'"};
    }
    if (!shown.insert(view.name).second) throw Mismatch{"key " + view.name + " is there twice"};
    const KeyView expected = key_view(view.name, stored->second);
    same(where, "value", expected.value, view.value);
    same(where, "end", expected.end_ms, view.end_ms);
    same(where, "end by the wall clock", expected.end_is_wall, view.end_is_wall);
  }
  for (const auto& [name, key] : world.stored) {
    if (!is_over(world, key) && shown.count(name) == 0) throw Mismatch{"missing: key " + name};
  }
}

}  // namespace

std::optional<std::string> Model::compare(const Snapshot& seen) {
  try {
    Step step(world_, 0);
    std::set<std::string> shown;
    for (const JobView& view : seen.jobs) {
      Job* job = find_job(world_, view.id);
      if (job == nullptr) throw Mismatch{"there should be no job " + describe(view)};
      if (!shown.insert(view.id).second) throw Mismatch{"job " + view.id + " is there twice"};
      step.match_job(*job, view, true);
    }
    for (const auto& [id, job] : world_.jobs) {
      if (shown.count(id) == 0) throw Mismatch{"missing: job " + describe(job.view)};
    }
    shown.clear();
    for (const QueueView& view : seen.queues) {
      if (world_.queues.count(view.name) == 0) {
        throw Mismatch{"there should be no queue '" + view.name + "'"};
      }
      if (!shown.insert(view.name).second) throw Mismatch{"queue " + view.name + " is there twice"};
      step.match_queue(view.name, view);
    }
    for (const auto& [name, queue] : world_.queues) {
      if (shown.count(name) == 0) throw Mismatch{"missing: queue '" + name + "'"};
    }
    match_keys(world_, seen.keys);
  } catch (const Mismatch& mismatch) {
    return mismatch.text;
  }
  return std::nullopt;
}

}  // namespace model
