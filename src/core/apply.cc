#include "core/apply.h"

#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;

namespace {

// Not a lambda for each: every one would hold both references, and all of them be written to the
// stack for every command.
struct Applier {
  Context& context;
  Answer& answer;

  void operator()(const Push& body) const { apply_push(context, body, answer); }
  void operator()(const PushMany& body) const { apply_push_many(context, body, answer); }
  void operator()(const Fetch& body) const { apply_fetch(context, body, answer); }
  void operator()(const Ack& body) const { apply_ack(context, body, answer); }
  void operator()(const AckMany& body) const { apply_ack_many(context, body, answer); }
  void operator()(const Fail& body) const { apply_fail(context, body, answer); }
  void operator()(const Release& body) const { apply_release(context, body, answer); }
  void operator()(const Extend& body) const { apply_extend(context, body, answer); }
  void operator()(const Progress& body) const { apply_progress(context, body, answer); }
  void operator()(const Log& body) const { apply_log(context, body, answer); }
  void operator()(const Edit& body) const { apply_edit(context, body, answer); }
  void operator()(const Get& body) const { apply_get(context, body, answer); }
  void operator()(const Wait& body) const { apply_wait(context, body, answer); }
  void operator()(const Bulk& body) const { apply_bulk(context, body, answer); }
  void operator()(const ListJobs& body) const { apply_list(context, body, answer); }
  void operator()(const CountJobs& body) const { apply_count(context, body, answer); }
  void operator()(const OperationStart& body) const {
    apply_operation_start(context, body, answer);
  }
  void operator()(const OperationGet& body) const { apply_operation_get(context, body, answer); }
  void operator()(const OperationList&) const { apply_operation_list(context, answer); }
  void operator()(const OperationCancel& body) const {
    apply_operation_cancel(context, body, answer);
  }
  void operator()(const OperationWait& body) const { apply_operation_wait(context, body, answer); }
  void operator()(const EventRead& body) const { apply_event_read(context, body, answer); }
  void operator()(const WorkerBeat& body) const { apply_beat(context, body, answer); }
  void operator()(const WorkerBye& body) const { apply_bye(context, body, answer); }
  void operator()(const WorkerList&) const { apply_worker_list(context, answer); }
  void operator()(const WorkerTell& body) const { apply_worker_tell(context, body, answer); }
  void operator()(const QueueStats& body) const { apply_queue_stats(context, body, answer); }
  void operator()(const QueueStatsAll& body) const { apply_queue_stats_all(context, body, answer); }
  void operator()(const QueueList& body) const { apply_queue_list(context, body, answer); }
  void operator()(const QueuePause& body) const { apply_queue_pause(context, body, answer); }
  void operator()(const QueueResume& body) const { apply_queue_resume(context, body, answer); }
  void operator()(const QueueSet& body) const { apply_queue_set(context, body, answer); }
  void operator()(const TypePause& body) const { apply_type_pause(context, body, answer); }
  void operator()(const TypeResume& body) const { apply_type_resume(context, body, answer); }
  void operator()(const KeySet& body) const { apply_key_set(context, body, answer); }
  void operator()(const KeyGet& body) const { apply_key_get(context, body, answer); }
  void operator()(const KeysGet& body) const { apply_keys_get(context, body, answer); }
  void operator()(const KeysDelete& body) const { apply_keys_delete(context, body, answer); }
  void operator()(const KeysExist& body) const { apply_keys_exist(context, body, answer); }
  void operator()(const KeyExpire& body) const { apply_key_expire(context, body, answer); }
  void operator()(const KeyTimeLeft& body) const { apply_key_time_left(context, body, answer); }
  void operator()(const KeyPersist& body) const { apply_key_persist(context, body, answer); }
  void operator()(const KeyAdd& body) const { apply_key_add(context, body, answer); }
  void operator()(const KeyScan& body) const { apply_key_scan(context, body, answer); }
  void operator()(const KeyCount&) const { apply_key_count(context, answer); }
  void operator()(const KeyType& body) const { apply_key_type(context, body, answer); }
  void operator()(const HashSet& body) const { apply_hash_set(context, body, answer); }
  void operator()(const HashGet& body) const { apply_hash_get(context, body, answer); }
  void operator()(const HashGetMany& body) const { apply_hash_get_many(context, body, answer); }
  void operator()(const HashAll& body) const { apply_hash_all(context, body, answer); }
  void operator()(const HashDelete& body) const { apply_hash_delete(context, body, answer); }
  void operator()(const HashHas& body) const { apply_hash_has(context, body, answer); }
  void operator()(const HashSize& body) const { apply_hash_size(context, body, answer); }
  void operator()(const HashAdd& body) const { apply_hash_add(context, body, answer); }
  void operator()(const HashAddFloat& body) const { apply_hash_add_float(context, body, answer); }
  void operator()(const UndoGrants& body) const { apply_undo_grants(context, body); }
  void operator()(const AcceptClock&) const {
    context.state.release_wall_hold();
    answer.reply.ok();
  }
  void operator()(const Exec& body) const { apply_exec(context, body, answer); }
};

}  // namespace

void apply(Context& context, const Command& command, Answer& answer) {
  std::visit(Applier{context, answer}, command.body);
}

Job* find_seen(const State& state, const JobRef& ref) {
  Job* job = ref.by_key() ? state.find_key(ref.key) : state.find(ref.id);
  return job != nullptr && ref.sight.sees(job->queue->name) ? job : nullptr;
}

base::Result<Job*> find_job(const State& state, const JobRef& ref) {
  if (Job* job = find_seen(state, ref)) return job;
  if (ref.by_key()) return base::fail(ErrorCode::kNotFound, "no job has the key '{}'", ref.key);
  const base::Error* damage = state.damage_of(ref.id);
  // Of a damaged job the queue is not known.
  if (damage != nullptr && ref.sight.sees_all()) return tl::unexpected(*damage);
  if (state.was_given(ref.id)) {
    return base::fail(ErrorCode::kGone, "job {} is finished and its record is gone",
                      job_id_text(ref.id));
  }
  return base::fail(ErrorCode::kNotFound, "no job has the id {}", job_id_text(ref.id));
}

bool is_name(std::string_view text) {
  static constexpr auto kAllowed = [] {
    std::array<bool, 256> allowed{};
    for (char c = '0'; c <= '9'; ++c) allowed[static_cast<uint8_t>(c)] = true;
    for (char c = 'a'; c <= 'z'; ++c) allowed[static_cast<uint8_t>(c)] = true;
    for (char c = 'A'; c <= 'Z'; ++c) allowed[static_cast<uint8_t>(c)] = true;
    for (const char c : {'_', '.', ':', '-'}) allowed[static_cast<uint8_t>(c)] = true;
    return allowed;
  }();
  return !text.empty() && text.size() <= limits::kNameBytesMax &&
         std::ranges::all_of(text, [](char c) { return kAllowed[static_cast<uint8_t>(c)]; });
}

base::Status check_name(std::string_view field, std::string_view text) {
  if (is_name(text)) return {};
  return base::fail(ErrorCode::kBadReq,
                    "field={} '{}' is no name: give 1 to {} characters of A-Z a-z 0-9 _ . : -",
                    field, text.substr(0, 64), limits::kNameBytesMax);
}

base::Status check_range(std::string_view field, int64_t value, Range range) {
  if (value >= range.low && value <= range.high) return {};
  return base::fail(ErrorCode::kBadReq, "field={} {} is not within {} to {}", field, value,
                    range.low, range.high);
}

base::Status check_bytes(std::string_view field, size_t got, size_t limit) {
  if (got <= limit) return {};
  return base::fail(ErrorCode::kTooBig,
                    "limit={} got={} bytes of {}: store it elsewhere and send a reference", limit,
                    got, field);
}

// --- Time.

namespace {

// When an AT job is due, on the axis of engine time as the clocks stand now.
int64_t wall_due_ms(const State& state, base::Now now) {
  return state.wall_timers().next_ms() - (now.wall.ms - now.engine.ms);
}

void make_ready(Context& context, Job& job) {
  emit(context, JobMoved{.id = job.id,
                         .after = next_state(job.state, Event::kDue),
                         .ready_seq = context.state.ready_seq_next()});
}

// How far ahead the records of what will be due are asked for.
constexpr base::Duration kLookAhead{2'000};

// Whether the job's time can be over without a look at its record.
bool goes_unseen(const Job& job) {
  return is_finished(job.state) && !job.is_keyed;
}

// What the engine-time timer of `job` stands for.
void fire(Context& context, Job& job) {
  const base::EngineTime now = context.now.engine;
  if (job.state == JobState::kRunning) {
    end_overdue_lease(context, job);
  } else if (is_finished(job.state)) {
    emit(context, JobRemoved{.id = job.id});
  } else if (job.record->attempt == 0 && job.record->expires_at.ms != 0 &&
             job.record->expires_at <= now) {
    emit(context, JobMoved{.id = job.id, .after = next_state(job.state, Event::kExpire)});
  } else {
    make_ready(context, job);
  }
}

}  // namespace

namespace {

// What goes by itself although it has no timer: finished records and producers beyond their bounds.
// Returns how many went, at most `most`.
size_t drop_overflow(Context& context, size_t most) {
  size_t dropped = 0;
  while (dropped < most) {
    Job* job = context.state.history_overflow();
    if (job != nullptr && !job->record && job->is_keyed) {
      context.state.residency().want(*job);  // Its key has to be forgotten with it.
      break;
    }
    if (job != nullptr) {
      emit(context, JobRemoved{.id = job->id});
    } else if (const auto* producer = context.state.producers().overflow(context.now.engine)) {
      const std::string name = *producer;  // The key goes with the entry.
      emit(context, ProducerForgotten{.name = name});
    } else {
      break;
    }
    ++dropped;
  }
  return dropped;
}

Due apply_due_jobs(Context& context, size_t most) {
  State& state = context.state;
  const base::Now now = context.now;
  const bool held = now.engine < state.wall_hold_until();
  for (size_t done = 0; done < most; ++done) {
    const bool engine_due = !state.timers().empty() && state.timers().next_ms() <= now.engine.ms;
    const bool wall_due =
        !held && !state.wall_timers().empty() && state.wall_timers().next_ms() <= now.wall.ms;
    if (!engine_due && !wall_due) {
      const bool all = drop_overflow(context, most - done) < most - done;
      return all ? Due::kDone : Due::kMore;
    }
    bool wall_first = wall_due;
    if (engine_due && wall_due) {
      const auto engine_key = std::pair(state.timers().next_ms(), state.timers().next().id);
      wall_first = std::pair(wall_due_ms(state, now), state.wall_timers().next().id) < engine_key;
    }
    Job& job = wall_first ? state.wall_timers().next() : state.timers().next();
    if (!job.record && !goes_unseen(job)) {
      state.residency().want(job);
      state.look_ahead_due({now.engine + kLookAhead, now.wall + kLookAhead});
      return Due::kMisses;
    }
    wall_first ? make_ready(context, job) : fire(context, job);
  }
  return Due::kMore;
}

}  // namespace

Due apply_due(Context& context, size_t most) {
  const bool more_keys = remove_keys_over(context, most);
  const Due jobs = apply_due_jobs(context, most);
  return jobs == Due::kDone && more_keys ? Due::kMore : jobs;
}

base::EngineTime next_due(const State& state, base::Now now) {
  // What waits for a record goes on when that is there; until then nothing is due.
  const auto misses = [](const Job& job) { return !job.record && job.wanted; };
  const auto is_being_read = [&](JobId id) {
    const Job* job = state.find(id);
    return job != nullptr && misses(*job);
  };
  base::EngineTime due =
      std::min(state.keys().next_over(now), state.operations().next_turn(is_being_read));
  if (const Job* job = state.history_overflow(); job != nullptr && !misses(*job)) return now.engine;
  if (!state.timers().empty() && !misses(state.timers().next())) {
    due = std::min(due, base::EngineTime{state.timers().next_ms()});
  }
  if (!state.wall_timers().empty() && !misses(state.wall_timers().next())) {
    const base::EngineTime wall{wall_due_ms(state, now)};
    due = std::min(due, std::max(wall, state.wall_hold_until()));
  }
  return due;
}

}  // namespace core
