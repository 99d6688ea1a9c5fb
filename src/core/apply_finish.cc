// What ends or keeps a lease: ACK, FAIL, RELEASE, EXTEND, PROGRESS, and the server's own end of it.
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

// A lease that a command names: still valid (`job` set), or ended by the same command before.
struct Named {
  Job* job = nullptr;
  Ending repeats = Ending::kNone;
  JobState after = JobState::kReady;
  uint32_t attempt = 0;
  int64_t run_at_ms = 0;
};

// The ended attempt with this token whose command may still be repeated, from record or ledger.
std::optional<LedgerEntry> find_ended(const Context& context, const Job* job, JobId id,
                                      const LeaseToken& token) {
  const auto entry_of = [&](const Attempt& attempt) -> std::optional<LedgerEntry> {
    if (!(attempt.token == token) || attempt.outcome == Outcome::kNone) return std::nullopt;
    if (repeatable_until(*job->record, attempt) <= context.now.engine) return std::nullopt;
    return LedgerEntry{.id = id,
                       .fence = token.fence,
                       .ending = attempt.ending,
                       .cancelled = attempt.cancelled,
                       .after = attempt.after,
                       .attempt = attempt.number,
                       .run_at_ms = attempt.run_at_ms};
  };
  if (job != nullptr) {
    if (auto entry = entry_of(job->record->attempt_last)) return entry;
    if (job->record->extras) {
      for (const Attempt& attempt : job->record->extras->history) {
        if (auto entry = entry_of(attempt)) return entry;
      }
    }
  }
  auto entry = context.state.ledger().find(id, token.fence, context.now.engine);
  if (entry && entry->secret_hash != secret_hash(token)) entry.reset();
  return entry;
}

base::Result<Named> find_lease(const Context& context, const JobRef& ref, const TokenRef& token,
                               Ending command) {
  if (!token.valid) {
    return base::fail(ErrorCode::kBadReq, "field=token is not a token: send it as it was leased");
  }
  const base::Result<Job*> found = find_job(context.state, ref);
  Job* job = found ? *found : nullptr;
  if (job != nullptr && job->state == JobState::kRunning &&
      job->record->attempt_last.token == token.token) {
    return Named{.job = job};
  }
  const JobId id = job != nullptr ? job->id : ref.id;
  if (const auto ended = find_ended(context, job, id, token.token)) {
    const bool by_worker = ended->ending == Ending::kFail || ended->ending == Ending::kRelease;
    const bool repeats = command != Ending::kNone && ended->ending == command;
    if (repeats && (by_worker || !ended->cancelled)) {
      return Named{.repeats = command,
                   .after = ended->after,
                   .attempt = ended->attempt,
                   .run_at_ms = ended->run_at_ms};
    }
    if (ended->cancelled) {
      return base::fail(ErrorCode::kCancelled, "job {} was cancelled: drop its work",
                        job_id_text(id));
    }
    if (!found) {  // The token was valid once, so what is wrong is the lease.
      return base::fail(ErrorCode::kLeaseLost,
                        "job {} and this lease are over, nothing was changed", job_id_text(id));
    }
  }
  if (!found) return tl::unexpected(found.error());
  return base::fail(ErrorCode::kLeaseLost,
                    "held_by_attempt={} job {} is {}: this lease is over, nothing was changed",
                    job->record->attempt, job_id_text(id), job_state_name(job->state));
}

Status ack_one(Context& context, const AckItem& item) {
  if (item.has_result) {
    TRY(check_bytes("result", item.result.size(), limits::kResultBytesMax));
  }
  const Named named = TRY(find_lease(context, item.job, item.token, Ending::kAck));
  if (named.job == nullptr) return {};
  Job& job = *named.job;
  if (job.record->cancel_requested) {
    emit(context, JobEnded{.id = job.id,
                           .outcome = Outcome::kCancelled,
                           .ending = Ending::kAck,
                           .after = next_state(job.state, Event::kEndCancelled)});
    return base::fail(ErrorCode::kCancelled, "job {} was cancelled: its result is dropped",
                      job_id_text(job.id));
  }
  emit(context, JobEnded{.id = job.id,
                         .outcome = Outcome::kSucceeded,
                         .ending = Ending::kAck,
                         .after = next_state(job.state, Event::kAck),
                         .result = item.result,
                         .has_result = item.has_result});
  return {};
}

void write_status(Reply& reply, const Status& status) {
  status ? reply.ok() : reply.error(status.error());
}

const Backoff& backoff_of(const Job& job) {
  static const Backoff kDefault;
  const JobRecord& record = *job.record;
  return record.extras && record.extras->has_backoff ? record.extras->backoff : kDefault;
}

// Fills in where a failed attempt leads: dead, or again at run_at.
void decide_retry(Context& context, const Job& job, const Fail& fail, JobEnded& ended) {
  const bool used_up = job.record->attempt >= job.record->attempts_max;
  if (fail.no_retry || used_up) {
    ended.after = next_state(job.state, Event::kFailFinal);
    ended.dead_reason = fail.no_retry ? DeadReason::kNotRetryable : DeadReason::kAttempts;
    return;
  }
  const int64_t delay_ms =
      fail.retry_in_ms ? *fail.retry_in_ms
                       : pick(retry_delay(backoff_of(job), job.record->attempt), context.random);
  ended.run_at_ms = (context.now.engine + base::Duration{delay_ms}).ms;
  ended.after = next_state(job.state, delay_ms > 0 ? Event::kFailRetry : Event::kFailRetryNow);
  if (ended.after == JobState::kReady) ended.ready_seq = context.state.ready_seq_next();
}

void write_fail(Reply& reply, const JobEnded& ended, uint32_t attempt, base::Now now) {
  const bool again = ended.after == JobState::kScheduled || ended.after == JobState::kReady;
  reply.map(again ? 3 : 2);
  reply.bulk("state");
  reply.bulk(job_state_name(ended.after));
  if (again) {
    reply.bulk("run_at_ms");
    reply.integer(unix_ms(base::EngineTime{ended.run_at_ms}, now));
  }
  reply.bulk("attempt");
  reply.integer(attempt);
}

Status check_fail(const Fail& fail) {
  if (fail.retry_in_ms) {
    TRY(check_range("RETRYIN", *fail.retry_in_ms, {0, limits::kDurationMsMax}));
  }
  if (fail.retry_in_ms && fail.no_retry) {
    return base::fail(ErrorCode::kBadReq, "field=NORETRY RETRYIN and NORETRY exclude each other");
  }
  return {};
}

// Ends the lease without an attempt: back to its place, or for later.
void release_lease(Context& context, Job& job, int64_t delay_ms) {
  JobEnded ended{.id = job.id, .outcome = Outcome::kReleased, .ending = Ending::kRelease};
  if (job.record->cancel_requested) {
    ended.after = next_state(job.state, Event::kEndCancelled);
  } else if (delay_ms > 0) {
    ended.after = next_state(job.state, Event::kReleaseLater);
    ended.run_at_ms = (context.now.engine + base::Duration{delay_ms}).ms;
  } else {
    ended.after = next_state(job.state, Event::kRelease);
    ended.ready_seq = job.ready_seq;
  }
  emit(context, std::move(ended));
}

// Renews the lease, never shortens it. Not stored: after a restart it has its grace.
void renew(Context& context, Job& job, int64_t lease_ms) {
  const base::EngineTime deadline = context.now.engine + base::Duration{lease_ms};
  if (deadline > job.record->lease.deadline) context.state.set_lease_deadline(job, deadline);
}

// Whether a BEAT or a BYE may be applied: one lease that is none refuses the whole.
Status check_leases(std::string_view worker, const std::vector<LeaseRef>& leases) {
  TRY(check_range("worker", static_cast<int64_t>(worker.size()),
                  {1, static_cast<int64_t>(limits::kNameBytesMax)}));
  TRY(check_range("LEASES", static_cast<int64_t>(leases.size()),
                  {0, static_cast<int64_t>(limits::kBatchItemsMax)}));
  if (std::ranges::all_of(leases, [](const LeaseRef& lease) { return lease.token.valid; })) {
    return {};
  }
  return base::fail(ErrorCode::kBadReq, "field=token one of them is not a token");
}

void write_lease_left(Reply& reply, const Job& job, base::Now now) {
  reply.map(2);
  reply.bulk("lease_ms");
  reply.integer((job.record->lease.deadline - now.engine).count());
  reply.bulk("cancelled");
  reply.integer(job.record->cancel_requested ? 1 : 0);
}

}  // namespace

void apply_ack(Context& context, const Ack& ack, Answer& answer) {
  write_status(answer.reply, ack_one(context, ack.item));
}

void apply_ack_many(Context& context, const AckMany& ack, Answer& answer) {
  const Status fits = check_range("n", static_cast<int64_t>(ack.items.size()),
                                  {1, static_cast<int64_t>(limits::kBatchItemsMax)});
  if (!fits) return answer.reply.error(fits.error());
  const auto malformed = [](const AckItem& item) { return !item.token.valid; };
  if (std::ranges::any_of(ack.items, malformed)) {
    return answer.reply.error(ErrorCode::kBadReq, "field=token one of them is not a token");
  }
  answer.reply.array(static_cast<uint32_t>(ack.items.size()));
  for (const AckItem& item : ack.items) write_status(answer.reply, ack_one(context, item));
}

void apply_fail(Context& context, const Fail& fail, Answer& answer) {
  if (const Status fits = check_fail(fail); !fits) return answer.reply.error(fits.error());
  const auto named = find_lease(context, fail.job, fail.token, Ending::kFail);
  if (!named) return answer.reply.error(named.error());
  JobEnded ended;
  if (named->job == nullptr) {
    ended.after = named->after;
    ended.run_at_ms = named->run_at_ms;
    return write_fail(answer.reply, ended, named->attempt, context.now);
  }
  Job& job = *named->job;
  const uint32_t attempt = job.record->attempt;
  ended.id = job.id;
  ended.ending = Ending::kFail;
  ended.error_class = fail.error_class.substr(0, limits::kErrorClassBytesMax);
  ended.message = fail.message.substr(0, limits::kErrorMessageBytesMax);
  ended.trace = fail.trace.substr(0, limits::kErrorTraceBytesMax);
  if (job.record->cancel_requested) {
    ended.outcome = Outcome::kCancelled;
    ended.after = next_state(job.state, Event::kEndCancelled);
  } else {
    ended.outcome = Outcome::kFailed;
    decide_retry(context, job, fail, ended);
  }
  write_fail(answer.reply, ended, attempt, context.now);
  emit(context, std::move(ended));
}

void apply_release(Context& context, const Release& release, Answer& answer) {
  const int64_t delay_ms = release.delay_ms.value_or(0);
  const Status fits = check_range("DELAY", delay_ms, {0, limits::kDurationMsMax});
  if (!fits) return answer.reply.error(fits.error());
  const auto named = find_lease(context, release.job, release.token, Ending::kRelease);
  if (!named) return answer.reply.error(named.error());
  if (named->job != nullptr) release_lease(context, *named->job, delay_ms);
  answer.reply.ok();
}

void apply_extend(Context& context, const Extend& extend, Answer& answer) {
  const Status fits =
      check_range("ms", extend.lease_ms, {limits::kLeaseMsMin, limits::kLeaseMsMax});
  if (!fits) return answer.reply.error(fits.error());
  const auto named = find_lease(context, extend.job, extend.token, Ending::kNone);
  if (!named) return answer.reply.error(named.error());
  renew(context, *named->job, extend.lease_ms);
  write_lease_left(answer.reply, *named->job, context.now);
}

void apply_progress(Context& context, const Progress& progress, Answer& answer) {
  const Status fits = check_bytes("data", progress.data.size(), limits::kProgressBytesMax);
  if (!fits) return answer.reply.error(fits.error());
  const auto named = find_lease(context, progress.job, progress.token, Ending::kNone);
  if (!named) return answer.reply.error(named.error());
  Job& job = *named->job;
  emit(context, JobProgressed{.id = job.id, .data = progress.data});
  renew(context, job, job.record->lease_ms);
  write_lease_left(answer.reply, job, context.now);
}

void apply_log(Context& context, const Log& log, Answer& answer) {
  const Status fits = check_bytes("text", log.text.size(), limits::kLogTextBytesMax);
  if (!fits) return answer.reply.error(fits.error());
  const auto named = find_lease(context, log.job, log.token, Ending::kNone);
  if (!named) return answer.reply.error(named.error());
  if (context.push_refusal != nullptr) return answer.reply.error(*context.push_refusal);
  emit(context, JobLogged{.id = named->job->id, .level = log.level, .text = log.text});
  answer.reply.ok();
}

void apply_beat(Context& context, const WorkerBeat& beat, Answer& answer) {
  Status fits = check_leases(beat.worker, beat.leases);
  if (fits) fits = check_bytes("INFO", beat.info.size(), limits::kWorkerInfoBytesMax);
  if (!fits) return answer.reply.error(fits.error());
  Workers::Worker& worker = hear_worker(context, beat.worker);
  if (!beat.info.empty()) worker.info = beat.info;
  const auto lease_of = [&](const LeaseRef& lease) -> Job* {
    const auto named = find_lease(context, lease.job, lease.token, Ending::kNone);
    return named ? named->job : nullptr;
  };
  std::vector<std::string_view> cancel;
  std::vector<std::string_view> lost;
  for (const LeaseRef& lease : beat.leases) {
    Job* job = lease_of(lease);
    if (job == nullptr) {
      lost.push_back(lease.job.text);
      continue;
    }
    renew(context, *job, job->record->lease_ms);
    if (job->record->cancel_requested) cancel.push_back(lease.job.text);
  }
  const auto ids = [&](std::string_view field, const std::vector<std::string_view>& texts) {
    answer.reply.bulk(field);
    answer.reply.array(static_cast<uint32_t>(texts.size()));
    for (const std::string_view text : texts) answer.reply.bulk(text);
  };
  answer.reply.map(3);
  answer.reply.bulk("state");
  answer.reply.bulk(worker_order_name(worker.order));
  ids("cancel", cancel);
  ids("lost", lost);
}

void apply_bye(Context& context, const WorkerBye& bye, Answer& answer) {
  const Status fits = check_leases(bye.worker, bye.leases);
  if (!fits) return answer.reply.error(fits.error());
  std::vector<Job*> held;
  for (const LeaseRef& lease : bye.leases) {
    const auto named = find_lease(context, lease.job, lease.token, Ending::kNone);
    if (named && std::ranges::find(held, named->job) == held.end()) held.push_back(named->job);
  }
  // Last place first: each then goes to the very front of its ring.
  std::ranges::sort(held, std::ranges::greater{},
                    [](const Job* job) { return uint64_t{job->ready_seq}; });
  for (Job* job : held) release_lease(context, *job, 0);
  if (context.state.workers().knows(bye.worker)) {
    tell_of_worker(context, EventKind::kLeft, bye.worker);
  }
  context.state.forget_worker(bye.worker);
  answer.reply.ok();
}

void end_overdue_lease(Context& context, Job& job) {
  const bool timed_out = job.record->lease.timeout_end <= job.record->lease.deadline;
  JobEnded ended{.id = job.id, .outcome = timed_out ? Outcome::kTimeout : Outcome::kLost};
  ended.error_class = timed_out ? "Timeout" : "LeaseLost";
  const std::string message =
      timed_out ? fmt::format("ran longer than its limit of {} ms", job.record->timeout_ms)
                : fmt::format("the worker did not renew its lease of {} ms", job.record->lease_ms);
  ended.message = message;
  if (job.record->cancel_requested) {
    ended.outcome = Outcome::kCancelled;
    ended.after = next_state(job.state, Event::kEndCancelled);
  } else if (timed_out) {
    decide_retry(context, job, Fail{}, ended);
  } else {
    const uint32_t crashes = job.record->crashes + 1;
    const bool crashed_out = job.record->lease.alone && crashes >= job.record->crashes_max;
    if (crashed_out || job.record->attempt >= job.record->attempts_max) {
      ended.after = next_state(job.state, Event::kLoseFinal);
      ended.dead_reason = crashed_out ? DeadReason::kCrashes : DeadReason::kAttempts;
    } else {
      ended.after = next_state(job.state, Event::kLoseRetry);
      const DelayRange range = crash_delay(backoff_of(job), job.record->attempt, crashes);
      ended.run_at_ms = context.now.engine.ms + pick(range, context.random);
    }
  }
  emit(context, std::move(ended));
}

}  // namespace core
