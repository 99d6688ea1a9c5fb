#include "sim/snapshot.h"

#include <algorithm>
#include <set>

#include "base/assert.h"
#include "store/job_codec.h"
#include "store/operation_codec.h"

namespace sim {
namespace {

template <typename Visit>
void for_each_job(const core::State& state, Visit visit) {
  state.jobs().for_each(visit);
}

template <typename Visit>
void for_each_key(const core::State& state, Visit visit) {
  state.keys().walk(0, [&](std::string_view name, const core::Keys::Entry& entry) {
    visit(name, entry);
    return true;
  });
}

// What the attempt with this fence logged.
model::LogView core_log(const core::JobRecord& record, uint32_t fence) {
  model::LogView view;
  const core::AttemptLog* log =
      record.extras ? core::find_log(record.extras->logs, fence) : nullptr;
  if (log == nullptr) return view;
  view.dropped = static_cast<int64_t>(log->dropped);
  for (const core::LogLine& line : log->lines) {
    view.lines.push_back({line.at.ms, std::string(core::log_level_name(line.level)), line.text});
  }
  return view;
}

model::AttemptView core_attempt(const core::JobRecord& record, const core::Attempt& attempt) {
  model::AttemptView view;
  view.attempt = attempt.number;
  view.generation = attempt.generation;
  view.fence = attempt.token.fence;
  view.worker = attempt.worker;
  view.outcome = outcome_named(core::outcome_name(attempt.outcome));
  view.error_class = attempt.error_class;
  view.message = attempt.message;
  view.trace = attempt.trace;
  view.log = core_log(record, attempt.token.fence);
  return view;
}

// The attempts that are shown, oldest first: those that ended and counted, the newest 32.
std::vector<model::AttemptView> history_of(const core::JobRecord& record) {
  std::vector<model::AttemptView> history;
  const auto add = [&](const core::Attempt& attempt) {
    if (attempt.outcome == core::Outcome::kNone) return;
    if (attempt.outcome == core::Outcome::kReleased) return;
    history.push_back(core_attempt(record, attempt));
  };
  if (record.extras) std::ranges::for_each(record.extras->history, add);
  add(record.attempt_last);
  constexpr size_t kShown = 32;
  if (history.size() > kShown) history.erase(history.begin(), history.end() - kShown);
  return history;
}

model::LeaseView lease_of(const core::JobRecord& record) {
  model::LeaseView lease;
  lease.worker = record.attempt_last.worker;
  lease.token = core::lease_token_text(record.attempt_last.token);
  lease.deadline_engine_ms = record.lease.deadline.ms;
  if (record.lease.timeout_end != base::EngineTime::never()) {
    lease.timeout_at_engine_ms = record.lease.timeout_end.ms;
  }
  lease.log = core_log(record, record.attempt_last.token.fence);
  return lease;
}

void add_extras(const core::JobExtras& extras, model::JobView& view) {
  if (!extras.key.empty()) view.key = extras.key;
  for (const auto& [field, value] : extras.meta) {
    ASSERT(view.meta.emplace(field, value).second, "meta has {} twice", field);
  }
  if (extras.has_progress) view.progress = extras.progress;
  if (extras.has_result) view.result = extras.result;
}

model::JobView view_of(const core::Job& job, const core::JobRecord& record) {
  model::JobView view;
  view.id = core::job_id_text(job.id);
  view.generation = record.generation;
  view.state = state_of(job.state);
  view.queue = job.queue->name;
  view.type = job.type->name;
  view.args = record.args;
  view.priority = job.priority;
  view.attempt = record.attempt;
  view.max_attempts = record.attempts_max;
  view.fence = record.fence;
  view.crashes = record.crashes;
  view.max_crashes = record.crashes_max;
  view.suspect = job.is_suspect;
  view.cancel_requested = record.cancel_requested;
  view.run_at = {record.run_at_is_wall, record.run_at_ms};
  view.lease_ms = record.lease_ms;
  view.timeout_ms = record.timeout_ms;
  view.soft_timeout_ms = record.soft_timeout_ms;
  if (record.expires_at.ms != 0) view.expires_at_engine_ms = record.expires_at.ms;
  if (record.keep_ms >= 0) view.keep_ms = record.keep_ms;
  view.pushed_wall_ms = record.pushed.ms;
  if (core::is_finished(job.state)) view.finished_engine_ms = record.finished_at.ms;
  view.dead_reason = reason_of(record.dead_reason);
  if (record.extras) add_extras(*record.extras, view);
  if (job.state == core::JobState::kRunning) view.lease = lease_of(record);
  view.history = history_of(record);
  return view;
}

model::QueueSettings view_of(const core::QueueSettings& settings) {
  model::QueueSettings view;
  view.length_max = settings.of(core::QueueNumber::kMaxlen);
  view.attempts = settings.of(core::QueueNumber::kAttempts);
  if (settings.backoff) view.backoff = core::backoff_text(*settings.backoff);
  view.lease_ms = settings.of(core::QueueNumber::kLeaseMs);
  view.timeout_ms = settings.of(core::QueueNumber::kTimeoutMs);
  view.keep_ms = settings.of(core::QueueNumber::kKeepMs);
  view.crashes = settings.of(core::QueueNumber::kCrashes);
  view.alert_ms = settings.of(core::QueueNumber::kAlertMs);
  view.age_ms = settings.of(core::QueueNumber::kAgeMs);
  return view;
}

std::vector<model::TypePauseView> pauses_of(const core::State& state) {
  std::vector<model::TypePauseView> pauses;
  for (const auto& type : state.types()) {
    if (type->paused) pauses.push_back({type->name, "", type->pause_reason});
    for (const core::TypeName::Pause& pause : type->paused_in) {
      pauses.push_back({type->name, pause.queue->name, pause.reason});
    }
  }
  return pauses;
}

std::vector<model::WorkerView> workers_of(const core::Workers& workers) {
  std::vector<model::WorkerView> views;
  for (const core::Workers::Worker& worker : workers.all()) {
    views.push_back({worker.name, std::string(core::worker_order_name(worker.order)),
                     worker.heard.wall.ms, static_cast<int64_t>(workers.leases_of(worker.name))});
  }
  std::ranges::sort(views, {}, &model::WorkerView::name);
  return views;
}

model::QueueView view_of(const core::Queue& queue, base::Now now, const RecordOf& record_of) {
  const auto jobs = [&](core::JobState state) {
    return static_cast<int64_t>(queue.jobs[static_cast<size_t>(state)]);
  };
  const auto count = [](uint64_t counter) { return static_cast<int64_t>(counter); };
  model::QueueView view;
  view.name = queue.name;
  view.paused = queue.paused;
  view.pause_reason = queue.pause_reason;
  view.ready = jobs(core::JobState::kReady);
  view.scheduled = jobs(core::JobState::kScheduled);
  view.running = jobs(core::JobState::kRunning);
  view.succeeded_kept = jobs(core::JobState::kSucceeded);
  view.dead = jobs(core::JobState::kDead);
  view.cancelled_kept = jobs(core::JobState::kCancelled);
  view.expired_kept = jobs(core::JobState::kExpired);
  view.pushed = count(queue.counters.pushed);
  view.started = count(queue.counters.started);
  view.succeeded = count(queue.counters.succeeded);
  view.failed = count(queue.counters.failed);
  view.lost = count(queue.counters.lost);
  view.released = count(queue.counters.released);
  view.died = count(queue.counters.dead);
  view.cancelled = count(queue.counters.cancelled);
  view.expired = count(queue.counters.expired);
  view.retried = count(queue.counters.retried);
  const core::Job* oldest = queue.ready.oldest();
  view.oldest_ms = oldest != nullptr ? (now.engine - record_of(*oldest).ready_at).count() : 0;
  view.ready_ids.emplace();
  for (const core::Job* job : queue.ready.in_order()) {
    view.ready_ids->push_back(core::job_id_text(job->id));
  }
  view.settings = view_of(queue.settings);
  return view;
}

}  // namespace

model::State state_of(core::JobState state) {
  switch (state) {
    case core::JobState::kWaiting:
      break;
    case core::JobState::kScheduled:
      return model::State::kScheduled;
    case core::JobState::kReady:
      return model::State::kReady;
    case core::JobState::kRunning:
      return model::State::kRunning;
    case core::JobState::kSucceeded:
      return model::State::kSucceeded;
    case core::JobState::kDead:
      return model::State::kDead;
    case core::JobState::kCancelled:
      return model::State::kCancelled;
    case core::JobState::kExpired:
      return model::State::kExpired;
  }
  ASSERT(false, "no job waits for parents yet");
  return {};
}

model::DeadReason reason_of(core::DeadReason reason) {
  switch (reason) {
    case core::DeadReason::kNone:
      return model::DeadReason::kNone;
    case core::DeadReason::kAttempts:
      return model::DeadReason::kAttempts;
    case core::DeadReason::kNotRetryable:
      return model::DeadReason::kNoRetry;
    case core::DeadReason::kCrashes:
      return model::DeadReason::kCrashes;
  }
  return {};
}

model::Outcome outcome_named(std::string_view name) {
  if (name == "succeeded") return model::Outcome::kSucceeded;
  if (name == "lost") return model::Outcome::kLost;
  if (name == "cancelled") return model::Outcome::kCancelled;
  ASSERT(name == "failed" || name == "timeout", "{} is no outcome", name);
  return model::Outcome::kFailed;
}

model::Snapshot snapshot_of(const core::State& state, base::Now now, const RecordOf& record_of) {
  model::Snapshot snapshot;
  snapshot.jobs.reserve(state.jobs().size());
  for_each_job(
      state, [&](const core::Job& job) { snapshot.jobs.push_back(view_of(job, record_of(job))); });
  for (const auto& queue : state.queues()) {
    if (queue->is_known()) snapshot.queues.push_back(view_of(*queue, now, record_of));
  }
  for_each_key(state, [&](std::string_view name, const core::Keys::Entry& entry) {
    if (entry.expiry.is_over(now)) return;
    model::KeyView& view = snapshot.keys.emplace_back();
    view.name = name;
    view.value = entry.value;
    if (entry.hash) view.fields.emplace(entry.hash->fields.begin(), entry.hash->fields.end());
    view.end_is_wall = entry.expiry.clock == core::KeyExpiry::Clock::kWall;
    if (entry.expiry.is_set()) view.end_ms = entry.expiry.ms;
  });
  snapshot.type_pauses = pauses_of(state);
  snapshot.workers = workers_of(state.workers());
  return snapshot;
}

namespace {

uint64_t field_bytes_of(const core::Keys::Hash& hash) {
  uint64_t bytes = 0;
  for (const auto& [field, value] : hash.fields) {
    bytes += field.size() + value.size() + core::limits::kHashFieldOverheadBytes;
  }
  return bytes;
}

std::string settings_text(const core::QueueSettings& settings) {
  std::string text;
  for (const std::optional<int64_t>& number : settings.numbers) {
    text += number ? fmt::format(" {}", *number) : " -";
  }
  return text + (settings.backoff ? " " + core::backoff_text(*settings.backoff) : "");
}

std::string pauses_text(const core::TypeName& type) {
  std::string text = type.paused ? fmt::format("all '{}'", type.pause_reason) : "";
  std::set<std::string> in;
  for (const core::TypeName::Pause& pause : type.paused_in) {
    in.insert(fmt::format(" {} '{}'", pause.queue->name, pause.reason));
  }
  for (const std::string& pause : in) text += pause;
  return text;
}

}  // namespace

std::string find_disorder(const core::State& state, const RecordOf& record_of) {
  uint64_t bytes = 0;
  uint64_t unflushed = 0;
  size_t count = 0;
  std::string wrong;
  for_each_job(state, [&](const core::Job& job) {
    ++count;
    const core::JobRecord& record = record_of(job);
    const std::string name = "job " + core::job_id_text(job.id);
    if (job.record) {
      bytes += record.bytes;
      if (record.bytes != core::job_bytes(job)) wrong = name + " counts other bytes than it has";
      if (job.counted) unflushed += record.bytes;
    } else if (job.state == core::JobState::kRunning || job.written != core::Written::kClean) {
      wrong = name + " has left memory too early";
    }
    if (job.written == core::Written::kClean && !job.in_tables) wrong = name + " is nowhere";
    if (job.is_suspect != record.suspect()) wrong = name + " does not know whether it is suspect";
    if (job.is_keyed != record.has_key()) wrong = name + " does not know whether it has a key";
    if (state.find(job.id) != &job) wrong = name + " is not found by its id";
    if (record.has_key() && state.find_key(record.extras->key) != &job) {
      wrong = name + " has a lost key";
    }
    const bool wall = job.state == core::JobState::kScheduled && record.run_at_is_wall;
    if (wall != (job.wall_timer_place != 0)) wrong = name + " has a wrong calendar timer";
    const bool timed = job.state == core::JobState::kRunning ||
                       (job.state == core::JobState::kScheduled && !record.run_at_is_wall);
    if (timed && job.timer_place == 0) wrong = name + " has no timer";
  });
  if (count != state.jobs().size()) wrong = "the table counts other jobs than it has";
  uint64_t key_bytes = 0;
  for_each_key(state, [&](std::string_view name, const core::Keys::Entry& entry) {
    key_bytes += name.size() + entry.value.size() + core::limits::kKeyOverheadBytes;
    if (entry.hash) key_bytes += field_bytes_of(*entry.hash);
    if (entry.hash && entry.hash->fields.empty()) wrong = fmt::format("the hash {} is empty", name);
    if (!state.keys().holds(name)) wrong = fmt::format("the key {} is not found", name);
  });
  if (key_bytes != state.keys().bytes()) wrong = "the sum of the keys' bytes is wrong";
  if (bytes != state.residency().record_bytes()) wrong = "the sum of the jobs' bytes is wrong";
  if (unflushed != state.residency().unflushed_bytes()) wrong = "the unflushed bytes are wrong";
  return wrong;
}

std::map<std::string, std::string> durable_parts(const core::State& state, base::Now now,
                                                 const RecordOf& record_of) {
  std::map<std::string, std::string> parts;
  for_each_job(state, [&](const core::Job& job) {
    core::Job copy;
    copy.id = job.id;
    copy.state = job.state;
    copy.priority = job.priority;
    copy.set_ready_seq(job.ready_seq);
    copy.record = core::clone_record(record_of(job));
    copy.record->lease.deadline = {};
    copy.record->lease.timeout_end = {};
    std::string& part = parts["job " + core::job_id_text(job.id)];
    store::ByteWriter out(part);
    out.text(job.queue->name);
    out.text(job.type->name);
    store::encode_job(out, copy);
  });
  const core::RequestTokens& requests = state.requests();
  requests.for_each_in(0, requests.bucket_count(), [&](const core::PushSeen& seen) {
    if (seen.until <= now.engine) return;
    parts["request " + std::string(seen.request)] =
        fmt::format("{} {} {}", seen.id.value, seen.created, seen.until);
  });
  const core::Producers& producers = state.producers();
  producers.for_each_in(0, producers.bucket_count(), [&](const core::ProducerPut& put) {
    std::string& part = parts["producer " + std::string(put.name)];
    part = fmt::format("used {}", put.used);
    for (const core::SeenPush& push : put.window) {
      part += fmt::format(" {} {} {}", push.seq, push.id.value, push.created);
    }
  });
  for (const auto& [number, operation] : state.operations().all()) {
    core::Operation copy = operation;
    copy.next = {};  // How far it looked without finding anything is not stored.
    store::ByteWriter out(parts[core::operation_text(number)]);
    store::encode_operation(out, copy);
  }
  for (const auto& queue : state.queues()) {
    if (!queue->is_known()) continue;
    const core::QueueCounters& c = queue->counters;
    parts["queue " + queue->name] = fmt::format(
        "{} '{}' {} {} {} {} {} {} {} {} {} {} {} {} {}", queue->paused, queue->pause_reason,
        c.pushed, c.started, c.succeeded, c.failed, c.retrying, c.retried, c.released, c.lost,
        c.dead, c.cancelled, c.expired, c.deleted, c.retired);
    parts["settings " + queue->name] = settings_text(queue->settings);
  }
  for (const auto& type : state.types()) {
    if (const std::string pauses = pauses_text(*type); !pauses.empty()) {
      parts["pauses " + type->name] = pauses;
    }
  }
  for_each_key(state, [&](std::string_view name, const core::Keys::Entry& entry) {
    std::string& part = parts["key " + std::string(name)];
    part = fmt::format("{} {} '{}'", static_cast<int>(entry.expiry.clock), entry.expiry.ms,
                       entry.value);
    if (!entry.hash) return;
    for (const auto& [field, value] : entry.hash->fields) {
      part += fmt::format(" '{}' '{}'", field, value);
    }
  });
  parts["next"] = fmt::format("{} {}", state.id_next().value, state.ready_seq_next());
  return parts;
}

}  // namespace sim
