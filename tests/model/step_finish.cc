// The verbs of a lease: ACK, MACK, FAIL, RELEASE, EXTEND, PROGRESS, LOG, BEAT, BYE, and how a
// lease ends.
#include <algorithm>

#include "model/step.h"

namespace model {
namespace {

constexpr int64_t kLedgerMsMin = 60'000;
constexpr int64_t kExtendMsMax = 86'400'000;
constexpr size_t kResultBytesMax = 1'048'576;
constexpr size_t kProgressBytesMax = 65'536;
constexpr size_t kLogBytesMax = 262'144;
constexpr size_t kLogLineBytes = 32;  // What a line counts beside its text.
constexpr size_t kClassBytesMax = 256;
constexpr size_t kMessageBytesMax = 4'096;
constexpr size_t kTraceBytesMax = 16'384;
constexpr size_t kHistoryMax = 32;

bool malformed(const LeaseName& lease) {
  return !valid_id(lease.id) || !valid_token(lease.token);
}

bool refused_leases(const std::string& worker, const std::vector<LeaseName>& leases) {
  return worker.empty() || worker.size() > kWorkerBytesMax ||
         leases.size() > static_cast<size_t>(kItemsMax) ||
         std::any_of(leases.begin(), leases.end(), malformed);
}

}  // namespace

// The job whose valid lease this is, or what the verb is answered instead.
Step::Found Step::find_lease(const LeaseName& lease, LeaseVerb verb) {
  const std::optional<std::string> id = resolve(lease.id);
  if (!id) return Found{nullptr, error_reply("NOTFOUND")};
  Job* job = find_job(w_, *id);
  if (job != nullptr && job->view.lease && job->view.lease->token == lease.token) {
    return Found{job, {}};
  }
  const auto entry = w_.ledger.find({*id, lease.token});
  if (entry != w_.ledger.end() && w_.now.engine_ms < entry->second.until_ms) {
    if (verb == entry->second.verb && verb != LeaseVerb::kOther) {
      return Found{nullptr, entry->second.answer};
    }
    return Found{nullptr, error_reply(entry->second.cancelled ? "CANCELLED" : "LEASELOST")};
  }
  if (job == nullptr) return Found{nullptr, no_record(*id)};
  if (entry == w_.ledger.end()) return Found{nullptr, error_reply("LEASELOST")};
  // The ledger has forgotten it: the record may or may not still tell.
  return Found{nullptr, error_reply(entry->second.cancelled ? "GONE|LEASELOST|CANCELLED"
                                                            : "GONE|LEASELOST")};
}

Reply Step::ack(const Ack& ack) {
  if (malformed(ack.lease)) return error_reply("BADREQ");
  if (ack.result && ack.result->size() > kResultBytesMax) return error_reply("TOOBIG");
  const Found found = find_lease(ack.lease, LeaseVerb::kAck);
  if (found.job == nullptr) return found.refusal;
  Job& job = *found.job;
  if (job.view.cancel_requested) {
    const Reply answer = error_reply("CANCELLED");
    record(job, ack.lease.token, LedgerEntry{LeaseVerb::kAck, answer, true, 0});
    end_cancelled(job, Fail{});
    return answer;
  }
  record(job, ack.lease.token, LedgerEntry{LeaseVerb::kAck, ok_reply(), false, 0});
  add_history(job, Outcome::kSucceeded, Fail{});
  job.view.result = ack.result;
  ++queue_of(job).succeeded;
  finish(job, State::kSucceeded);
  return ok_reply();
}

Reply Step::mack(const MAck& mack) {
  if (!within(static_cast<int64_t>(mack.items.size()), 1, kItemsMax)) return error_reply("BADREQ");
  for (const Ack& item : mack.items) {
    if (malformed(item.lease)) return error_reply("BADREQ");
  }
  std::vector<Reply> items;
  for (const Ack& item : mack.items) items.push_back(ack(item));
  return array_reply(std::move(items));
}

Reply Step::fail(const Fail& fail, const Reply* seen) {
  if (malformed(fail.lease) || (fail.retry_in_ms && fail.no_retry)) return error_reply("BADREQ");
  if (fail.retry_in_ms && !within(*fail.retry_in_ms, 0, kDurationMsMax)) {
    return error_reply("BADREQ");
  }
  const Found found = find_lease(fail.lease, LeaseVerb::kFail);
  if (found.job == nullptr) return found.refusal;
  Job& job = *found.job;
  const bool cancelled = job.view.cancel_requested;
  if (cancelled) {
    end_cancelled(job, fail);
  } else {
    end_failed(job, fail, seen);
  }
  Reply answer;
  answer.kind = Reply::Kind::kFailed;
  answer.state = job.view.state;
  answer.attempt = job.view.attempt;
  if (job.view.state == State::kReady) answer.run_at_engine_ms = w_.now.engine_ms;
  if (job.view.state == State::kScheduled) answer.run_at_engine_ms = job.view.run_at.ms;
  record(job, fail.lease.token, LedgerEntry{LeaseVerb::kFail, answer, cancelled, 0});
  return answer;
}

Reply Step::release(const Release& release) {
  if (malformed(release.lease)) return error_reply("BADREQ");
  if (!within(release.delay_ms.value_or(0), 0, kDurationMsMax)) return error_reply("BADREQ");
  const Found found = find_lease(release.lease, LeaseVerb::kRelease);
  if (found.job == nullptr) return found.refusal;
  release_lease(*found.job, release.delay_ms.value_or(0));
  return ok_reply();
}

Reply Step::extend(const Extend& extend) {
  if (malformed(extend.lease) || !within(extend.ms, 1, kExtendMsMax)) return error_reply("BADREQ");
  const Found found = find_lease(extend.lease, LeaseVerb::kOther);
  if (found.job == nullptr) return found.refusal;
  renew(*found.job, extend.ms);
  return lease_reply(*found.job);
}

Reply Step::progress(const Progress& progress) {
  if (malformed(progress.lease)) return error_reply("BADREQ");
  if (progress.data.size() > kProgressBytesMax) return error_reply("TOOBIG");
  const Found found = find_lease(progress.lease, LeaseVerb::kOther);
  if (found.job == nullptr) return found.refusal;
  found.job->view.progress = progress.data;
  renew(*found.job, found.job->view.lease_ms);
  return lease_reply(*found.job);
}

Reply Step::log(const Log& log) {
  const bool known =
      log.level == "debug" || log.level == "info" || log.level == "warn" || log.level == "error";
  const bool wrong = malformed(log.lease) || !known;
  const bool too_big = log.text.size() + kLogLineBytes > kLogBytesMax;
  if (wrong && too_big) return error_reply("BADREQ|TOOBIG");
  if (wrong) return error_reply("BADREQ");
  if (too_big) return error_reply("TOOBIG");
  const Found found = find_lease(log.lease, LeaseVerb::kOther);
  if (found.job == nullptr) return found.refusal;
  LogView& kept = *found.job->view.lease->log;
  kept.lines.push_back(LogLine{w_.now.wall_ms, log.level, log.text});
  const auto bytes = [&] {
    size_t sum = 0;
    for (const LogLine& line : kept.lines) sum += line.text.size() + kLogLineBytes;
    return sum;
  };
  while (bytes() > kLogBytesMax) {
    kept.lines.erase(kept.lines.begin());
    ++kept.dropped;
  }
  return ok_reply();
}

Reply Step::beat(const Beat& beat) {
  if (refused_leases(beat.worker, beat.leases)) return error_reply("BADREQ");
  hear_worker(beat.worker);
  Reply reply;
  reply.kind = Reply::Kind::kBeat;
  reply.worker_state = worker_state(beat.worker);
  for (const LeaseName& lease : beat.leases) {
    const Found found = find_lease(lease, LeaseVerb::kOther);
    if (found.job == nullptr) {
      reply.lost.push_back(lease.id);
      continue;
    }
    renew(*found.job, found.job->view.lease_ms);
    if (found.job->view.cancel_requested) reply.cancel.push_back(lease.id);
  }
  return reply;
}

Reply Step::bye(const Bye& bye) {
  if (refused_leases(bye.worker, bye.leases)) return error_reply("BADREQ");
  w_.workers.erase(bye.worker);
  for (const LeaseName& lease : bye.leases) {
    const Found found = find_lease(lease, LeaseVerb::kOther);
    if (found.job != nullptr) release_lease(*found.job, 0);
  }
  return ok_reply();
}

// Requires: the job is running.
void Step::release_lease(Job& job, int64_t delay_ms) {
  const std::string token = job.view.lease->token;
  const bool cancelled = job.view.cancel_requested;
  record(job, token, LedgerEntry{LeaseVerb::kRelease, ok_reply(), cancelled, 0});
  --job.view.attempt;
  if (cancelled) {
    finish(job, State::kCancelled);
    return;
  }
  ++queue_of(job).released;
  if (delay_ms > 0) {
    run_again(job, Range{delay_ms, delay_ms}, nullptr);
  } else {
    make_ready_at_old_place(job);
  }
}

void Step::renew(Job& job, int64_t ms) {
  int64_t& deadline = job.view.lease->deadline_engine_ms;
  deadline = std::max(deadline, w_.now.engine_ms + ms);
}

Reply Step::lease_reply(const Job& job) const {
  Reply reply;
  reply.kind = Reply::Kind::kLease;
  reply.lease_ms = job.view.lease->deadline_engine_ms - w_.now.engine_ms;
  reply.cancelled = job.view.cancel_requested;
  return reply;
}

// Requires: the job is running.
void Step::add_history(Job& job, Outcome outcome, const Fail& how) {
  AttemptView entry;
  entry.attempt = job.view.attempt;
  entry.generation = job.view.generation;
  entry.fence = job.view.fence;
  entry.worker = job.view.lease->worker;
  entry.outcome = outcome;
  entry.error_class = how.error_class.substr(0, kClassBytesMax);
  entry.message = how.message.substr(0, kMessageBytesMax);
  entry.trace = how.trace.value_or("").substr(0, kTraceBytesMax);
  entry.log = job.view.lease->log;
  job.view.history.push_back(entry);
  if (job.view.history.size() > kHistoryMax) job.view.history.erase(job.view.history.begin());
}

void Step::end_failed(Job& job, const Fail& how, const Reply* seen) {
  add_history(job, Outcome::kFailed, how);
  ++queue_of(job).failed;
  if (how.no_retry) {
    die(job, DeadReason::kNoRetry);
  } else if (job.view.attempt >= job.view.max_attempts) {
    die(job, DeadReason::kAttempts);
  } else if (how.retry_in_ms) {
    run_again(job, Range{*how.retry_in_ms, *how.retry_in_ms}, seen);
  } else {
    run_again(job, backoff_delay(job.backoff, job.view.attempt), seen);
  }
}

void Step::end_cancelled(Job& job, const Fail& how) {
  add_history(job, Outcome::kCancelled, how);
  finish(job, State::kCancelled);
}

// Leaves whatever state the job was in; the caller has counted what is its own.
void Step::finish(Job& job, State state) {
  if (state == State::kCancelled) ++queue_of(job).cancelled;
  job.view.state = state;
  job.view.lease.reset();
  job.view.cancel_requested = false;
  job.view.finished_engine_ms = w_.now.engine_ms;
  job.run_at_range.reset();
  job.deadline_range.reset();
}

void Step::die(Job& job, DeadReason reason) {
  ++queue_of(job).died;
  job.view.dead_reason = reason;
  finish(job, State::kDead);
}

// The lease is over and the job runs again after a delay inside `delay`; the reply may tell which.
void Step::run_again(Job& job, Range delay, const Reply* seen) {
  if (delay.high <= 0) {
    make_ready(job);
    return;
  }
  schedule(job, delay, seen);
}

// The same, scheduled even if the delay is 0: the next due work finds it in its place.
void Step::schedule(Job& job, Range delay, const Reply* seen) {
  const Range at{w_.now.engine_ms + delay.low, w_.now.engine_ms + delay.high};
  job.view.state = State::kScheduled;
  job.view.lease.reset();
  job.view.run_at = RunAt{false, at.low};
  job.deadline_range.reset();
  if (at.low == at.high) return;
  if (seen == nullptr || !seen->run_at_engine_ms) {
    job.run_at_range = at;
    return;
  }
  if (!at.holds(*seen->run_at_engine_ms)) {
    throw Mismatch{"job " + job.view.id + " should run again between " + std::to_string(at.low) +
                   " and " + std::to_string(at.high) + ", got " +
                   std::to_string(*seen->run_at_engine_ms)};
  }
  job.view.run_at.ms = *seen->run_at_engine_ms;
}

void Step::make_ready(Job& job) {
  make_ready_at_old_place(job);
  job.ready_seq = w_.next_ready_seq++;
  job.ready_since_ms = w_.now.engine_ms;
}

void Step::make_ready_at_old_place(Job& job) {
  job.view.state = State::kReady;
  job.view.lease.reset();
  job.run_at_range.reset();
  job.deadline_range.reset();
}

void Step::record(const Job& job, const std::string& token, const LedgerEntry& entry) {
  LedgerEntry& stored = w_.ledger[{job.view.id, token}];
  stored = entry;
  stored.until_ms = w_.now.engine_ms + std::max(kLedgerMsMin, job.view.keep_ms.value_or(0));
}

}  // namespace model
