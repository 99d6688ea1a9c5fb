#include "sim/reply_of.h"

#include <charconv>

#include "base/assert.h"
#include "core/reply.h"
#include "sim/record.h"

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
    case core::ReplyTag::kPush:
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

// --- Replies by verb.

Reply job_reply(const RespValue& value, const core::State& state, base::Now now) {
  Reply reply;
  const Record record(value);
  const bool gone = record.text("state") == "gone";
  reply.kind = gone ? Kind::kGone : Kind::kJob;
  if (!gone) reply.job.push_back(job_of(record, state, now));
  return reply;
}

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
  Reply operator()(const model::QueueStats& op) const {
    Reply reply;
    reply.kind = Kind::kStats;
    reply.queue.push_back(queue_of(value, op.queue));
    return reply;
  }
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
  Reply operator()(const model::EditWhere&) const { return started(); }
  Reply operator()(const model::QueuePurge&) const { return started(); }
  Reply operator()(const model::QueueDelete&) const { return started(); }
  Reply operator()(const model::JobCount&) const { return integer(); }
  Reply operator()(const model::JobList&) const {
    const Record record(value);
    Reply reply;
    reply.kind = Kind::kListed;
    const RespValue* cursor = record.find("cursor");
    reply.text = cursor == nullptr ? "0" : cursor->text;
    for (const RespValue& item : record.at("jobs").items) reply.listed.push_back(listed_of(item));
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
