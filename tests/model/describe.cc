// Values as one line of text, for failure reports.
#include "model/op.h"
#include "model/view.h"

namespace model {
namespace {

std::string shown(const std::string& text) {
  constexpr size_t kShown = 40;
  return text.size() <= kShown ? text : text.substr(0, kShown) + "…";
}

template <typename T>
std::string option(const char* name, const std::optional<T>& value) {
  return value ? std::string(" ") + name + " " + std::to_string(*value) : "";
}

std::string option(const char* name, const std::optional<std::string>& value) {
  return value ? std::string(" ") + name + " " + shown(*value) : "";
}

std::string words(const std::vector<std::string>& values) {
  std::string text = " " + std::to_string(values.size());
  for (const std::string& value : values) text += " " + shown(value);
  return text;
}

std::string where(const std::optional<std::string>& query) {
  return query ? " WHERE '" + shown(*query) + "'" : "";
}

std::string line(const LeaseName& lease) {
  return " " + lease.id + " " + lease.token;
}

std::string line(const std::vector<LeaseName>& leases) {
  std::string text = " LEASES " + std::to_string(leases.size());
  for (const LeaseName& lease : leases) text += line(lease);
  return text;
}

std::string line(const Push& push) {
  std::string text = " " + shown(push.queue) + " " + shown(push.type) + " " + shown(push.args);
  text += option("PRIORITY", push.priority) + option("DELAY", push.delay_ms);
  text += option("AT", push.at_wall_ms) + option("ATTEMPTS", push.attempts);
  text += option("BACKOFF", push.backoff) + option("TIMEOUT", push.timeout_ms);
  text += option("SOFTTIMEOUT", push.soft_timeout_ms) + option("LEASE", push.lease_ms);
  text += option("EXPIRE", push.expire_ms) + option("CRASHES", push.crashes);
  text += option("KEY", push.key) + option("UNIQUE", push.unique) + option("FAIR", push.fair);
  if (push.on_duplicate) {
    static const char* const kNames[] = {"return", "report", "error", "replace"};
    text += std::string(" ONDUP ") + kNames[static_cast<size_t>(*push.on_duplicate)];
  }
  text += option("REQUEST", push.request) + option("FOR", push.request_for_ms);
  if (push.producer) {
    text += " REQSEQ " + shown(*push.producer) + " " + std::to_string(push.producer_seq);
  }
  if (!push.limits.empty()) text += " LIMITS" + words(push.limits);
  text += option("KEEP", push.keep_ms);
  if (!push.meta.empty()) text += " META " + std::to_string(push.meta.size());
  for (const auto& [field, value] : push.meta) text += " " + shown(field) + " " + shown(value);
  return text;
}

std::string line(const QueueSettings& set) {
  return option("MAXLEN", set.length_max) + option("ATTEMPTS", set.attempts) +
         option("BACKOFF", set.backoff) + option("LEASE", set.lease_ms) +
         option("TIMEOUT", set.timeout_ms) + option("KEEP", set.keep_ms) +
         option("CRASHES", set.crashes) + option("ALERT", set.alert_ms) + option("AGE", set.age_ms);
}

std::string changes(const Edit& edit) {
  return option("QUEUE", edit.queue) + option("PRIORITY", edit.priority) +
         option("AT", edit.at_wall_ms) + option("DELAY", edit.delay_ms) +
         option("ARGS", edit.args) + option("TYPE", edit.type) + option("ATTEMPTS", edit.attempts) +
         option("BACKOFF", edit.backoff) + option("TIMEOUT", edit.timeout_ms) +
         option("SOFTTIMEOUT", edit.soft_timeout_ms) + option("LEASE", edit.lease_ms) +
         option("EXPIRE", edit.expire_ms) + option("CRASHES", edit.crashes) +
         option("KEEP", edit.keep_ms);
}

std::string reason_option(const std::string& reason) {
  return reason.empty() ? "" : " REASON " + reason;
}

struct Describer {
  std::string operator()(const Push& v) const { return "JOB.PUSH" + line(v); }
  std::string operator()(const MPush& v) const {
    std::string text = "JOB.MPUSH " + std::to_string(v.items.size());
    for (const Push& item : v.items) text += " (" + line(item) + " )";
    return text;
  }
  std::string operator()(const Fetch& v) const {
    std::string text = "JOB.FETCH " + shown(v.worker) + option("COUNT", v.count);
    text += option("BLOCK", v.block_ms) + option("HOLDING", v.holding);
    if (v.types) text += " TYPES" + words(*v.types);
    if (v.weights) {
      text += " WEIGHTS " + std::to_string(v.weights->size());
      for (const int64_t weight : *v.weights) text += " " + std::to_string(weight);
    }
    return text + " QUEUES" + words(v.queues);
  }
  std::string operator()(const Ack& v) const {
    return "JOB.ACK" + line(v.lease) + option("RESULT", v.result);
  }
  std::string operator()(const MAck& v) const {
    std::string text = "JOB.MACK " + std::to_string(v.items.size());
    for (const Ack& item : v.items) text += " (" + line(item.lease) + " )";
    return text;
  }
  std::string operator()(const Fail& v) const {
    return "JOB.FAIL" + line(v.lease) + " '" + shown(v.error_class) + "' '" + shown(v.message) +
           "'" + option("TRACE", v.trace) + option("RETRYIN", v.retry_in_ms) +
           (v.no_retry ? " NORETRY" : "");
  }
  std::string operator()(const Release& v) const {
    return "JOB.RELEASE" + line(v.lease) + option("DELAY", v.delay_ms);
  }
  std::string operator()(const Extend& v) const {
    return "JOB.EXTEND" + line(v.lease) + " " + std::to_string(v.ms);
  }
  std::string operator()(const Progress& v) const {
    return "JOB.PROGRESS" + line(v.lease) + " " + shown(v.data);
  }
  std::string operator()(const Log& v) const {
    return "JOB.LOG" + line(v.lease) + " " + shown(v.level) + " " + shown(v.text);
  }
  std::string operator()(const Get& v) const { return "JOB.GET " + shown(v.id); }
  std::string operator()(const Wait& v) const {
    return "JOB.WAIT" + words(v.ids) + " BLOCK " + std::to_string(v.block_ms) +
           (v.any ? " ANY" : " ALL");
  }
  std::string operator()(const Cancel& v) const {
    return std::string("JOB.CANCEL") + (v.force ? " FORCE" : "") + " IDS" + words(v.ids);
  }
  std::string operator()(const Retry& v) const { return "JOB.RETRY IDS" + words(v.ids); }
  std::string operator()(const Delete& v) const { return "JOB.DELETE IDS" + words(v.ids); }
  std::string operator()(const Edit& v) const { return "JOB.EDIT " + shown(v.id) + changes(v); }
  std::string operator()(const BulkWhere& v) const {
    static const char* const kVerbs[] = {"RETRY", "CANCEL", "DELETE"};
    return std::string("JOB.") + kVerbs[static_cast<size_t>(v.verb)] + where(v.query) +
           option("LIMIT", v.limit);
  }
  std::string operator()(const EditWhere& v) const {
    return "JOB.EDIT" + where(v.query) + option("LIMIT", v.limit) + changes(v.edit);
  }
  std::string operator()(const JobCount& v) const { return "JOB.COUNT" + where(v.query); }
  std::string operator()(const JobList& v) const {
    return "JOB.LIST" + where(v.query) + option("CURSOR", v.cursor) + option("COUNT", v.count);
  }
  std::string operator()(const Beat& v) const {
    return "WORKER.BEAT " + shown(v.worker) + line(v.leases);
  }
  std::string operator()(const Bye& v) const {
    return "WORKER.BYE " + shown(v.worker) + line(v.leases);
  }
  std::string operator()(const WorkerList&) const { return "WORKER.LIST"; }
  std::string operator()(const TellWorker& v) const {
    return (v.stop ? "WORKER.STOP " : "WORKER.QUIET ") + shown(v.worker);
  }
  std::string operator()(const QueueStats& v) const { return "QUEUE.STATS " + shown(v.queue); }
  std::string operator()(const QueueList&) const { return "QUEUE.LIST"; }
  std::string operator()(const QueuePause& v) const {
    return "QUEUE.PAUSE " + shown(v.queue) + reason_option(v.reason);
  }
  std::string operator()(const QueueResume& v) const { return "QUEUE.RESUME " + shown(v.queue); }
  std::string operator()(const QueueSet& v) const {
    std::string text = "QUEUE.SET " + shown(v.queue) + line(v.change);
    for (const std::string& option : v.defaults) text += " " + option + " default";
    return text;
  }
  std::string operator()(const QueuePurge& v) const { return "QUEUE.PURGE " + shown(v.queue); }
  std::string operator()(const QueueDelete& v) const { return "QUEUE.DELETE " + shown(v.queue); }
  std::string operator()(const TypePause& v) const {
    return "TYPE.PAUSE " + shown(v.type) + option("QUEUE", v.queue) + reason_option(v.reason);
  }
  std::string operator()(const TypeResume& v) const {
    return "TYPE.RESUME " + shown(v.type) + option("QUEUE", v.queue);
  }
  std::string operator()(const KeySet& v) const {
    return "SET " + shown(v.key) + " " + shown(v.value) + option("EX", v.ex_s) +
           option("PX", v.px_ms) + option("EXAT", v.exat_s) + option("PXAT", v.pxat_ms) +
           (v.keep_ttl ? " KEEPTTL" : "") + (v.nx ? " NX" : "") + (v.xx ? " XX" : "") +
           (v.get ? " GET" : "");
  }
  std::string operator()(const KeyGet& v) const { return "GET " + shown(v.key); }
  std::string operator()(const KeyMGet& v) const { return "MGET" + words(v.keys); }
  std::string operator()(const KeyDel& v) const { return "DEL" + words(v.keys); }
  std::string operator()(const KeyExists& v) const { return "EXISTS" + words(v.keys); }
  std::string operator()(const KeyExpire& v) const {
    return (v.in_seconds ? "EXPIRE " : "PEXPIRE ") + shown(v.key) + " " + std::to_string(v.time);
  }
  std::string operator()(const KeyTtl& v) const {
    return (v.in_seconds ? "TTL " : "PTTL ") + shown(v.key);
  }
  std::string operator()(const KeyPersist& v) const { return "PERSIST " + shown(v.key); }
  std::string operator()(const KeyIncr& v) const {
    const std::string name = v.down ? "DECR" : "INCR";
    return name + (v.by ? "BY " : " ") + shown(v.key) + (v.by ? " " + std::to_string(*v.by) : "");
  }
  std::string operator()(const KeyScan& v) const {
    return "SCAN " + shown(v.cursor) + option("MATCH", v.match) + option("COUNT", v.count);
  }
  std::string operator()(const KeyDbSize&) const { return "DBSIZE"; }
  std::string operator()(const HashSet& v) const {
    std::string text = "HSET " + shown(v.key);
    for (const auto& [field, value] : v.fields) text += " " + shown(field) + " " + shown(value);
    return text;
  }
  std::string operator()(const HashGet& v) const {
    return "HGET " + shown(v.key) + " " + shown(v.field);
  }
  std::string operator()(const HashMGet& v) const {
    return "HMGET " + shown(v.key) + words(v.fields);
  }
  std::string operator()(const HashGetAll& v) const { return "HGETALL " + shown(v.key); }
  std::string operator()(const HashDel& v) const {
    return "HDEL " + shown(v.key) + words(v.fields);
  }
  std::string operator()(const HashExists& v) const {
    return "HEXISTS " + shown(v.key) + " " + shown(v.field);
  }
  std::string operator()(const HashLen& v) const { return "HLEN " + shown(v.key); }
  std::string operator()(const HashIncr& v) const {
    return "HINCRBY " + shown(v.key) + " " + shown(v.field) + " " + std::to_string(v.by);
  }
  std::string operator()(const HashIncrFloat& v) const {
    return "HINCRBYFLOAT " + shown(v.key) + " " + shown(v.field) + " " + shown(v.by);
  }
  std::string operator()(const Exec& v) const {
    std::string text = "MULTI";
    for (const Op& member : v.members) text += " { " + std::visit(*this, member.verb) + " }";
    return text + " EXEC";
  }
  std::string operator()(const Advance& v) const { return v.stall ? "(stall)" : "(time)"; }
  std::string operator()(const Restart&) const { return "(restart)"; }
  std::string operator()(const Close& v) const { return "(close) ungot" + line(v.ungot); }
  std::string operator()(const Undo& v) const { return "(reply not taken)" + line(v.leases); }
};

std::string describe_items(const Reply& reply) {
  std::string text = "[";
  for (const Reply& item : reply.items) text += (text.size() > 1 ? ", " : "") + describe(item);
  return text + "]";
}

std::string describe_failed(const Reply& reply) {
  return std::string("{state ") + (reply.state ? name_of(*reply.state) : "nothing") +
         option("run_at", reply.run_at_engine_ms) + " attempt " + std::to_string(reply.attempt) +
         "}";
}

}  // namespace

const char* name_of(State state) {
  static const char* const kNames[] = {"scheduled", "ready",     "running", "succeeded",
                                       "dead",      "cancelled", "expired"};
  return kNames[static_cast<size_t>(state)];
}

const char* name_of(Outcome outcome) {
  static const char* const kNames[] = {"succeeded", "failed", "lost", "cancelled"};
  return kNames[static_cast<size_t>(outcome)];
}

const char* name_of(DeadReason reason) {
  static const char* const kNames[] = {"none", "attempts", "noretry", "crashes"};
  return kNames[static_cast<size_t>(reason)];
}

std::string describe(const Op& op) {
  return "#" + std::to_string(op.conn) + " " + std::visit(Describer{}, op.verb);
}

std::string text_of(const std::vector<WorkerView>& workers) {
  std::string text = "workers";
  for (const WorkerView& worker : workers) {
    text += " {" + shown(worker.name) + " " + worker.state + " heard " +
            std::to_string(worker.heard_wall_ms) + " leases " + std::to_string(worker.leases) + "}";
  }
  return text;
}

std::string describe(const JobView& job) {
  return job.id + " {" + name_of(job.state) + " queue " + job.queue + " type " + job.type +
         " priority " + std::to_string(job.priority) + " attempt " + std::to_string(job.attempt) +
         "/" + std::to_string(job.max_attempts) + " generation " + std::to_string(job.generation) +
         " fence " + std::to_string(job.fence) + "}";
}

std::string describe(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::kNone:
      return "no reply";
    case Reply::Kind::kOk:
      return "OK";
    case Reply::Kind::kError: {
      std::string text = "-" + reply.code;
      if (!reply.id.empty()) text += " " + reply.id;
      if (reply.state) text += std::string(" state=") + name_of(*reply.state);
      text += option("len", reply.length) + option("max", reply.length_max);
      if (reply.index >= 0) text += " " + std::to_string(reply.index) + " " + reply.inner_code;
      return text;
    }
    case Reply::Kind::kNil:
      return "nil";
    case Reply::Kind::kGone:
      return "{state gone}";
    case Reply::Kind::kPushed:
      return "id " + reply.id + (reply.created ? (*reply.created ? " created" : " found") : "");
    case Reply::Kind::kFailed:
      return describe_failed(reply);
    case Reply::Kind::kLease:
      return "{lease_ms " + std::to_string(reply.lease_ms) + " cancelled " +
             (reply.cancelled ? "1}" : "0}");
    case Reply::Kind::kLeases: {
      std::string text = std::to_string(reply.leases.size()) + " leases";
      for (const GrantView& grant : reply.leases) text += " " + grant.id;
      return text;
    }
    case Reply::Kind::kJob:
      return "job " + (reply.job.empty() ? "?" : describe(reply.job[0]));
    case Reply::Kind::kBeat:
      return "{state " + reply.worker_state + " cancel" + words(reply.cancel) + " lost" +
             words(reply.lost) + "}";
    case Reply::Kind::kStats:
      return "stats of " + (reply.queue.empty() ? "?" : reply.queue[0].name);
    case Reply::Kind::kNames:
      return "names" + words(reply.names);
    case Reply::Kind::kWorkers:
      return text_of(reply.workers);
    case Reply::Kind::kValue:
      return "'" + shown(reply.text) + "'";
    case Reply::Kind::kInteger:
      return std::to_string(reply.number);
    case Reply::Kind::kScanned:
      return "cursor " + shown(reply.text) + " names" + words(reply.names);
    case Reply::Kind::kFields: {
      std::string text = "{";
      for (const auto& [field, value] : reply.fields)
        text += shown(field) + "=" + shown(value) + " ";
      return text + "}";
    }
    case Reply::Kind::kStarted:
      return "{op " + shown(reply.text) + " matched " + std::to_string(reply.number) + "}";
    case Reply::Kind::kListed: {
      std::string text = "cursor " + shown(reply.text) + " jobs";
      for (const ListedJob& job : reply.listed) text += " " + job.id;
      return text;
    }
    case Reply::Kind::kArray:
      return describe_items(reply);
    case Reply::Kind::kBlocked:
      return "(waits)";
  }
  return "?";
}

}  // namespace model
