#include "sim/command_of.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/base32.h"
#include "protocol/query_parser.h"

namespace sim {
namespace {

using base::ErrorCode;
using base::Result;

Result<core::JobRef> job_of(const std::string& text) {
  static const std::string kPrefix = "key:";
  core::JobRef job;
  job.text = text;
  if (text.starts_with(kPrefix) && text.size() > kPrefix.size()) {
    job.key = std::string_view(text).substr(kPrefix.size());
    return job;
  }
  const auto id = base::base32_decode_u64(text);
  if (!id) return base::fail(ErrorCode::kBadReq, "'{}' is no id", text);
  job.id.value = *id;
  return job;
}

core::TokenRef token_of(const std::string& text) {
  core::TokenRef token;
  const auto parsed = core::parse_lease_token(text);
  token.valid = parsed.has_value();
  if (parsed) token.token = *parsed;
  return token;
}

Result<std::vector<core::JobRef>> jobs_of(const std::vector<std::string>& texts) {
  if (texts.empty()) return base::fail(ErrorCode::kBadReq, "no ids");
  std::vector<core::JobRef> jobs;
  for (const std::string& text : texts) jobs.push_back(TRY(job_of(text)));
  return jobs;
}

Result<std::vector<core::LeaseRef>> leases_of(const std::vector<model::LeaseName>& names) {
  std::vector<core::LeaseRef> leases;
  for (const model::LeaseName& name : names) {
    leases.push_back({TRY(job_of(name.id)), token_of(name.token)});
  }
  return leases;
}

std::string_view not_built_of(const model::Push& push) {
  if (push.unique) return "UNIQUE";
  if (!push.limits.empty()) return "LIMITS";
  return push.fair ? "FAIR" : "";
}

Result<core::PushSpec> spec_of(const model::Push& push) {
  core::PushSpec spec;
  spec.queue = push.queue;
  spec.type = push.type;
  spec.args = push.args;
  if (push.priority) spec.priority = *push.priority;
  spec.delay_ms = push.delay_ms;
  spec.at_ms = push.at_wall_ms;
  spec.attempts = push.attempts;
  spec.crashes = push.crashes;
  spec.timeout_ms = push.timeout_ms;
  spec.soft_timeout_ms = push.soft_timeout_ms;
  spec.lease_ms = push.lease_ms;
  spec.expire_ms = push.expire_ms;
  spec.keep_ms = push.keep_ms;
  if (push.backoff) spec.backoff = TRY(core::parse_backoff(*push.backoff));
  spec.has_key = push.key.has_value();
  if (push.key) spec.key = *push.key;
  if (push.on_duplicate) spec.on_duplicate = static_cast<core::OnDuplicate>(*push.on_duplicate);
  spec.has_request = push.request.has_value();
  if (push.request) spec.request = *push.request;
  spec.request_for_ms = push.request_for_ms;
  spec.has_producer = push.producer.has_value();
  if (push.producer) spec.producer = *push.producer;
  spec.producer_seq = static_cast<uint64_t>(push.producer_seq);
  for (const auto& [field, value] : push.meta) spec.meta.emplace_back(field, value);
  spec.not_built = not_built_of(push);
  return spec;
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

// The query language is read by the protocol folder, for both ways.
Result<core::Query> query_of(const std::optional<std::string>& text) {
  if (!text) return core::Query{};
  return protocol::parse_query(*text);
}

core::OperationVerb operation_verb_of(model::BulkVerb verb) {
  switch (verb) {
    case model::BulkVerb::kRetry:
      return core::OperationVerb::kRetry;
    case model::BulkVerb::kCancel:
      return core::OperationVerb::kCancel;
    case model::BulkVerb::kDelete:
      return core::OperationVerb::kDelete;
  }
  ASSERT(false, "no such verb");
  return core::OperationVerb::kDelete;
}

core::OperationStart queue_operation_of(core::OperationVerb verb, const std::string& queue) {
  core::OperationStart start;
  start.verb = verb;
  start.queue = queue;
  start.query.text = "queue:" + queue;
  start.query.terms = {{.field = core::QueryField::kQueue, .texts = {queue}}};
  return start;
}

core::KeySet set_of(const model::KeySet& op) {
  core::KeySet set;
  set.key = op.key;
  set.value = op.value;
  using Life = core::KeySet::Life;
  const auto live = [&](Life life, int64_t ms) {
    set.life = life;
    set.life_ms = ms;
  };
  if (op.ex_s) live(Life::kFor, core::ms_of_seconds(*op.ex_s));
  if (op.px_ms) live(Life::kFor, *op.px_ms);
  if (op.exat_s) live(Life::kUntil, core::ms_of_seconds(*op.exat_s));
  if (op.pxat_ms) live(Life::kUntil, *op.pxat_ms);
  if (op.keep_ttl) set.life = Life::kKept;
  if (op.nx) set.only = core::KeySet::Only::kAbsent;
  if (op.xx) set.only = core::KeySet::Only::kPresent;
  set.get = op.get;
  return set;
}

Result<core::LogLevel> level_of(const std::string& name) {
  for (size_t i = 0; i < core::kLogLevelCount; ++i) {
    const auto level = static_cast<core::LogLevel>(i);
    if (core::log_level_name(level) == name) return level;
  }
  return base::fail(ErrorCode::kBadReq, "'{}' is no level", name);
}

// An empty name would stand for all queues.
Result<std::string_view> queue_of_pause(const std::optional<std::string>& queue) {
  if (!queue) return std::string_view();
  if (queue->empty()) return base::fail(ErrorCode::kBadReq, "the queue has no name");
  return std::string_view(*queue);
}

Result<core::QueueSet> queue_set_of(const model::QueueSet& op) {
  const model::QueueSettings& change = op.change;
  core::QueueSet set;
  set.queue = op.queue;
  const auto number = [&](core::QueueNumber which, const char* option,
                          const std::optional<int64_t>& value) {
    if (value || std::ranges::count(op.defaults, option) > 0)
      set.numbers.emplace_back(which, value);
  };
  number(core::QueueNumber::kMaxlen, "MAXLEN", change.length_max);
  number(core::QueueNumber::kAttempts, "ATTEMPTS", change.attempts);
  number(core::QueueNumber::kLeaseMs, "LEASE", change.lease_ms);
  number(core::QueueNumber::kTimeoutMs, "TIMEOUT", change.timeout_ms);
  number(core::QueueNumber::kKeepMs, "KEEP", change.keep_ms);
  number(core::QueueNumber::kCrashes, "CRASHES", change.crashes);
  number(core::QueueNumber::kAlertMs, "ALERT", change.alert_ms);
  number(core::QueueNumber::kAgeMs, "AGE", change.age_ms);
  if (std::ranges::count(op.defaults, "BACKOFF") > 0) set.backoff.emplace();
  if (change.backoff) set.backoff = TRY(core::parse_backoff(*change.backoff));
  return set;
}

struct ToCommand {
  using Made = Result<core::CommandBody>;

  Made operator()(const model::Push& op) const { return core::Push{TRY(spec_of(op))}; }
  Made operator()(const model::MPush& op) const {
    core::PushMany push;
    for (const model::Push& item : op.items) push.items.push_back(TRY(spec_of(item)));
    return push;
  }
  Made operator()(const model::Fetch& op) const {
    core::Fetch fetch;
    fetch.worker = op.worker;
    if (op.count) fetch.count = *op.count;
    fetch.block_ms = op.block_ms;
    if (op.holding) fetch.holding = *op.holding;
    if (op.types && op.types->empty()) return base::fail(ErrorCode::kBadReq, "TYPES 0");
    if (op.types) fetch.types.assign(op.types->begin(), op.types->end());
    fetch.weighted = op.weights.has_value();
    if (op.weights) fetch.weights = *op.weights;
    fetch.queues.assign(op.queues.begin(), op.queues.end());
    return fetch;
  }
  Result<core::AckItem> item_of(const model::Ack& op) const {
    core::AckItem item;
    item.job = TRY(job_of(op.lease.id));
    item.token = token_of(op.lease.token);
    item.has_result = op.result.has_value();
    if (op.result) item.result = *op.result;
    return item;
  }
  Made operator()(const model::Ack& op) const { return core::Ack{TRY(item_of(op))}; }
  Made operator()(const model::MAck& op) const {
    core::AckMany ack;
    for (const model::Ack& item : op.items) ack.items.push_back(TRY(item_of(item)));
    return ack;
  }
  Made operator()(const model::Fail& op) const {
    core::Fail fail;
    fail.job = TRY(job_of(op.lease.id));
    fail.token = token_of(op.lease.token);
    fail.error_class = op.error_class;
    fail.message = op.message;
    if (op.trace) fail.trace = *op.trace;
    fail.retry_in_ms = op.retry_in_ms;
    fail.no_retry = op.no_retry;
    return fail;
  }
  Made operator()(const model::Release& op) const {
    return core::Release{TRY(job_of(op.lease.id)), token_of(op.lease.token), op.delay_ms};
  }
  Made operator()(const model::Extend& op) const {
    return core::Extend{TRY(job_of(op.lease.id)), token_of(op.lease.token), op.ms};
  }
  Made operator()(const model::Progress& op) const {
    return core::Progress{TRY(job_of(op.lease.id)), token_of(op.lease.token), op.data};
  }
  Made operator()(const model::Log& op) const {
    return core::Log{TRY(job_of(op.lease.id)), token_of(op.lease.token), TRY(level_of(op.level)),
                     op.text};
  }
  Made operator()(const model::Get& op) const { return core::Get{TRY(job_of(op.id))}; }
  Made operator()(const model::Wait& op) const {
    return core::Wait{TRY(jobs_of(op.ids)), op.block_ms, op.any};
  }
  Made operator()(const model::Cancel& op) const {
    return core::Bulk{core::BulkVerb::kCancel, op.force, TRY(jobs_of(op.ids))};
  }
  Made operator()(const model::Retry& op) const {
    return core::Bulk{core::BulkVerb::kRetry, false, TRY(jobs_of(op.ids))};
  }
  Made operator()(const model::Delete& op) const {
    return core::Bulk{core::BulkVerb::kDelete, false, TRY(jobs_of(op.ids))};
  }
  Made operator()(const model::Edit& op) const {
    return core::Edit{TRY(changes_of(op)), TRY(job_of(op.id))};
  }
  Made operator()(const model::EditWhere& op) const {
    core::OperationStart start;
    start.verb = core::OperationVerb::kEdit;
    start.query = TRY(query_of(op.query));
    start.jobs_most = op.limit;
    start.changes = TRY(changes_of(op.edit));
    return start;
  }
  static Result<core::JobChanges> changes_of(const model::Edit& op) {
    core::JobChanges edit;
    edit.queue = op.queue;
    edit.type = op.type;
    edit.args = op.args;
    edit.priority = op.priority;
    edit.options.delay_ms = op.delay_ms;
    edit.options.at_ms = op.at_wall_ms;
    edit.options.attempts = op.attempts;
    if (op.backoff) edit.options.backoff = TRY(core::parse_backoff(*op.backoff));
    edit.options.timeout_ms = op.timeout_ms;
    edit.options.soft_timeout_ms = op.soft_timeout_ms;
    edit.options.lease_ms = op.lease_ms;
    edit.options.expire_ms = op.expire_ms;
    edit.options.crashes = op.crashes;
    edit.options.keep_ms = op.keep_ms;
    return edit;
  }
  Made operator()(const model::Beat& op) const {
    return core::WorkerBeat{op.worker, TRY(leases_of(op.leases)), {}};
  }
  Made operator()(const model::Bye& op) const {
    return core::WorkerBye{op.worker, TRY(leases_of(op.leases))};
  }
  Made operator()(const model::WorkerList&) const { return core::WorkerList{}; }
  Made operator()(const model::TellWorker& op) const {
    return core::WorkerTell{op.worker,
                            op.stop ? core::WorkerOrder::kStop : core::WorkerOrder::kQuiet};
  }
  Made operator()(const model::QueueStats& op) const { return core::QueueStats{op.queue}; }
  Made operator()(const model::QueueList&) const { return core::QueueList{}; }
  Made operator()(const model::QueuePause& op) const {
    return core::QueuePause{op.queue, op.reason};
  }
  Made operator()(const model::QueueResume& op) const { return core::QueueResume{op.queue}; }
  Made operator()(const model::QueueSet& op) const { return queue_set_of(op); }
  Made operator()(const model::TypePause& op) const {
    return core::TypePause{op.type, TRY(queue_of_pause(op.queue)), op.reason};
  }
  Made operator()(const model::TypeResume& op) const {
    return core::TypeResume{op.type, TRY(queue_of_pause(op.queue))};
  }
  Made operator()(const model::BulkWhere& op) const {
    core::OperationStart start;
    start.verb = operation_verb_of(op.verb);
    start.query = TRY(query_of(op.query));
    start.jobs_most = op.limit;
    return start;
  }
  Made operator()(const model::QueuePurge& op) const {
    return queue_operation_of(core::OperationVerb::kPurge, op.queue);
  }
  Made operator()(const model::QueueDelete& op) const {
    return queue_operation_of(core::OperationVerb::kDeleteQueue, op.queue);
  }
  Made operator()(const model::JobCount& op) const {
    return core::CountJobs{TRY(query_of(op.query))};
  }
  Made operator()(const model::JobList& op) const {
    core::ListJobs list;
    list.query = TRY(query_of(op.query));
    if (op.count) list.count = *op.count;
    if (op.cursor && *op.cursor != "0") list.cursor = TRY(job_of(*op.cursor)).id;
    return list;
  }
  Made operator()(const model::KeySet& op) const { return set_of(op); }
  Made operator()(const model::KeyGet& op) const { return core::KeyGet{op.key}; }
  Made operator()(const model::KeyMGet& op) const { return core::KeysGet{views_of(op.keys)}; }
  Made operator()(const model::KeyDel& op) const { return core::KeysDelete{views_of(op.keys)}; }
  Made operator()(const model::KeyExists& op) const { return core::KeysExist{views_of(op.keys)}; }
  Made operator()(const model::KeyExpire& op) const {
    const int64_t after_ms = op.in_seconds ? core::ms_of_seconds(op.time) : op.time;
    return core::KeyExpire{op.key, after_ms, op.in_seconds};
  }
  Made operator()(const model::KeyTtl& op) const {
    return core::KeyTimeLeft{op.key, op.in_seconds};
  }
  Made operator()(const model::KeyPersist& op) const { return core::KeyPersist{op.key}; }
  Made operator()(const model::KeyIncr& op) const {
    return core::KeyAdd{op.key, op.by.value_or(1), op.down};
  }
  Made operator()(const model::KeyScan& op) const {
    core::KeyScan scan;
    const char* const end = op.cursor.data() + op.cursor.size();
    const auto [stop, fault] = std::from_chars(op.cursor.data(), end, scan.cursor);
    if (fault != std::errc{} || stop != end) return base::fail(ErrorCode::kErr, "invalid cursor");
    if (op.match) scan.pattern = *op.match;
    scan.count = op.count;
    return scan;
  }
  Made operator()(const model::KeyDbSize&) const { return core::KeyCount{}; }
  Made operator()(const model::HashSet& op) const {
    core::HashSet set;
    set.key = op.key;
    for (const auto& [field, value] : op.fields) set.fields.emplace_back(field, value);
    return set;
  }
  Made operator()(const model::HashGet& op) const { return core::HashGet{op.key, op.field}; }
  Made operator()(const model::HashMGet& op) const {
    return core::HashGetMany{op.key, views_of(op.fields)};
  }
  Made operator()(const model::HashGetAll& op) const { return core::HashAll{op.key}; }
  Made operator()(const model::HashDel& op) const {
    return core::HashDelete{op.key, views_of(op.fields)};
  }
  Made operator()(const model::HashExists& op) const { return core::HashHas{op.key, op.field}; }
  Made operator()(const model::HashLen& op) const { return core::HashSize{op.key}; }
  Made operator()(const model::HashIncr& op) const {
    return core::HashAdd{op.key, op.field, op.by};
  }
  Made operator()(const model::HashIncrFloat& op) const {
    return core::HashAddFloat{op.key, op.field, op.by};
  }
  Made operator()(const model::Exec& op) const {
    core::Exec exec;
    for (const model::Op& member : op.members) {
      exec.commands.push_back(TRY(command_of(member.verb)));
    }
    return exec;
  }
  template <typename WorldOp>
  Made operator()(const WorldOp&) const {
    ASSERT(false, "a world op is no command");
    return core::QueueList{};
  }
};

}  // namespace

Result<core::Command> command_of(const model::Verb& verb) {
  return core::Command{TRY(std::visit(ToCommand{}, verb))};
}

core::UndoGrants undo_of(const std::vector<model::LeaseName>& leases) {
  core::UndoGrants undo;
  for (const model::LeaseName& lease : leases) {
    const auto id = base::base32_decode_u64(lease.id);
    const auto token = core::parse_lease_token(lease.token);
    ASSERT(id && token, "a grant has an id and a token");
    undo.grants.emplace_back(core::JobId{*id}, *token);
  }
  return undo;
}

}  // namespace sim
