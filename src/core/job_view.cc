// A job as JOB.GET and JOB.WAIT show it.
#include <algorithm>

#include "core/context.h"

namespace core {
namespace {

// Writes a map of which optional fields are left out.
class MapWriter {
 public:
  explicit MapWriter(Reply& reply) : reply_(reply), mark_(reply.map_begin()) {}
  ~MapWriter() { reply_.close(mark_, pairs_); }
  MapWriter(const MapWriter&) = delete;
  MapWriter& operator=(const MapWriter&) = delete;

  void text(std::string_view field, std::string_view value) {
    key(field);
    reply_.bulk(value);
  }
  void text_if_any(std::string_view field, std::string_view value) {
    if (!value.empty()) text(field, value);
  }
  void number(std::string_view field, int64_t value) {
    key(field);
    reply_.integer(value);
  }
  void key(std::string_view field) {
    reply_.bulk(field);
    ++pairs_;
  }

 private:
  Reply& reply_;
  size_t mark_;
  uint32_t pairs_ = 0;
};

bool is_shown(const Attempt& attempt) {
  return attempt.outcome != Outcome::kNone && attempt.outcome != Outcome::kReleased;
}

// What the attempt logged, if it did.
void write_log(Reply& reply, MapWriter& map, const JobRecord& record, const Attempt& attempt) {
  if (!record.extras) return;
  const AttemptLog* log = find_log(record.extras->logs, attempt.token.fence);
  if (log == nullptr) return;
  map.key("log");
  reply.array(static_cast<uint32_t>(log->lines.size()));
  for (const LogLine& line : log->lines) {
    MapWriter entry(reply);
    entry.number("at_ms", line.at.ms);
    entry.text("level", log_level_name(line.level));
    entry.text("text", line.text);
  }
  map.number("log_dropped", static_cast<int64_t>(log->dropped));
}

void write_attempt(Reply& reply, const JobRecord& record, const Attempt& attempt) {
  MapWriter map(reply);
  map.number("attempt", attempt.number);
  map.number("generation", attempt.generation);
  map.number("fence", attempt.token.fence);
  map.text("worker", attempt.worker);
  map.text("outcome", outcome_name(attempt.outcome));
  map.number("started_ms", attempt.started.ms);
  map.number("ended_ms", attempt.ended.ms);
  map.text_if_any("class", attempt.error_class);
  map.text_if_any("message", attempt.message);
  map.text_if_any("trace", attempt.trace);
  write_log(reply, map, record, attempt);
}

void write_history(Reply& reply, const JobRecord& record) {
  std::vector<const Attempt*> shown;
  if (record.extras) {
    for (const Attempt& attempt : record.extras->history) {
      if (is_shown(attempt)) shown.push_back(&attempt);
    }
  }
  if (is_shown(record.attempt_last)) shown.push_back(&record.attempt_last);
  const size_t skip = shown.size() - std::min(shown.size(), limits::kHistoryMax);
  reply.array(static_cast<uint32_t>(shown.size() - skip));
  for (size_t i = skip; i < shown.size(); ++i) write_attempt(reply, record, *shown[i]);
}

void write_times(MapWriter& map, const Job& job, base::Now now) {
  const JobRecord& record = *job.record;
  map.number("pushed_ms", record.pushed.ms);
  if (job.state == JobState::kScheduled) {
    map.number("run_at_ms", record.run_at_is_wall
                                ? record.run_at_ms
                                : unix_ms(base::EngineTime{record.run_at_ms}, now));
  }
  if (record.expires_at.ms != 0 && !is_finished(job.state)) {
    map.number("expires_ms", unix_ms(record.expires_at, now));
  }
  map.number("lease_ms", record.lease_ms);
  map.number("timeout_ms", record.timeout_ms);
  map.number("soft_timeout_ms", record.soft_timeout_ms);
  if (record.keep_ms >= 0) map.number("keep_ms", record.keep_ms);
  if (job.state == JobState::kRunning) {
    map.text("worker", record.attempt_last.worker);
    map.number("started_ms", record.attempt_last.started.ms);
    map.number("lease_until_ms", unix_ms(record.lease.deadline, now));
    map.number("cancel_requested", record.cancel_requested ? 1 : 0);
  }
  if (is_finished(job.state)) map.number("finished_ms", record.finished_wall.ms);
}

// What a list shows as well.
void write_head(MapWriter& map, const Job& job, size_t args_most) {
  const JobRecord& record = *job.record;
  map.text("id", job_id_text(job.id));
  if (record.extras) map.text_if_any("key", record.extras->key);
  map.text("state", job_state_name(job.state));
  map.text("queue", job.queue->name);
  map.text("type", job.type->name);
  map.text("args", std::string_view(record.args).substr(0, args_most));
  if (record.args.size() > args_most) map.number("args_bytes", std::ssize(record.args));
  map.number("priority", job.priority);
  map.number("attempt", record.attempt);
  map.number("max_attempts", record.attempts_max);
}

void write_meta(MapWriter& map, Reply& reply, const JobRecord& record) {
  map.key("meta");
  reply.map(record.extras ? static_cast<uint32_t>(record.extras->meta.size()) : 0);
  if (!record.extras) return;
  for (const auto& [field, value] : record.extras->meta) {
    reply.bulk(field);
    reply.bulk(value);
  }
}

}  // namespace

void write_job_summary(Reply& reply, const Job& job, base::Now now) {
  const JobRecord& record = *job.record;
  MapWriter map(reply);
  write_head(map, job, limits::kListArgsBytes);
  write_times(map, job, now);
  map.text_if_any("reason", dead_reason_text(record.dead_reason));
  if (const Attempt* failure = last_failure(record)) {
    map.text("class", failure->error_class);
    map.text("message", std::string_view(failure->message).substr(0, limits::kListArgsBytes));
  }
  write_meta(map, reply, record);
}

void write_job(Reply& reply, const Job& job, base::Now now) {
  const JobRecord& record = *job.record;
  MapWriter map(reply);
  write_head(map, job, record.args.size());
  map.number("generation", record.generation);
  map.number("fence", record.fence);
  map.number("crashes", record.crashes);
  map.number("max_crashes", record.crashes_max);
  map.number("suspect", job.is_suspect ? 1 : 0);
  write_times(map, job, now);
  map.text_if_any("reason", dead_reason_text(record.dead_reason));
  if (record.extras) {
    const JobExtras& extras = *record.extras;
    if (extras.has_backoff) map.text("backoff", backoff_text(extras.backoff));
    if (extras.has_progress) map.text("progress", extras.progress);
    if (extras.has_result) map.text("result", extras.result);
  }
  write_meta(map, reply, record);
  // The attempt that runs is in no history yet.
  if (job.state == JobState::kRunning) write_log(reply, map, record, record.attempt_last);
  map.key("history");
  write_history(reply, record);
}

}  // namespace core
