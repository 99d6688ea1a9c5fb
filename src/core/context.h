// Small tools of the apply_*.cc files. Not for anyone else.
#pragma once

#include <string_view>
#include <utility>

#include "base/assert.h"
#include "core/apply.h"
#include "core/lifecycle.h"

namespace core {

// Emits the effect and enacts it: the only way a command changes anything.
inline void emit(Context& context, Effect&& effect) {
  context.sink.put(effect);
  const base::Status done = context.state.enact(std::move(effect), context.now);
  ASSERT(done.has_value(), "{}", done.error().message);
}

// Returns the job, or GONE, NOTFOUND or BADREQ as the reference asks for.
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

// Unix milliseconds of a moment of engine time, as the clocks stand now.
inline int64_t unix_ms(base::EngineTime time, base::Now now) {
  return time.ms + (now.wall.ms - now.engine.ms);
}

// Cancels a job that is not running, or marks a running one (`force` ends its lease).
base::Status cancel_job(Context& context, Job& job, bool force);

// Writes all that is known of a job, as JOB.GET answers it.
void write_job(Reply& reply, const Job& job, base::Now now);

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
void apply_beat(Context& context, const WorkerBeat& beat, Answer& answer);
void apply_bye(Context& context, const WorkerBye& bye, Answer& answer);
void apply_get(Context& context, const Get& get, Answer& answer);
void apply_wait(Context& context, const Wait& wait, Answer& answer);
void apply_bulk(Context& context, const Bulk& bulk, Answer& answer);
void apply_queue_stats(Context& context, const QueueStats& stats, Answer& answer);
void apply_queue_stats_all(Context& context, const QueueStatsAll& stats, Answer& answer);
// The queues that it tells of.
std::vector<Queue*> queues_told(const State& state, const QueueStatsAll& stats);
void apply_queue_list(Context& context, Answer& answer);
void apply_queue_pause(Context& context, const QueuePause& pause, Answer& answer);
void apply_queue_resume(Context& context, const QueueResume& resume, Answer& answer);
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
void apply_exec(Context& context, const Exec& exec, Answer& answer);

// Removes keys that are over, at most `most`. Returns whether more are.
bool remove_keys_over(Context& context, size_t most);

// How the server ends leases that nobody ended: lost, or run over their time limit.
void end_overdue_lease(Context& context, Job& job);

}  // namespace core
