// Jobs, queues, keys and all the rest of what can be seen, against what must be.
#include <algorithm>
#include <set>

#include "model/compare.h"
#include "model/model.h"

namespace model {
namespace {

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

// Compares only if the driver filled it in.
void match_log(const Where& where, const LogView& expected, const std::optional<LogView>& got) {
  if (!got) return;
  same(where, "log lines dropped", expected.dropped, got->dropped);
  same(where, "log length", static_cast<int64_t>(expected.lines.size()),
       static_cast<int64_t>(got->lines.size()));
  for (size_t i = 0; i < expected.lines.size(); ++i) {
    const LogLine& want = expected.lines[i];
    const LogLine& have = got->lines[i];
    const std::string name = "log line " + std::to_string(i);
    same(where, (name + " level").c_str(), want.level, have.level);
    same(where, (name + " text").c_str(), want.text, have.text);
    same(where, (name + " time").c_str(), want.at_wall_ms, have.at_wall_ms);
  }
}

// Both as the delays that they come to: the same backoff has more than one text.
void match_backoff(const Where& where, const std::optional<std::string>& expected,
                   const std::optional<std::string>& got) {
  same(where, "backoff set", expected.has_value(), got.has_value());
  if (!expected) return;
  const std::optional<Backoff> have = parse_backoff(*got);
  if (!have) throw Mismatch{std::string(where.what) + where.name + ": backoff is " + *got};
  constexpr int64_t kCompared = 12;
  for (int64_t attempt = 1; attempt <= kCompared; ++attempt) {
    const Range want = backoff_delay(*parse_backoff(*expected), attempt);
    const Range delay = backoff_delay(*have, attempt);
    if (want.low == delay.low && want.high == delay.high) continue;
    same(where, "backoff", *expected, *got);
  }
}

void match_settings(const Where& where, const QueueSettings& expected,
                    const std::optional<QueueSettings>& got) {
  if (!got) return;
  same(where, "maxlen", expected.length_max, got->length_max);
  same(where, "attempts", expected.attempts, got->attempts);
  match_backoff(where, expected.backoff, got->backoff);
  same(where, "lease", expected.lease_ms, got->lease_ms);
  same(where, "timeout", expected.timeout_ms, got->timeout_ms);
  same(where, "keep", expected.keep_ms, got->keep_ms);
  same(where, "crashes", expected.crashes, got->crashes);
  same(where, "alert", expected.alert_ms, got->alert_ms);
  same(where, "age", expected.age_ms, got->age_ms);
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
    match_log(where, want.log.value_or(LogView{}), have.log);
    have.log = want.log;
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

}  // namespace

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
  match_log(where, view.lease->log.value_or(LogView{}), seen.lease->log);
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
  view.settings = queue.settings;
  view.paused_types.emplace();
  for (const auto& [pause, reason] : world.type_pauses) {
    const auto& [type, in] = pause;
    if (in.empty()) (*view.paused_types)[type + " in all"] = reason;
    if (in == name) (*view.paused_types)[type + " in queue"] = reason;
  }
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
  match_settings(where, *view.settings, seen.settings);
  same_if_seen(where, "paused types", *view.paused_types, seen.paused_types);
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
    same(where, "fields", expected.fields, view.fields);
    same(where, "end", expected.end_ms, view.end_ms);
    same(where, "end by the wall clock", expected.end_is_wall, view.end_is_wall);
  }
  for (const auto& [name, key] : world.stored) {
    if (!is_over(world, key) && shown.count(name) == 0) throw Mismatch{"missing: key " + name};
  }
}

void match_type_pauses(const World& world, const std::vector<TypePauseView>& seen) {
  Fields expected;
  Fields got;
  for (const auto& [name, reason] : world.type_pauses) {
    expected[name.first + " in '" + name.second + "'"] = reason;
  }
  for (const TypePauseView& pause : seen) {
    got[pause.type + " in '" + pause.queue + "'"] = pause.reason;
  }
  same(Where{"", "the pauses of types"}, "all", expected, got);
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
    if (seen.type_pauses) match_type_pauses(world_, *seen.type_pauses);
    same_if_seen(Where{"", "the workers"}, "known", worker_views(world_), seen.workers);
  } catch (const Mismatch& mismatch) {
    return mismatch.text;
  }
  return std::nullopt;
}

}  // namespace model
