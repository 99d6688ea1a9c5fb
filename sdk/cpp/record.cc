#include "sdk/cpp/record.h"

namespace dray {

const Value* Value::find(std::string_view field) const {
  // RESP 2 has no maps: there a record is an array of fields and values.
  if (kind != Kind::kMap && kind != Kind::kArray) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].text == field) return &items[i + 1];
  }
  return nullptr;
}

std::string Value::text_of(std::string_view field) const {
  const Value* value = find(field);
  return value != nullptr ? value->text : std::string{};
}

int64_t Value::integer_of(std::string_view field, int64_t otherwise) const {
  const Value* value = find(field);
  return value != nullptr && value->kind == Kind::kInteger ? value->integer : otherwise;
}

bool JobRecord::finished_state() const {
  return state == "succeeded" || state == "dead" || state == "cancelled" || state == "expired" ||
         state == "gone";
}

namespace detail {
namespace {

using protocol::ValueKind;

Value::Kind kind_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kNil:
      return Value::Kind::kNil;
    case ValueKind::kError:
      return Value::Kind::kError;
    case ValueKind::kInteger:
    case ValueKind::kBoolean:
      return Value::Kind::kInteger;
    case ValueKind::kDouble:
      return Value::Kind::kDouble;
    case ValueKind::kArray:
    case ValueKind::kSet:
    case ValueKind::kPush:
      return Value::Kind::kArray;
    case ValueKind::kMap:
      return Value::Kind::kMap;
    case ValueKind::kSimple:
    case ValueKind::kBigNumber:
    case ValueKind::kBulk:
    case ValueKind::kVerbatim:
      return Value::Kind::kText;
  }
  return Value::Kind::kNil;
}

std::optional<std::string> optional_text(const Value& raw, std::string_view field) {
  const Value* value = raw.find(field);
  if (value == nullptr || value->kind == Value::Kind::kNil) return std::nullopt;
  return value->text;
}

std::optional<WallTime> optional_time(const Value& raw, std::string_view field) {
  const Value* value = raw.find(field);
  if (value == nullptr || value->kind != Value::Kind::kInteger) return std::nullopt;
  return wall_time(value->integer);
}

AttemptRecord attempt_of(const Value& raw) {
  AttemptRecord attempt;
  attempt.attempt = static_cast<int>(raw.integer_of("attempt"));
  attempt.generation = static_cast<int>(raw.integer_of("generation"));
  attempt.fence = raw.integer_of("fence");
  attempt.worker = raw.text_of("worker");
  attempt.outcome = raw.text_of("outcome");
  attempt.error_class = raw.text_of("class");
  attempt.message = raw.text_of("message");
  attempt.trace = raw.text_of("trace");
  attempt.started = wall_time(raw.integer_of("started_ms"));
  attempt.ended = wall_time(raw.integer_of("ended_ms"));
  return attempt;
}

}  // namespace

WallTime wall_time(int64_t unix_ms) {
  return WallTime(milliseconds(unix_ms));
}

// Recursion is bounded by the parser's limit of depth.
// NOLINTNEXTLINE(misc-no-recursion)
Value value_of(protocol::RespValue&& reply) {
  Value value;
  value.kind = kind_of(reply.kind);
  value.integer = reply.integer;
  value.number = reply.number;
  value.text = std::move(reply.text);
  value.items.reserve(reply.items.size());
  for (protocol::RespValue& item : reply.items) value.items.push_back(value_of(std::move(item)));
  return value;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const Value* map) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (map == nullptr) return pairs;
  for (size_t i = 0; i + 1 < map->items.size(); i += 2) {
    pairs.emplace_back(map->items[i].text, map->items[i + 1].text);
  }
  return pairs;
}

JobRecord job_record_of(Value raw) {
  JobRecord job;
  job.id = raw.text_of("id");
  job.key = raw.text_of("key");
  job.state = raw.text_of("state");
  job.queue = raw.text_of("queue");
  job.type = raw.text_of("type");
  job.args = raw.text_of("args");
  job.priority = static_cast<int>(raw.integer_of("priority"));
  job.attempt = static_cast<int>(raw.integer_of("attempt"));
  job.max_attempts = static_cast<int>(raw.integer_of("max_attempts"));
  job.generation = static_cast<int>(raw.integer_of("generation"));
  job.fence = raw.integer_of("fence");
  job.crashes = static_cast<int>(raw.integer_of("crashes"));
  job.max_crashes = static_cast<int>(raw.integer_of("max_crashes"));
  job.suspect = raw.integer_of("suspect") != 0;
  job.cancel_requested = raw.integer_of("cancel_requested") != 0;
  job.reason = raw.text_of("reason");
  job.worker = raw.text_of("worker");
  job.pushed = wall_time(raw.integer_of("pushed_ms"));
  job.run_at = optional_time(raw, "run_at_ms");
  job.finished = optional_time(raw, "finished_ms");
  job.progress = optional_text(raw, "progress");
  job.result = optional_text(raw, "result");
  job.meta = pairs_of(raw.find("meta"));
  if (const Value* history = raw.find("history")) {
    for (const Value& attempt : history->items) job.history.push_back(attempt_of(attempt));
  }
  job.raw = std::move(raw);
  return job;
}

QueueStats queue_stats_of(std::string_view queue, Value raw) {
  QueueStats stats;
  stats.queue = queue;
  stats.ready = raw.integer_of("ready");
  stats.scheduled = raw.integer_of("scheduled");
  stats.running = raw.integer_of("running");
  stats.waiting = raw.integer_of("waiting");
  stats.dead = raw.integer_of("dead");
  stats.oldest = milliseconds(raw.integer_of("oldest_ms"));
  stats.pushed = raw.integer_of("pushed");
  stats.started = raw.integer_of("started");
  stats.succeeded = raw.integer_of("succeeded");
  stats.failed = raw.integer_of("failed");
  stats.paused = raw.integer_of("paused") != 0;
  stats.raw = std::move(raw);
  return stats;
}

}  // namespace detail
}  // namespace dray
