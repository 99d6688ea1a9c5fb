#include "sim/record.h"

#include "base/base32.h"
#include "sim/snapshot.h"

namespace sim {

using protocol::RespValue;

std::map<std::string, std::string> pairs_of(const RespValue& value) {
  std::map<std::string, std::string> pairs;
  for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
    const bool fresh = pairs.emplace(value.items[i].text, value.items[i + 1].text).second;
    ASSERT(fresh, "{} is there twice", value.items[i].text);
  }
  return pairs;
}

model::State state_named(std::string_view name) {
  for (size_t i = 0; i < core::kJobStateCount; ++i) {
    const auto state = static_cast<core::JobState>(i);
    if (core::job_state_name(state) == name) return state_of(state);
  }
  ASSERT(false, "{} is no state", name);
  return {};
}

int64_t engine_ms(int64_t unix_ms, base::Now now) {
  return unix_ms - (now.wall.ms - now.engine.ms);
}

namespace {

// Of the record of an attempt, or of a job's for the one that runs. Without lines it is left out.
model::LogView log_of(const Record& record) {
  model::LogView log;
  const RespValue* lines = record.find("log");
  if (lines == nullptr) return log;
  log.dropped = record.number("log_dropped");
  for (const RespValue& item : lines->items) {
    const Record line(item);
    log.lines.push_back({line.number("at_ms"), line.text("level"), line.text("text")});
  }
  return log;
}

model::AttemptView attempt_of(const RespValue& value) {
  const Record record(value);
  model::AttemptView attempt;
  attempt.attempt = record.number("attempt");
  attempt.generation = record.number("generation");
  attempt.fence = record.number("fence");
  attempt.worker = record.text("worker");
  attempt.outcome = outcome_named(record.text("outcome"));
  attempt.error_class = record.text_if_any("class").value_or("");
  attempt.message = record.text_if_any("message").value_or("");
  attempt.trace = record.text_if_any("trace").value_or("");
  attempt.log = log_of(record);
  return attempt;
}

// Of a queue, what QUEUE.STATS tells of its settings.
model::QueueSettings settings_of(const Record& record) {
  model::QueueSettings settings;
  settings.length_max = record.number_if_any("maxlen");
  settings.attempts = record.number_if_any("attempts");
  settings.backoff = record.text_if_any("backoff");
  settings.lease_ms = record.number_if_any("lease_ms");
  settings.timeout_ms = record.number_if_any("timeout_ms");
  settings.keep_ms = record.number_if_any("keep_ms");
  settings.crashes = record.number_if_any("crashes");
  settings.alert_ms = record.number_if_any("alert_ms");
  settings.age_ms = record.number_if_any("age_ms");
  return settings;
}

model::DeadReason dead_reason_of(const std::optional<std::string>& text) {
  if (!text) return model::DeadReason::kNone;
  for (const auto reason :
       {core::DeadReason::kAttempts, core::DeadReason::kNotRetryable, core::DeadReason::kCrashes}) {
    if (core::dead_reason_text(reason) == *text) return reason_of(reason);
  }
  ASSERT(false, "{} is no reason", *text);
  return {};
}

std::map<std::string, std::string> paused_types_of(const Record& record) {
  std::map<std::string, std::string> paused;
  const RespValue* types = record.find("paused_types");
  if (types == nullptr) return paused;
  for (const RespValue& item : types->items) {
    const Record pause(item);
    const bool fresh =
        paused.emplace(pause.text("type") + " in " + pause.text("in"), pause.text("reason")).second;
    ASSERT(fresh, "a pause is told twice");
  }
  return paused;
}

// What JOB.GET shows by the calendar, or not at all, as the model wants it.
void add_times(const Record& record, const core::State& state, base::Now now,
               model::JobView& view) {
  const core::Job* job = state.find(core::JobId{base::base32_decode_u64(view.id).value_or(0)});
  ASSERT(job != nullptr, "{} is shown but not there", view.id);
  if (const auto run_at = record.number_if_any("run_at_ms")) {
    view.run_at.is_wall = job->record->run_at_is_wall;
    view.run_at.ms = job->record->run_at_is_wall ? *run_at : engine_ms(*run_at, now);
  }
  if (const auto expires = record.number_if_any("expires_ms")) {
    view.expires_at_engine_ms = engine_ms(*expires, now);
  }
  if (const auto finished = record.number_if_any("finished_ms")) {
    ASSERT(*finished == job->record->finished_wall.ms, "{} is shown with another end", view.id);
    view.finished_engine_ms = job->record->finished_at.ms;
  }
  if (!record.find("lease_until_ms")) return;
  view.lease.emplace();
  view.lease->worker = record.text("worker");
  view.lease->log = log_of(record);
  view.lease->deadline_engine_ms = engine_ms(record.number("lease_until_ms"), now);
  if (job->record->lease.timeout_end != base::EngineTime::never()) {
    view.lease->timeout_at_engine_ms = job->record->lease.timeout_end.ms;
  }
  view.cancel_requested = record.number("cancel_requested") == 1;
}

}  // namespace

model::GrantView grant_of(const RespValue& value) {
  const Record record(value);
  model::GrantView grant;
  grant.id = record.text("id");
  grant.token = record.text("token");
  grant.fence = record.number("fence");
  grant.queue = record.text("queue");
  grant.type = record.text("type");
  grant.args = record.text("args");
  grant.attempt = record.number("attempt");
  grant.max_attempts = record.number("max_attempts");
  grant.priority = record.number("priority");
  grant.lease_ms = record.number("lease_ms");
  grant.timeout_ms = record.number("timeout_ms");
  grant.soft_timeout_ms = record.number("soft_timeout_ms");
  grant.pushed_wall_ms = record.number("pushed_ms");
  grant.meta = record.meta();
  grant.key = record.text_if_any("key");
  grant.progress = record.text_if_any("progress");
  return grant;
}

model::WorkerView worker_of(const RespValue& value) {
  const Record record(value);
  return {record.text("worker"), record.text("state"), record.number("last_seen_ms"),
          record.number("leases")};
}

model::ListedJob listed_of(const RespValue& value) {
  const Record job(value);
  return {job.text("id"),   state_named(job.text("state")), job.text("queue"),
          job.text("type"), job.number("priority"),         job.number("attempt")};
}

model::JobView job_of(const Record& record, const core::State& state, base::Now now) {
  model::JobView view;
  view.id = record.text("id");
  view.generation = record.number("generation");
  view.state = state_named(record.text("state"));
  view.queue = record.text("queue");
  view.type = record.text("type");
  view.args = record.text("args");
  view.priority = record.number("priority");
  view.attempt = record.number("attempt");
  view.max_attempts = record.number("max_attempts");
  view.fence = record.number("fence");
  view.crashes = record.number("crashes");
  view.max_crashes = record.number("max_crashes");
  view.suspect = record.number("suspect") == 1;
  view.lease_ms = record.number("lease_ms");
  view.timeout_ms = record.number("timeout_ms");
  view.soft_timeout_ms = record.number("soft_timeout_ms");
  view.keep_ms = record.number_if_any("keep_ms");
  view.key = record.text_if_any("key");
  view.meta = record.meta();
  view.progress = record.text_if_any("progress");
  view.result = record.text_if_any("result");
  view.pushed_wall_ms = record.number("pushed_ms");
  view.dead_reason = dead_reason_of(record.text_if_any("reason"));
  for (const RespValue& item : record.at("history").items) {
    view.history.push_back(attempt_of(item));
  }
  add_times(record, state, now, view);
  return view;
}

model::QueueView queue_of(const RespValue& value, const std::string& name) {
  const Record record(value);
  model::QueueView view;
  view.name = name;
  view.paused = record.number("paused") == 1;
  view.pause_reason = record.text_if_any("pause_reason").value_or("");
  view.ready = record.number("ready");
  view.scheduled = record.number("scheduled");
  view.running = record.number("running");
  view.succeeded_kept = record.number("succeeded_kept");
  view.dead = record.number("dead");
  view.cancelled_kept = record.number("cancelled_kept");
  view.expired_kept = record.number("expired_kept");
  view.pushed = record.number("pushed");
  view.started = record.number("started");
  view.succeeded = record.number("succeeded");
  view.failed = record.number("failed");
  view.lost = record.number("lost");
  view.released = record.number("released");
  view.died = record.number("died");
  view.cancelled = record.number("cancelled");
  view.expired = record.number("expired");
  view.retried = record.number("retried");
  view.oldest_ms = record.number("oldest_ms");
  view.settings = settings_of(record);
  view.paused_types = paused_types_of(record);
  const bool late = view.settings->alert_ms && *view.oldest_ms > *view.settings->alert_ms;
  ASSERT(record.number_if_any("alert").value_or(0) == (late ? 1 : 0), "the alert is wrong");
  return view;
}

}  // namespace sim
