// An operation as the words that a client sends, and those words as the protocol reads them.
#include "base/assert.h"
#include "protocol/decode.h"
#include "protocol/resp_encoder.h"
#include "protocol/resp_parser.h"
#include "sim/command_of.h"

namespace sim {
namespace {

using Words = std::vector<std::string>;

const std::optional<std::string> kDefault = "default";

void add(Words& words, const char* option, const std::optional<int64_t>& value) {
  if (!value) return;
  words.emplace_back(option);
  words.push_back(std::to_string(*value));
}

void add(Words& words, const char* option, const std::optional<std::string>& value) {
  if (!value) return;
  words.emplace_back(option);
  words.push_back(*value);
}

void add_all(Words& words, const char* option, const Words& values) {
  words.emplace_back(option);
  words.push_back(std::to_string(values.size()));
  words.insert(words.end(), values.begin(), values.end());
}

void add(Words& words, const model::LeaseName& lease) {
  words.push_back(lease.id);
  words.push_back(lease.token);
}

void add_options(Words& words, const model::Push& push) {
  static constexpr const char* kOnDuplicate[] = {"return", "report", "error", "replace"};
  add(words, "PRIORITY", push.priority);
  add(words, "DELAY", push.delay_ms);
  add(words, "AT", push.at_wall_ms);
  add(words, "ATTEMPTS", push.attempts);
  add(words, "BACKOFF", push.backoff);
  add(words, "TIMEOUT", push.timeout_ms);
  add(words, "SOFTTIMEOUT", push.soft_timeout_ms);
  add(words, "LEASE", push.lease_ms);
  add(words, "EXPIRE", push.expire_ms);
  add(words, "CRASHES", push.crashes);
  add(words, "KEY", push.key);
  if (push.on_duplicate) {
    add(words, "ONDUP", std::string(kOnDuplicate[static_cast<size_t>(*push.on_duplicate)]));
  }
  add(words, "REQUEST", push.request);
  if (push.request) add(words, "FOR", push.request_for_ms);
  add(words, "REQSEQ", push.producer);
  if (push.producer) words.push_back(std::to_string(push.producer_seq));
  add(words, "KEEP", push.keep_ms);
  if (!push.meta.empty()) {
    words.emplace_back("META");
    words.push_back(std::to_string(push.meta.size()));
    for (const auto& [field, value] : push.meta) {
      words.push_back(field);
      words.push_back(value);
    }
  }
  add(words, "UNIQUE", push.unique);
  if (!push.limits.empty()) add_all(words, "LIMITS", push.limits);
  add(words, "FAIR", push.fair);
}

Words lease_words(const char* command, const std::string& worker,
                  const std::vector<model::LeaseName>& leases) {
  Words words = {command, worker, "LEASES", std::to_string(leases.size())};
  for (const model::LeaseName& lease : leases) add(words, lease);
  return words;
}

Words bulk_of(const char* command, bool force, const Words& ids) {
  Words words = {command};
  if (force) words.emplace_back("FORCE");
  add_all(words, "IDS", ids);
  return words;
}

Words names_of(const char* command, const Words& names) {
  Words words = {command};
  words.insert(words.end(), names.begin(), names.end());
  return words;
}

Words fields_of(const char* command, const std::string& key, const Words& fields) {
  Words words = {command, key};
  words.insert(words.end(), fields.begin(), fields.end());
  return words;
}

struct ToWords {
  Words operator()(const model::Push& op) const {
    Words words = {"JOB.PUSH", op.queue, op.type, op.args};
    add_options(words, op);
    return words;
  }
  Words operator()(const model::MPush& op) const {
    Words words = {"JOB.MPUSH", std::to_string(op.items.size())};
    for (const model::Push& item : op.items) {
      Words options;
      add_options(options, item);
      words.insert(words.end(), {item.queue, item.type, item.args, std::to_string(options.size())});
      words.insert(words.end(), options.begin(), options.end());
    }
    return words;
  }
  Words operator()(const model::Fetch& op) const {
    Words words = {"JOB.FETCH", op.worker};
    add(words, "COUNT", op.count);
    add(words, "BLOCK", op.block_ms);
    add(words, "HOLDING", op.holding);
    if (op.types) add_all(words, "TYPES", *op.types);
    if (op.weights) {
      words.emplace_back("WEIGHTS");
      words.push_back(std::to_string(op.weights->size()));
      for (const int64_t weight : *op.weights) words.push_back(std::to_string(weight));
    }
    add_all(words, "QUEUES", op.queues);
    return words;
  }
  Words operator()(const model::Ack& op) const {
    Words words = {"JOB.ACK"};
    add(words, op.lease);
    add(words, "RESULT", op.result);
    return words;
  }
  Words operator()(const model::MAck& op) const {
    Words words = {"JOB.MACK", std::to_string(op.items.size())};
    for (const model::Ack& item : op.items) {
      add(words, item.lease);
      words.emplace_back(item.result ? "1" : "0");
      words.push_back(item.result.value_or(""));
    }
    return words;
  }
  Words operator()(const model::Fail& op) const {
    Words words = {"JOB.FAIL"};
    add(words, op.lease);
    words.push_back(op.error_class);
    words.push_back(op.message);
    add(words, "TRACE", op.trace);
    add(words, "RETRYIN", op.retry_in_ms);
    if (op.no_retry) words.emplace_back("NORETRY");
    return words;
  }
  Words operator()(const model::Release& op) const {
    Words words = {"JOB.RELEASE"};
    add(words, op.lease);
    add(words, "DELAY", op.delay_ms);
    return words;
  }
  Words operator()(const model::Extend& op) const {
    return {"JOB.EXTEND", op.lease.id, op.lease.token, std::to_string(op.ms)};
  }
  Words operator()(const model::Progress& op) const {
    return {"JOB.PROGRESS", op.lease.id, op.lease.token, op.data};
  }
  Words operator()(const model::Log& op) const {
    return {"JOB.LOG", op.lease.id, op.lease.token, op.level, op.text};
  }
  Words operator()(const model::Get& op) const { return {"JOB.GET", op.id}; }
  Words operator()(const model::Wait& op) const {
    Words words = {"JOB.WAIT", std::to_string(op.ids.size())};
    words.insert(words.end(), op.ids.begin(), op.ids.end());
    add(words, "BLOCK", op.block_ms);
    if (op.any) words.emplace_back("ANY");
    return words;
  }
  Words operator()(const model::Cancel& op) const {
    return bulk_of("JOB.CANCEL", op.force, op.ids);
  }
  Words operator()(const model::Retry& op) const { return bulk_of("JOB.RETRY", false, op.ids); }
  Words operator()(const model::Delete& op) const { return bulk_of("JOB.DELETE", false, op.ids); }
  Words operator()(const model::Edit& op) const {
    Words words = {"JOB.EDIT", op.id};
    add_changes(words, op);
    return words;
  }
  Words operator()(const model::EditWhere& op) const {
    Words words = {"JOB.EDIT", "WHERE", op.query};
    add(words, "LIMIT", op.limit);
    add_changes(words, op.edit);
    return words;
  }
  static void add_changes(Words& words, const model::Edit& op) {
    add(words, "QUEUE", op.queue);
    add(words, "PRIORITY", op.priority);
    add(words, "AT", op.at_wall_ms);
    add(words, "DELAY", op.delay_ms);
    add(words, "ARGS", op.args);
    add(words, "TYPE", op.type);
    add(words, "ATTEMPTS", op.attempts);
    add(words, "BACKOFF", op.backoff);
    add(words, "TIMEOUT", op.timeout_ms);
    add(words, "SOFTTIMEOUT", op.soft_timeout_ms);
    add(words, "LEASE", op.lease_ms);
    add(words, "EXPIRE", op.expire_ms);
    add(words, "CRASHES", op.crashes);
    add(words, "KEEP", op.keep_ms);
  }
  Words operator()(const model::Beat& op) const {
    return lease_words("WORKER.BEAT", op.worker, op.leases);
  }
  Words operator()(const model::Bye& op) const {
    return lease_words("WORKER.BYE", op.worker, op.leases);
  }
  Words operator()(const model::WorkerList&) const { return {"WORKER.LIST"}; }
  Words operator()(const model::TellWorker& op) const {
    return {op.stop ? "WORKER.STOP" : "WORKER.QUIET", op.worker};
  }
  Words operator()(const model::QueueStats& op) const { return {"QUEUE.STATS", op.queue}; }
  Words operator()(const model::QueueList&) const { return {"QUEUE.LIST"}; }
  Words operator()(const model::QueuePause& op) const {
    Words words = {"QUEUE.PAUSE", op.queue};
    if (!op.reason.empty()) add(words, "REASON", std::optional(op.reason));
    return words;
  }
  Words operator()(const model::QueueResume& op) const { return {"QUEUE.RESUME", op.queue}; }
  Words operator()(const model::QueueSet& op) const {
    Words words = {"QUEUE.SET", op.queue};
    add(words, "MAXLEN", op.change.length_max);
    add(words, "ATTEMPTS", op.change.attempts);
    add(words, "BACKOFF", op.change.backoff);
    add(words, "LEASE", op.change.lease_ms);
    add(words, "TIMEOUT", op.change.timeout_ms);
    add(words, "KEEP", op.change.keep_ms);
    add(words, "CRASHES", op.change.crashes);
    add(words, "ALERT", op.change.alert_ms);
    add(words, "AGE", op.change.age_ms);
    for (const std::string& option : op.defaults) add(words, option.c_str(), kDefault);
    return words;
  }
  Words operator()(const model::TypePause& op) const {
    Words words = {"TYPE.PAUSE", op.type};
    add(words, "QUEUE", op.queue);
    if (!op.reason.empty()) add(words, "REASON", std::optional(op.reason));
    return words;
  }
  Words operator()(const model::TypeResume& op) const {
    Words words = {"TYPE.RESUME", op.type};
    add(words, "QUEUE", op.queue);
    return words;
  }
  Words operator()(const model::BulkWhere& op) const {
    static constexpr std::array kVerbs = {"JOB.RETRY", "JOB.CANCEL", "JOB.DELETE"};
    Words words = {kVerbs.at(static_cast<size_t>(op.verb)), "WHERE", op.query};
    add(words, "LIMIT", op.limit);
    return words;
  }
  Words operator()(const model::QueuePurge& op) const { return {"QUEUE.PURGE", op.queue}; }
  Words operator()(const model::QueueDelete& op) const { return {"QUEUE.DELETE", op.queue}; }
  Words operator()(const model::JobCount& op) const {
    Words words = {"JOB.COUNT"};
    add(words, "WHERE", op.query);
    return words;
  }
  Words operator()(const model::JobList& op) const {
    Words words = {"JOB.LIST"};
    add(words, "WHERE", op.query);
    if (op.cursor != "0") add(words, "CURSOR", op.cursor);
    add(words, "COUNT", op.count);
    return words;
  }
  Words operator()(const model::KeySet& op) const {
    Words words = {"SET", op.key, op.value};
    add(words, "EX", op.ex_s);
    add(words, "PX", op.px_ms);
    add(words, "EXAT", op.exat_s);
    add(words, "PXAT", op.pxat_ms);
    if (op.keep_ttl) words.emplace_back("KEEPTTL");
    if (op.get) words.emplace_back("GET");
    if (op.nx) words.emplace_back("NX");
    if (op.xx) words.emplace_back("XX");
    return words;
  }
  Words operator()(const model::KeyGet& op) const { return {"GET", op.key}; }
  Words operator()(const model::KeyMGet& op) const { return names_of("MGET", op.keys); }
  Words operator()(const model::KeyDel& op) const { return names_of("DEL", op.keys); }
  Words operator()(const model::KeyExists& op) const { return names_of("EXISTS", op.keys); }
  Words operator()(const model::KeyExpire& op) const {
    return {op.in_seconds ? "EXPIRE" : "PEXPIRE", op.key, std::to_string(op.time)};
  }
  Words operator()(const model::KeyTtl& op) const {
    return {op.in_seconds ? "TTL" : "PTTL", op.key};
  }
  Words operator()(const model::KeyPersist& op) const { return {"PERSIST", op.key}; }
  Words operator()(const model::KeyIncr& op) const {
    if (!op.by) return {op.down ? "DECR" : "INCR", op.key};
    return {op.down ? "DECRBY" : "INCRBY", op.key, std::to_string(*op.by)};
  }
  Words operator()(const model::KeyScan& op) const {
    Words words = {"SCAN", op.cursor};
    add(words, "COUNT", op.count);
    add(words, "MATCH", op.match);
    return words;
  }
  Words operator()(const model::KeyDbSize&) const { return {"DBSIZE"}; }
  Words operator()(const model::HashSet& op) const {
    Words words = {"HSET", op.key};
    for (const auto& [field, value] : op.fields) words.insert(words.end(), {field, value});
    return words;
  }
  Words operator()(const model::HashGet& op) const { return {"HGET", op.key, op.field}; }
  Words operator()(const model::HashMGet& op) const {
    return fields_of("HMGET", op.key, op.fields);
  }
  Words operator()(const model::HashGetAll& op) const { return {"HGETALL", op.key}; }
  Words operator()(const model::HashDel& op) const { return fields_of("HDEL", op.key, op.fields); }
  Words operator()(const model::HashExists& op) const { return {"HEXISTS", op.key, op.field}; }
  Words operator()(const model::HashLen& op) const { return {"HLEN", op.key}; }
  Words operator()(const model::HashIncr& op) const {
    return {"HINCRBY", op.key, op.field, std::to_string(op.by)};
  }
  Words operator()(const model::HashIncrFloat& op) const {
    return {"HINCRBYFLOAT", op.key, op.field, op.by};
  }
  template <typename Other>
  Words operator()(const Other&) const {
    ASSERT(false, "it is not one command");
    return {};
  }
};

}  // namespace

std::vector<std::string> words_of(const model::Verb& verb) {
  return std::visit(ToWords{}, verb);
}

base::Result<core::Command> read_words(const model::Verb& verb, std::deque<std::string>& bytes) {
  if (const auto* exec = std::get_if<model::Exec>(&verb)) {
    core::Exec commands;
    for (const model::Op& member : exec->members) {
      commands.commands.push_back(TRY(read_words(member.verb, bytes)));
    }
    return core::Command{std::move(commands)};
  }
  const Words words = words_of(verb);
  std::string& request = bytes.emplace_back();
  protocol::encode_request_header(words.size(), request);
  for (const std::string& word : words) protocol::encode_bulk(word, request);
  protocol::RespParser parser(protocol::kRespLimitsClient);
  const protocol::ParseStatus status = parser.parse(request);
  ASSERT(status == protocol::ParseStatus::kRequest, "{}", parser.error_text());
  ASSERT(parser.consumed() == request.size());
  const protocol::CommandSpec* spec = protocol::find_command(parser.arguments()[0]);
  ASSERT(spec != nullptr, "the server does not know {}", words[0]);
  return protocol::decode(*spec, parser.arguments());
}

}  // namespace sim
