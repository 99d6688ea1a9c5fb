// All job state of one shard. It changes only through `enact`, which does what an effect says and
// keeps every index in step; `apply` (commands) and recovery (journal) both end here.
//
// Threading: one thread at a time, the one that runs a turn.
// tidy: allow length because each effect has a line of its own here
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/audit.h"
#include "core/effect.h"
#include "core/id_blocks.h"
#include "core/idempotency.h"
#include "core/job_table.h"
#include "core/keys.h"
#include "core/ledger.h"
#include "core/name_index.h"
#include "core/operations.h"
#include "core/queue.h"
#include "core/residency.h"
#include "core/timer_heap.h"
#include "core/type_pauses.h"
#include "core/workers.h"

namespace core {

class State {
 public:
  explicit State(uint64_t shard = 0, size_t history_bytes_max = limits::kHistoryBytesMax);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Does what the effect says. At recovery an effect may speak of a job whose whole image comes
  // later (older frames are gone): it is passed over, and `ghosts` counts it until that image or
  // the job's end is seen. Returns CORRUPT for what cannot be.
  base::Status enact(Effect&& effect, base::Now now);

  // Recovery: between the two, jobs come from the tables (`restore`), then effects from the
  // journal. Where there are no tables yet, effects may speak of jobs that come later, and the
  // orders are built at the end. CORRUPT: a job was spoken of that never came.
  void begin_recovery(bool has_tables);
  base::Status end_recovery();
  // What the tables have: queues in order of their codes with QueuePut, types with `restore_type`,
  // then jobs with their records (which leave memory again if they can), then ready jobs that have
  // neither key nor timer, in their ready order and without records, then `end_restore`.
  TypeName& restore_type(std::string_view name) { return type_of(name); }
  void restore(Job&& from_tables);
  void end_restore();
  // --- Looking things up.
  Job* find(JobId id) const { return jobs_.find(id); }
  Job* find_key(std::string_view key) const;
  bool was_given(JobId id) const { return id.value < make_job_id(shard_, sequence_next_).value; }
  Queue* find_queue(std::string_view name) const { return queue_names_.find(name); }
  TypeName* find_type(std::string_view name) const { return type_names_.find(name); }
  const std::vector<std::unique_ptr<Queue>>& queues() const { return queues_; }
  const JobTable& jobs() const { return jobs_; }
  const IdBlocks& blocks() const { return blocks_; }
  const Ledger& ledger() const { return ledger_; }
  const RequestTokens& requests() const { return requests_; }
  const Producers& producers() const { return producers_; }
  const Keys& keys() const { return string_keys_; }
  Keys& keys() { return string_keys_; }  // Effects alone put and remove.
  Operations& operations() { return operations_; }
  const Operations& operations() const { return operations_; }
  const TypePauses& type_pauses() const { return type_pauses_; }
  TypePauses& type_pauses() { return type_pauses_; }
  Workers& workers() { return workers_; }  // Not stored.
  const Workers& workers() const { return workers_; }
  size_t ghosts() const { return ghosts_.size(); }
  uint64_t history_bytes_ever() const { return history_bytes_ever_; }  // That came into it.
  Residency& residency() { return residency_; }
  const Residency& residency() const { return residency_; }

  // Counts all again, and looks for jobs that nothing will move on.
  Audit& audit() { return audit_; }
  const Audit& audit() const { return audit_; }

  // --- Numbers for the next effects. Enacting them is what uses them up.
  JobId id_next() const { return make_job_id(shard_, sequence_next_); }
  uint64_t ready_seq_next() const { return ready_seq_next_; }

  // --- What is due.
  const TimerHeap<&Job::timer_place>& timers() const { return timers_; }
  const TimerHeap<&Job::wall_timer_place>& wall_timers() const { return wall_timers_; }
  // Oldest finished record beyond the byte budget, or null.
  Job* history_overflow() const;
  void set_history_bytes_max(size_t bytes) { history_bytes_max_ = bytes; }
  // AT is held until then, because the wall clock stepped forward too far. Not stored: what is
  // overdue at a start is due at once.
  base::EngineTime wall_hold_until() const { return wall_hold_until_; }
  // Notes the clocks of this step: a step forward of more than an hour begins a hold.
  void watch_wall_clock(base::Now now);
  void release_wall_hold() { wall_hold_until_ = {}; }

  // --- What is not stored (heartbeats) or only kept in memory.
  void set_lease_deadline(Job& job, base::EngineTime deadline);
  void expire_memory(base::EngineTime now);
  // A worker said goodbye; those silent for too long are known no more. What waits by the name of
  // one that was quiet may be served then.
  void forget_worker(std::string_view name);
  void forget_silent_workers(base::EngineTime now);
  // After a restart or a stall no lease ends before its worker could have renewed it.
  void credit_leases(base::EngineTime now);
  // Puts the job's timers where its fields say.
  void set_timers(Job& job);

  // --- Records that were not in memory.
  // The record has been read. It is dropped if nobody needs it any more.
  void bring_in(JobId id, std::unique_ptr<JobRecord> record);
  // It could not be read: the job is set aside. It counts as a job no longer, and all that is left
  // is this error for whoever asks for it, and that it can be deleted.
  void set_aside(JobId id, base::Error error);
  // What is wrong with a job that was set aside; null for others.
  const base::Error* damage_of(JobId id) const;
  size_t damaged() const { return damages_.size(); }
  uint64_t damaged_removed() const { return damaged_removed_; }  // Of them, since the start.
  template <typename Visit>
  void for_each_damage(Visit visit) const {  // (id, what is wrong), in no order.
    for (const auto& [id, error] : damages_) visit(JobId{id}, error);
  }
  // Asks for the jobs that will be granted after this one, if their records are not in memory.
  void look_ahead(const Job& granted);
  // The same for those that will be due soon.
  void look_ahead_due(base::Now until);

  // Queues that have work for waiting fetches since the last call.
  std::vector<Queue*> take_woken();
  void wake(Queue& queue);
  void wake_all();  // Those that have ready jobs.

  // Jobs that were finished or removed since the last call.
  std::vector<JobId> take_ended() { return std::exchange(ended_, {}); }

  // Queues that were made, changed or counted since the last call; types: those from `from` on.
  std::vector<Queue*> take_changed_queues();
  const std::vector<std::unique_ptr<TypeName>>& types() const { return types_; }
  RequestTokens& requests() { return requests_; }
  Producers& producers() { return producers_; }
  Ledger& ledger() { return ledger_; }

  // The image of what is neither a job nor a queue, a token, a producer or the ledger.
  StatePut image() const;

  bool in_group() const { return group_ != nullptr; }
  // --- Taking a group back (EXEC). `begin_group` starts to keep what each effect overwrites,
  // `end_group` forgets it (commit) or restores it (abort).
  void begin_group();
  void end_group(bool commit);

 private:
  struct Saved;  // One job before the group touched it.
  struct SavedProducer;
  struct Group;

  base::Status enact(JobPut&& put, base::Now now);
  base::Status enact(PushSeen&& seen, base::Now now);
  base::Status enact(JobGranted&& granted, base::Now now);
  base::Status enact(JobUngranted&& ungranted, base::Now now);
  base::Status enact(JobEnded&& ended, base::Now now);
  base::Status enact(JobMoved&& moved, base::Now now);
  base::Status enact(JobCancelRequested&& requested, base::Now now);
  base::Status enact(JobProgressed&& progressed, base::Now now);
  base::Status enact(JobRemoved&& removed, base::Now now);
  base::Status enact(QueuePut&& put, base::Now now);
  base::Status enact(ProducerPut&& put, base::Now now);
  base::Status enact(ProducerForgotten&& forgotten, base::Now now);
  base::Status enact(LedgerPut&& put, base::Now now);
  base::Status enact(StatePut&& put, base::Now now);
  base::Status enact(Ticked&& ticked, base::Now now);
  base::Status enact(CheckpointDone&& done, base::Now now);
  base::Status enact(Flushed&& flushed, base::Now now);
  base::Status enact(JobLogged&& logged, base::Now now);
  base::Status enact(JobEdited&& edited, base::Now now);
  base::Status enact(QueueSettingsPut&& put, base::Now now);
  base::Status enact(TypePausePut&& put, base::Now now);
  base::Status enact(KeyPut&& put, base::Now now);
  base::Status enact(KeyRemoved&& removed, base::Now now);
  base::Status enact(OperationPut&& put, base::Now now);
  base::Status enact(KeyExpiryPut&& put, base::Now now);
  base::Status enact(HashFieldPut&& put, base::Now now);
  base::Status enact(HashFieldRemoved&& removed, base::Now now);

  // Finds a job that an effect is about to change; null while recovering: a ghost, or set aside.
  Job* touch(JobId id);
  void attach(Job& job);  // Into all indexes. Requires (of both): the record is in memory.
  void detach(Job& job);
  void attach_order(Job& job);  // Into the orders alone.
  void count(const Job& job, int64_t by);
  void insert_restored(uint64_t ready_seq_before);
  void detach_order(Job& job);
  Queue& queue_of(std::string_view name);
  Queue& used_queue(std::string_view name);  // The same; a deleted one is known again.
  TypeName& type_of(std::string_view name);
  QueueCounters& counters_of(Queue& queue);
  // Puts what the ended attempt's repeated command is to be answered into the ledger.
  void remember(const Job& job, const Attempt& attempt, base::EngineTime until,
                base::EngineTime now);
  // The same for all attempts of a job whose record is about to go for good, or to leave memory:
  // then it may go without being looked at again.
  void remember_all(const Job& job, base::EngineTime now);
  void before_record_leaves(Job& job);
  void note_changed(Queue& queue);
  void prune_history(Job& job, base::EngineTime now);
  void start_attempt(Job& job, JobGranted& granted, base::Now now);

  // Constant after construction.
  uint64_t shard_;
  size_t history_bytes_max_;

  JobTable jobs_;
  IdBlocks blocks_;
  Audit audit_;
  Residency residency_{jobs_, [this](Job& job) { before_record_leaves(job); }};
  std::vector<std::unique_ptr<Queue>> queues_;
  NameIndex<Queue> queue_names_;
  std::vector<std::unique_ptr<TypeName>> types_;
  NameIndex<TypeName> type_names_;
  StringMap<Job*> keys_;
  std::unordered_map<uint64_t, base::Error> damages_;  // Of jobs that were set aside, by id.
  uint64_t damaged_removed_ = 0;
  RequestTokens requests_;
  Producers producers_;
  Ledger ledger_;
  Operations operations_;
  Keys string_keys_;  // Of SET and its kin; keys_ are the jobs' own.
  TypePauses type_pauses_;
  Workers workers_;
  TimerHeap<&Job::timer_place> timers_;
  TimerHeap<&Job::wall_timer_place> wall_timers_;
  JobList history_;  // Finished without KEEP and not dead, oldest first.
  uint64_t history_bytes_ = 0;
  uint64_t history_bytes_ever_ = 0;
  uint64_t sequence_next_ = 1;
  uint64_t ready_seq_next_ = 1;
  base::EngineTime time_;  // Of the last effect or step.
  base::EngineTime wall_hold_until_;
  std::optional<int64_t> wall_offset_ms_;  // Wall less engine time, as of the last step.
  std::vector<Queue*> woken_;
  std::vector<Queue*> changed_queues_;  // Since the last freeze, each once.
  std::vector<JobId> ended_;
  std::unordered_set<uint64_t> ghosts_;  // Ids of jobs whose image has not been seen yet.
  std::unique_ptr<Group> group_;
  std::vector<Job*> restored_ready_;  // Not in their ring yet, the next one last once sorted.
  std::vector<std::pair<base::EngineTime, Job*>> restored_history_;  // With the time of its end.
  bool restored_ready_sorted_ = false;
  bool recovering_ = false;
  bool is_restoring_ = false;  // From the tables; the journal has not been looked at yet.
  bool orders_later_ = false;  // While recovering: end_recovery builds them.
};

// The moment at which the job's lease ends if nothing comes before: lease or time limit.
base::EngineTime lease_end(const JobRecord& record);
// Until when the command that ended `attempt` may be repeated and gets the same answer.
base::EngineTime repeatable_until(const JobRecord& record, const Attempt& attempt);

}  // namespace core
