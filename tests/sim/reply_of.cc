#include "sim/reply_of.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/base32.h"
#include "core/reply.h"
#include "sim/snapshot.h"

namespace sim {
namespace {

using model::Reply;
using protocol::RespValue;
using protocol::ValueKind;
using Kind = model::Reply::Kind;

// --- From the tape.

RespValue read_value(core::ReplyReader& reader) {
  RespValue value;
  switch (reader.tag()) {
    case core::ReplyTag::kOk:
      value.kind = ValueKind::kSimple;
      value.text = "OK";
      break;
    case core::ReplyTag::kNil:
      break;
    case core::ReplyTag::kInteger:
      value.kind = ValueKind::kInteger;
      value.integer = reader.integer();
      break;
    case core::ReplyTag::kBulk:
      value.kind = ValueKind::kBulk;
      value.text = reader.bytes();
      break;
    case core::ReplyTag::kSimple:
      value.kind = ValueKind::kSimple;
      value.text = reader.bytes();
      break;
    case core::ReplyTag::kError:
      value.kind = ValueKind::kError;
      value.text = std::string(base::error_word(reader.code())) + " ";
      value.text += reader.bytes();
      break;
    case core::ReplyTag::kArray:
      value.kind = ValueKind::kArray;
      for (uint32_t left = reader.count(); left > 0; --left) {
        value.items.push_back(read_value(reader));
      }
      break;
    case core::ReplyTag::kMap:
      value.kind = ValueKind::kMap;
      for (uint32_t left = 2 * reader.count(); left > 0; --left) {
        value.items.push_back(read_value(reader));
      }
      break;
  }
  return value;
}

// --- Fields of records.

// A map of texts.
std::map<std::string, std::string> pairs_of(const RespValue& value) {
  std::map<std::string, std::string> pairs;
  for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
    const bool fresh = pairs.emplace(value.items[i].text, value.items[i + 1].text).second;
    ASSERT(fresh, "{} is there twice", value.items[i].text);
  }
  return pairs;
}

// Reads a record and, at its end, has seen every field that was there.
class Record {
 public:
  explicit Record(const RespValue& value) : value_(value) {
    ASSERT(value.kind == ValueKind::kMap || value.kind == ValueKind::kArray, "it is no record");
    ASSERT(value.items.size() % 2 == 0, "a field has no value");
  }

  const RespValue* find(std::string_view field) const { return value_.find(field); }
  const RespValue& at(std::string_view field) const {
    const RespValue* value = find(field);
    ASSERT(value != nullptr, "the field {} is absent", field);
    return *value;
  }
  int64_t number(std::string_view field) const {
    const RespValue& value = at(field);
    ASSERT(value.kind == ValueKind::kInteger, "{} is no number", field);
    return value.integer;
  }
  std::optional<int64_t> number_if_any(std::string_view field) const {
    return find(field) ? std::optional(number(field)) : std::nullopt;
  }
  const std::string& text(std::string_view field) const {
    const RespValue& value = at(field);
    ASSERT(value.kind == ValueKind::kBulk, "{} is no text", field);
    return value.text;
  }
  std::optional<std::string> text_if_any(std::string_view field) const {
    return find(field) ? std::optional(text(field)) : std::nullopt;
  }
  std::vector<std::string> texts(std::string_view field) const {
    std::vector<std::string> texts;
    for (const RespValue& item : at(field).items) texts.push_back(item.text);
    return texts;
  }
  std::map<std::string, std::string> meta() const { return pairs_of(at("meta")); }

 private:
  const RespValue& value_;
};

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

model::WorkerView worker_of(const RespValue& value) {
  const Record record(value);
  return {record.text("worker"), record.text("state"), record.number("last_seen_ms"),
          record.number("leases")};
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

Reply job_reply(const RespValue& value, const core::State& state, base::Now now) {
  Reply reply;
  const Record record(value);
  if (record.text("state") == "gone") {
    reply.kind = Kind::kGone;
    return reply;
  }
  reply.kind = Kind::kJob;
  model::JobView& view = reply.job.emplace_back();
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
  return reply;
}

Reply stats_reply(const RespValue& value, const std::string& queue) {
  const Record record(value);
  Reply reply;
  reply.kind = Kind::kStats;
  model::QueueView& view = reply.queue.emplace_back();
  view.name = queue;
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
  const bool late = view.settings->alert_ms && *view.oldest_ms > *view.settings->alert_ms;
  ASSERT(record.number_if_any("alert").value_or(0) == (late ? 1 : 0), "the alert is wrong");
  return reply;
}

// --- Replies by verb.

struct ToReply {
  const RespValue& value;
  const core::State& state;
  base::Now now;

  Reply ok() const {
    ASSERT(value.kind == ValueKind::kSimple && value.text == "OK", "'{}' is not OK", value.text);
    Reply reply;
    reply.kind = Kind::kOk;
    return reply;
  }
  template <typename Each>
  Reply array(const Each& each) const {
    ASSERT(value.kind == ValueKind::kArray, "it is no array");
    Reply reply;
    reply.kind = Kind::kArray;
    for (size_t i = 0; i < value.items.size(); ++i) reply.items.push_back(each(i, value.items[i]));
    return reply;
  }
  Reply oks() const {
    return array([&](size_t, const RespValue& item) {
      if (item.kind == ValueKind::kError) {
        return reply_of_error(item.error_code(), item.error_message());
      }
      return ToReply{item, state, now}.ok();
    });
  }
  Reply started() const {
    const Record record(value);
    Reply reply;
    reply.kind = Kind::kStarted;
    reply.text = record.text("op");
    reply.number = record.number("matched");
    return reply;
  }
  Reply pushed(const model::Push& op) const {
    Reply reply;
    reply.kind = Kind::kPushed;
    if (op.on_duplicate == model::OnDuplicate::kReport) {
      ASSERT(value.kind == ValueKind::kArray && value.items.size() == 2);
      reply.id = value.items[0].text;
      reply.created = value.items[1].integer == 1;
    } else {
      ASSERT(value.kind == ValueKind::kBulk);
      reply.id = value.text;
    }
    return reply;
  }
  Reply lease() const {
    const Record record(value);
    Reply reply;
    reply.kind = Kind::kLease;
    reply.lease_ms = record.number("lease_ms");
    reply.cancelled = record.number("cancelled") == 1;
    return reply;
  }

  Reply integer() const {
    ASSERT(value.kind == ValueKind::kInteger);
    Reply reply;
    reply.kind = Kind::kInteger;
    reply.number = value.integer;
    return reply;
  }
  // A key's value, or nil.
  Reply text() const {
    ASSERT(value.is_nil() || value.kind == ValueKind::kBulk);
    Reply reply;
    reply.kind = value.is_nil() ? Kind::kNil : Kind::kValue;
    reply.text = value.text;
    return reply;
  }

  Reply texts(size_t count) const {
    ASSERT(value.items.size() == count);
    return array([&](size_t, const RespValue& item) { return ToReply{item, state, now}.text(); });
  }

  Reply operator()(const model::Push& op) const { return pushed(op); }
  Reply operator()(const model::MPush& op) const {
    ASSERT(value.items.size() == op.items.size());
    return array([&](size_t i, const RespValue& item) {
      return ToReply{item, state, now}.pushed(op.items[i]);
    });
  }
  Reply operator()(const model::Fetch&) const {
    ASSERT(value.kind == ValueKind::kArray);
    Reply reply;
    reply.kind = Kind::kLeases;
    for (const RespValue& item : value.items) reply.leases.push_back(grant_of(item));
    return reply;
  }
  Reply operator()(const model::Ack&) const { return ok(); }
  Reply operator()(const model::MAck&) const { return oks(); }
  Reply operator()(const model::Fail&) const {
    const Record record(value);
    Reply reply;
    reply.kind = Kind::kFailed;
    reply.state = state_named(record.text("state"));
    const auto run_at = record.number_if_any("run_at_ms");
    if (run_at) reply.run_at_engine_ms = engine_ms(*run_at, now);
    reply.attempt = record.number("attempt");
    return reply;
  }
  Reply operator()(const model::Release&) const { return ok(); }
  Reply operator()(const model::Extend&) const { return lease(); }
  Reply operator()(const model::Progress&) const { return lease(); }
  Reply operator()(const model::Log&) const { return ok(); }
  Reply operator()(const model::Get&) const {
    if (value.is_nil()) {
      Reply reply;
      reply.kind = Kind::kNil;
      return reply;
    }
    return job_reply(value, state, now);
  }
  Reply operator()(const model::Wait&) const {
    return array([&](size_t, const RespValue& item) { return job_reply(item, state, now); });
  }
  Reply operator()(const model::Cancel&) const { return oks(); }
  Reply operator()(const model::Retry&) const { return oks(); }
  Reply operator()(const model::Delete&) const { return oks(); }
  Reply operator()(const model::Edit&) const { return ok(); }
  Reply operator()(const model::Beat&) const {
    const Record record(value);
    Reply reply;
    reply.kind = Kind::kBeat;
    reply.worker_state = record.text("state");
    reply.cancel = record.texts("cancel");
    reply.lost = record.texts("lost");
    return reply;
  }
  Reply operator()(const model::Bye&) const { return ok(); }
  Reply operator()(const model::WorkerList&) const {
    Reply reply;
    reply.kind = Kind::kWorkers;
    for (const RespValue& item : value.items) reply.workers.push_back(worker_of(item));
    return reply;
  }
  Reply operator()(const model::TellWorker&) const { return ok(); }
  Reply operator()(const model::QueueStats& op) const { return stats_reply(value, op.queue); }
  Reply operator()(const model::QueueList&) const {
    Reply reply;
    reply.kind = Kind::kNames;
    for (const RespValue& item : value.items) reply.names.push_back(item.text);
    return reply;
  }
  Reply operator()(const model::QueuePause&) const { return ok(); }
  Reply operator()(const model::QueueResume&) const { return ok(); }
  Reply operator()(const model::QueueSet&) const { return ok(); }
  Reply operator()(const model::TypePause&) const { return ok(); }
  Reply operator()(const model::TypeResume&) const { return ok(); }
  Reply operator()(const model::BulkWhere&) const { return started(); }
  Reply operator()(const model::QueuePurge&) const { return started(); }
  Reply operator()(const model::QueueDelete&) const { return started(); }
  Reply operator()(const model::JobCount&) const { return integer(); }
  Reply operator()(const model::JobList&) const {
    const Record record(value);
    Reply reply;
    reply.kind = Kind::kListed;
    const RespValue* cursor = record.find("cursor");
    reply.text = cursor == nullptr ? "0" : cursor->text;
    for (const RespValue& item : record.at("jobs").items) {
      const Record job(item);
      reply.listed.push_back({job.text("id"), state_named(job.text("state")), job.text("queue"),
                              job.text("type"), job.number("priority"), job.number("attempt")});
    }
    return reply;
  }
  Reply operator()(const model::KeySet& op) const {
    return value.is_nil() || op.get ? text() : ok();
  }
  Reply operator()(const model::KeyGet&) const { return text(); }
  Reply operator()(const model::KeyMGet& op) const { return texts(op.keys.size()); }
  Reply operator()(const model::KeyDel&) const { return integer(); }
  Reply operator()(const model::KeyExists&) const { return integer(); }
  Reply operator()(const model::KeyExpire&) const { return integer(); }
  Reply operator()(const model::KeyTtl&) const { return integer(); }
  Reply operator()(const model::KeyPersist&) const { return integer(); }
  Reply operator()(const model::KeyIncr&) const { return integer(); }
  Reply operator()(const model::KeyScan&) const {
    ASSERT(value.kind == ValueKind::kArray && value.items.size() == 2);
    Reply reply;
    reply.kind = Kind::kScanned;
    reply.text = value.items[0].text;
    for (const RespValue& item : value.items[1].items) reply.names.push_back(item.text);
    return reply;
  }
  Reply operator()(const model::KeyDbSize&) const { return integer(); }
  Reply operator()(const model::HashSet&) const { return integer(); }
  Reply operator()(const model::HashGet&) const { return text(); }
  Reply operator()(const model::HashMGet& op) const { return texts(op.fields.size()); }
  Reply operator()(const model::HashGetAll&) const {
    Reply reply;
    reply.kind = Kind::kFields;
    reply.fields = pairs_of(value);
    return reply;
  }
  Reply operator()(const model::HashDel&) const { return integer(); }
  Reply operator()(const model::HashExists&) const { return integer(); }
  Reply operator()(const model::HashLen&) const { return integer(); }
  Reply operator()(const model::HashIncr&) const { return integer(); }
  Reply operator()(const model::HashIncrFloat&) const { return text(); }
  Reply operator()(const model::Exec& op) const {
    ASSERT(value.items.size() == op.members.size());
    return array([&](size_t i, const RespValue& item) {
      return std::visit(ToReply{item, state, now}, op.members[i].verb);
    });
  }
  template <typename WorldOp>
  Reply operator()(const WorldOp&) const {
    ASSERT(false, "a world op has no reply");
    return {};
  }
};

// The word behind `field=` in an error's message; empty if it is absent.
std::string_view word_behind(std::string_view message, std::string_view field) {
  const size_t found = message.find(field);
  if (found == std::string_view::npos) return {};
  message.remove_prefix(found + field.size());
  return message.substr(0, message.find(' '));
}

int64_t number_behind(std::string_view message, std::string_view field) {
  const std::string_view word = word_behind(message, field);
  int64_t number = -1;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

}  // namespace

RespValue value_of(std::string_view tape) {
  core::ReplyReader reader(tape);
  RespValue value = read_value(reader);
  ASSERT(reader.done(), "the tape holds more than one reply");
  return value;
}

RespValue value_over_wire(std::string_view tape, protocol::RespVersion version) {
  std::string bytes;
  protocol::encode_reply(tape, version, bytes);
  protocol::RespReplyParser parser;
  const protocol::ReplyStatus status = parser.parse(bytes);
  ASSERT(status == protocol::ReplyStatus::kValue, "the reply is not RESP: {}", parser.error_text());
  ASSERT(parser.consumed() == bytes.size(), "there are bytes behind the reply");
  return std::move(parser.value());
}

Reply reply_of_error(std::string_view code, std::string_view message) {
  Reply reply;
  reply.kind = Kind::kError;
  reply.code = code;
  if (code == "DUPLICATE") reply.id = message.substr(0, message.find(' '));
  if (code == "BADSTATE") reply.state = state_named(word_behind(message, "state="));
  if (code == "QUEUEFULL") {
    reply.length = number_behind(message, "len=");
    reply.length_max = number_behind(message, "max=");
  }
  if (code == "EXECABORT") {
    reply.index = number_behind(message, "index=");
    const size_t rest = message.find(' ');
    if (rest != std::string_view::npos) {
      const std::string_view inner = message.substr(rest + 1);
      reply.inner_code = inner.substr(0, inner.find(' '));
    }
  }
  return reply;
}

Reply reply_of(const model::Verb& verb, const RespValue& value, const core::State& state,
               base::Now now) {
  if (value.is_error()) return reply_of_error(value.error_code(), value.error_message());
  return std::visit(ToReply{value, state, now}, verb);
}

}  // namespace sim
