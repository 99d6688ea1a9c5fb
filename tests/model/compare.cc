// Replies that were seen against what they must be.
#include "model/compare.h"

#include <algorithm>

namespace model {
namespace {

// "GONE|LEASELOST" allows either.
bool code_allowed(const std::string& allowed, const std::string& code) {
  if (allowed == code) return true;
  size_t from = 0;
  while (from <= allowed.size()) {
    const size_t to = std::min(allowed.find('|', from), allowed.size());
    if (allowed.compare(from, to - from, code) == 0) return true;
    from = to + 1;
  }
  return false;
}

void match_grant(const GrantView& expected, const GrantView& got) {
  const Where where{"lease of job ", expected.id};
  same(where, "id", expected.id, got.id);
  same(where, "token", expected.token, got.token);
  same(where, "fence", expected.fence, got.fence);
  same(where, "queue", expected.queue, got.queue);
  same(where, "type", expected.type, got.type);
  same(where, "args", expected.args, got.args);
  same(where, "attempt", expected.attempt, got.attempt);
  same(where, "max_attempts", expected.max_attempts, got.max_attempts);
  same(where, "priority", expected.priority, got.priority);
  same(where, "lease_ms", expected.lease_ms, got.lease_ms);
  same(where, "timeout_ms", expected.timeout_ms, got.timeout_ms);
  same(where, "soft_timeout_ms", expected.soft_timeout_ms, got.soft_timeout_ms);
  same(where, "pushed_wall_ms", expected.pushed_wall_ms, got.pushed_wall_ms);
  same(where, "meta", expected.meta, got.meta);
  same(where, "key", expected.key, got.key);
  same(where, "progress", expected.progress, got.progress);
}

void match_error(const Where& where, const Reply& expected, const Reply& got) {
  if (!code_allowed(expected.code, got.code)) {
    throw Mismatch{std::string(where.what) + where.name + " should be " + expected.code + ", got " +
                   got.code};
  }
  if (expected.code == "DUPLICATE" && !expected.id.empty()) {
    same(where, "DUPLICATE id", expected.id, got.id);
  }
  if (expected.code == "BADSTATE" && got.state) {
    same(where, "BADSTATE state", expected.state, got.state);
  }
  if (expected.code == "QUEUEFULL") {
    same_if_seen(where, "QUEUEFULL len", expected.length.value_or(0), got.length);
    same_if_seen(where, "QUEUEFULL max", expected.length_max.value_or(0), got.length_max);
  }
  if (expected.code == "EXECABORT") {
    same(where, "EXECABORT index", expected.index, got.index);
    if (!code_allowed(expected.inner_code, got.inner_code)) {
      throw Mismatch{std::string(where.what) + where.name + " should be aborted by " +
                     expected.inner_code + ", got " + got.inner_code};
    }
  }
}

}  // namespace

void Step::match(const Reply& expected, const Reply& seen, const std::string& name) {
  const Where where{"", name};
  if (expected.kind != seen.kind) {
    throw Mismatch{name + " should be " + describe(expected) + ", got " + describe(seen)};
  }
  switch (expected.kind) {
    case Reply::Kind::kNone:
    case Reply::Kind::kOk:
    case Reply::Kind::kNil:
    case Reply::Kind::kGone:
    case Reply::Kind::kBlocked:
      return;
    case Reply::Kind::kError:
      return match_error(where, expected, seen);
    case Reply::Kind::kPushed:
      same(where, "id", expected.id, seen.id);
      return same(where, "created", expected.created, seen.created);
    case Reply::Kind::kFailed:
      same(where, "state", expected.state, seen.state);
      same(where, "run_at", expected.run_at_engine_ms, seen.run_at_engine_ms);
      return same(where, "attempt", expected.attempt, seen.attempt);
    case Reply::Kind::kLease:
      same(where, "lease_ms", expected.lease_ms, seen.lease_ms);
      return same(where, "cancelled", expected.cancelled, seen.cancelled);
    case Reply::Kind::kLeases:
      same(where, "number of leases", static_cast<int64_t>(expected.leases.size()),
           static_cast<int64_t>(seen.leases.size()));
      for (size_t i = 0; i < expected.leases.size(); ++i) {
        match_grant(expected.leases[i], seen.leases[i]);
      }
      return;
    case Reply::Kind::kJob:
      same(where, "job id", expected.job.at(0).id, seen.job.at(0).id);
      return match_job(*find_job(w_, expected.job[0].id), seen.job[0], false);
    case Reply::Kind::kBeat:
      same(where, "state", expected.worker_state, seen.worker_state);
      same(where, "cancel", expected.cancel, seen.cancel);
      return same(where, "lost", expected.lost, seen.lost);
    case Reply::Kind::kStats:
      same(where, "queue", expected.queue.at(0).name, seen.queue.at(0).name);
      return match_queue(expected.queue[0].name, seen.queue[0]);
    case Reply::Kind::kNames:
      return same(where, "names", expected.names, seen.names);
    case Reply::Kind::kWorkers:
      return same(where, "workers", expected.workers, seen.workers);
    case Reply::Kind::kValue:
      return same(where, "value", expected.text, seen.text);
    case Reply::Kind::kInteger:
      return same(where, "number", expected.number, seen.number);
    case Reply::Kind::kScanned:
    case Reply::Kind::kListed:
      return;  // Judged where they were expected: what they name is free.
    case Reply::Kind::kFields:
      return same(where, "fields", expected.fields, seen.fields);
    case Reply::Kind::kStarted:
      same(where, "operation", expected.text, seen.text);
      return same(where, "matched", expected.number, seen.number);
    case Reply::Kind::kArray:
      same(where, "number of items", static_cast<int64_t>(expected.items.size()),
           static_cast<int64_t>(seen.items.size()));
      for (size_t i = 0; i < expected.items.size(); ++i) {
        match(expected.items[i], seen.items[i], name + "[" + std::to_string(i) + "]");
      }
      return;
  }
}

}  // namespace model
