// Small tools of the apply_*.cc files. Not for anyone else.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "core/apply.h"
#include "core/lifecycle.h"

namespace core {

// Emits the effect and enacts it: the only way a command changes anything.
inline void emit(Context& context, Effect&& effect) {
  context.sink.put(effect);
  const bool is_watched = context.events != nullptr && context.events->is_listening();
  if (is_watched) context.events->before(context.state, effect, context.now);
  const base::Status done = context.state.enact(std::move(effect), context.now);
  ASSERT(done.has_value(), "{}", done.error().message);
  if (is_watched) context.events->after(context.state);
}

// Tells whoever watches.
inline void tell_of_worker(Context& context, EventKind kind, std::string_view name) {
  const bool is_watched = context.events != nullptr && context.events->is_listening();
  if (is_watched) context.events->add_worker(kind, name, context.now);
}

// A worker spoke; if it was not known, that is an event.
inline Workers::Worker& hear_worker(Context& context, std::string_view name) {
  const Workers::Heard heard = context.state.workers().hear(name, context.now);
  if (heard.is_new) tell_of_worker(context, EventKind::kJoined, name);
  return heard.worker;
}

// What a group that is taken back has put: effects, and events of them.
struct GroupMark {
  size_t effects;
  uint64_t events;
};
inline GroupMark group_mark(const Context& context) {
  return {context.sink.mark(), context.events != nullptr ? context.events->mark() : 0};
}
inline void rewind(Context& context, GroupMark mark) {
  context.sink.rewind(mark.effects);
  if (context.events != nullptr) context.events->rewind(mark.events);
}

// Returns the job that the reference names; null if there is none, or none that it sees.
Job* find_seen(const State& state, const JobRef& ref);
// The same, with GONE, NOTFOUND or CORRUPT for none. What is not seen is not told from what is not
// there.
base::Result<Job*> find_job(const State& state, const JobRef& ref);

// Whether the text is a name: 1 to 128 of [A-Za-z0-9_.:-].
bool is_name(std::string_view text);
base::Status check_name(std::string_view field, std::string_view text);

struct Range {
  int64_t low = 0;
  int64_t high = 0;
};
base::Status check_range(std::string_view field, int64_t value, Range range);
base::Status check_bytes(std::string_view field, size_t got, size_t limit);

// Whether there may be one more queue or type, if the name is new.
base::Status check_queue_bound(const State& state, std::string_view queue);
base::Status check_type_bound(const State& state, std::string_view type);
// QUEUEFULL if the queue is set to hold no more. Null: it is not there yet.
base::Status check_room(const Queue* queue);
base::Status check_options(const JobOptions& options);
base::Error bad_state(const Job& job, std::string_view verb);

// When a job is to run with these options; nothing: as soon as it can.
struct RunAt {
  int64_t ms = 0;
  bool is_wall = false;
};
std::optional<RunAt> run_at_of(const Context& context, const JobOptions& options);

// Unix milliseconds of a moment of engine time, as the clocks stand now.
inline int64_t unix_ms(base::EngineTime time, base::Now now) {
  return time.ms + (now.wall.ms - now.engine.ms);
}

// Cancels a job that is not running, or marks a running one (`force` ends its lease).
base::Status cancel_job(Context& context, Job& job, bool force);

// Writes all that is known of a job, as JOB.GET answers it, or what a list shows of it.
void write_job(Reply& reply, const Job& job, base::Now now);
void write_job_summary(Reply& reply, const Job& job, base::Now now);

// RETRY and DELETE of one job. BADSTATE if its state does not allow it.
base::Status retry_job(Context& context, Job& job);
base::Status delete_job(Context& context, Job& job);
// EDIT of one job that waits, after a look at the changes themselves.
base::Status check_changes(const State& state, const JobChanges& changes);
base::Status edit_job(Context& context, const JobChanges& changes, const Job& job);
// The states in which the verb changes a job, as bits.
uint8_t states_for(OperationVerb verb);
// BADSTATE if an operation is about to forget the queue, which would undo what it is told now.
base::Status check_not_deleted(const State& state, std::string_view queue);
// Goes on with a walk, as far as one step may; `visit` as JobWalk's. Returns whether it is over;
// otherwise the command is to be applied again.
bool go_on(Context& context, WalkInProgress& progress, const JobWalk::Visit& visit);
// How many jobs the query picks, of those in `states` (all if absent). Nothing: the command is to
// be applied again. TOOBIG if too many records would have to be read for it.
base::Result<std::optional<uint64_t>> count_picked(Context& context, const Query& query,
                                                   std::optional<uint8_t> states, Answer& answer);

void apply_push(Context& context, const Push& push, Answer& answer);
void apply_push_many(Context& context, const PushMany& push, Answer& answer);
void apply_fetch(Context& context, const Fetch& fetch, Answer& answer);
void apply_undo_grants(Context& context, const UndoGrants& undo);
void apply_ack(Context& context, const Ack& ack, Answer& answer);
void apply_ack_many(Context& context, const AckMany& ack, Answer& answer);
void apply_fail(Context& context, const Fail& fail, Answer& answer);
void apply_release(Context& context, const Release& release, Answer& answer);
void apply_extend(Context& context, const Extend& extend, Answer& answer);
void apply_progress(Context& context, const Progress& progress, Answer& answer);
void apply_log(Context& context, const Log& log, Answer& answer);
void apply_edit(Context& context, const Edit& edit, Answer& answer);
void apply_beat(Context& context, const WorkerBeat& beat, Answer& answer);
void apply_bye(Context& context, const WorkerBye& bye, Answer& answer);
void apply_get(Context& context, const Get& get, Answer& answer);
void apply_wait(Context& context, const Wait& wait, Answer& answer);
void apply_bulk(Context& context, const Bulk& bulk, Answer& answer);
void apply_list(Context& context, const ListJobs& list, Answer& answer);
void apply_count(Context& context, const CountJobs& count, Answer& answer);
void apply_operation_start(Context& context, const OperationStart& start, Answer& answer);
void apply_operation_get(Context& context, const OperationGet& get, Answer& answer);
void apply_operation_list(Context& context, Answer& answer);
void apply_operation_cancel(Context& context, const OperationCancel& cancel, Answer& answer);
void apply_operation_wait(Context& context, const OperationWait& wait, Answer& answer);
void apply_event_read(Context& context, const EventRead& read, Answer& answer);
void apply_worker_list(Context& context, Answer& answer);
void apply_worker_tell(Context& context, const WorkerTell& tell, Answer& answer);
void apply_queue_stats(Context& context, const QueueStats& stats, Answer& answer);
void apply_queue_stats_all(Context& context, const QueueStatsAll& stats, Answer& answer);
// The queues that it tells of.
std::vector<Queue*> queues_told(const State& state, const QueueStatsAll& stats);
void apply_queue_list(Context& context, const QueueList& list, Answer& answer);
void apply_queue_pause(Context& context, const QueuePause& pause, Answer& answer);
void apply_queue_resume(Context& context, const QueueResume& resume, Answer& answer);
void apply_queue_set(Context& context, const QueueSet& set, Answer& answer);
void apply_type_pause(Context& context, const TypePause& pause, Answer& answer);
void apply_type_resume(Context& context, const TypeResume& resume, Answer& answer);
void apply_key_set(Context& context, const KeySet& set, Answer& answer);
void apply_key_get(Context& context, const KeyGet& get, Answer& answer);
void apply_keys_get(Context& context, const KeysGet& get, Answer& answer);
void apply_keys_delete(Context& context, const KeysDelete& del, Answer& answer);
void apply_keys_exist(Context& context, const KeysExist& exist, Answer& answer);
void apply_key_expire(Context& context, const KeyExpire& expire, Answer& answer);
void apply_key_time_left(Context& context, const KeyTimeLeft& left, Answer& answer);
void apply_key_persist(Context& context, const KeyPersist& persist, Answer& answer);
void apply_key_add(Context& context, const KeyAdd& add, Answer& answer);
void apply_key_scan(Context& context, const KeyScan& scan, Answer& answer);
void apply_key_count(Context& context, Answer& answer);
void apply_key_type(Context& context, const KeyType& type, Answer& answer);
void apply_hash_set(Context& context, const HashSet& set, Answer& answer);
void apply_hash_get(Context& context, const HashGet& get, Answer& answer);
void apply_hash_get_many(Context& context, const HashGetMany& get, Answer& answer);
void apply_hash_all(Context& context, const HashAll& all, Answer& answer);
void apply_hash_delete(Context& context, const HashDelete& del, Answer& answer);
void apply_hash_has(Context& context, const HashHas& has, Answer& answer);
void apply_hash_size(Context& context, const HashSize& size, Answer& answer);
void apply_hash_add(Context& context, const HashAdd& add, Answer& answer);
void apply_hash_add_float(Context& context, const HashAddFloat& add, Answer& answer);
void apply_exec(Context& context, const Exec& exec, Answer& answer);

// A key that is there and not over; null if there is none.
const Keys::Entry* entry_of(const Context& context, std::string_view name);
base::Status check_key(std::string_view name);
base::Error wrong_type();
// Whether keys may grow at all, and then by `more` bytes.
base::Status check_key_growth(const Context& context, int64_t more);
// The number that a text is the shortest form of.
std::optional<int64_t> integer_of(std::string_view text);

// Removes keys that are over, at most `most`. Returns whether more are.
bool remove_keys_over(Context& context, size_t most);

// How the server ends leases that nobody ended: lost, or run over their time limit.
void end_overdue_lease(Context& context, Job& job);

}  // namespace core
