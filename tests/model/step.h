// model/step.h
// One step of the reference model being carried out: the rules themselves, by verb. Inner part of
// model::Model; only model/*.cc and the model's own tests include it.
//
// Each verb returns the reply that must be seen. Where the rules leave freedom it takes the value
// from `seen` (the observed reply; null in a dry run, then a placeholder) if that value is allowed,
// and throws Mismatch if it is not.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/world.h"

namespace model {

// What was expected and what was got, in one line.
struct Mismatch {
  std::string text;
};

enum class DueKind { kTimeout, kLost, kExpire, kReady, kForget };

struct Due {
  int64_t at_ms = 0;
  std::string id;
  DueKind kind = DueKind::kReady;
};

// Returns the next thing that time will do to this job, due yet or not.
std::optional<Due> due_of(const World& world, const Job& job);
// Returns the first of all that is due now.
std::optional<Due> next_due(const World& world);
bool at_held(const World& world);

class Step {
 public:
  Step(World& world, Conn conn) : w_(world), conn_(conn) {}

  Reply apply(const Op& op, const Reply* seen);

  // Throws Mismatch unless `seen` is what `expected` says. Adopts open times of jobs shown.
  void match(const Reply& expected, const Reply& seen, const std::string& name);
  // Same for one job. A lease's token is compared if the view shows one, and must be shown if
  // `with_token`.
  void match_job(Job& job, const JobView& seen, bool with_token);
  void match_queue(const std::string& name, const QueueView& seen);

  // The Now of the step begins: a large step forward of the wall clock holds AT.
  void observe_clocks(Now now);
  // Feeds waiting fetches, then answers waits that are over; `time_came`: also those whose time is
  // up. Throws Mismatch unless `seen` holds exactly those that are due.
  // Returns the answers that are due. With null (a dry run) nothing is judged.
  std::vector<WaiterAnswer> serve_waiters(const std::vector<WaiterAnswer>* seen, bool time_came);

 private:
  friend struct Visitor;

  // step_push.cc
  Reply push(const Push& push, const Reply* seen);
  Reply mpush(const MPush& mpush, const Reply* seen);
  Reply create(const Push& push, const Reply* seen);
  Reply duplicate(const Push& push, Job& holder);
  bool may_replace(const Job& holder) const;
  void replace(const Push& push, Job& holder);
  std::optional<Reply> full(const std::string& queue) const;
  Job job_from(const Push& push) const;
  void place(Job& job, std::optional<int64_t> delay_ms, std::optional<int64_t> at_wall_ms);
  const PushAnswer* remembered(const Push& push) const;
  void remember(const Push& push, const PushAnswer& answer);

  // step_fetch.cc
  Reply fetch(const Fetch& fetch, const Reply* seen);
  std::vector<std::string> candidates(const Fetch& fetch) const;
  Job* head_of(const std::string& name, const Fetch& fetch) const;
  GrantView grant(const Fetch& fetch, Conn conn, const GrantView* seen, const std::string& where);
  void check_token(const GrantView& seen, const std::string& where);
  void undo(const std::vector<LeaseName>& leases);
  struct Answers {
    bool dry = false;
    std::map<Conn, const Reply*> seen;  // Not accounted for yet.
    std::vector<WaiterAnswer> due;
  };
  void feed(Answers& answers);
  void answer_over(Answers& answers, bool time_came);
  void settle(Answers& answers, Conn conn, const Reply& expected);
  Reply wait(const Wait& wait);
  bool wait_holds(const Waiter& waiter) const;
  Reply wait_answer(const std::vector<std::string>& ids) const;

  // step_finish.cc
  struct Found {
    Job* job = nullptr;
    Reply refusal;  // When job is null.
  };
  Found find_lease(const LeaseName& lease, LeaseVerb verb);
  Reply ack(const Ack& ack);
  Reply mack(const MAck& mack);
  Reply fail(const Fail& fail, const Reply* seen);
  Reply release(const Release& release);
  Reply extend(const Extend& extend);
  Reply progress(const Progress& progress);
  Reply log(const Log& log);
  Reply beat(const Beat& beat);
  Reply bye(const Bye& bye);
  void release_lease(Job& job, int64_t delay_ms);
  void renew(Job& job, int64_t ms);
  Reply lease_reply(const Job& job) const;
  void add_history(Job& job, Outcome outcome, const Fail& how);
  void end_failed(Job& job, const Fail& how, const Reply* seen);
  void end_cancelled(Job& job, const Fail& how);
  void finish(Job& job, State state);
  void die(Job& job, DeadReason reason);
  void run_again(Job& job, Range delay, const Reply* seen);
  void schedule(Job& job, Range delay, const Reply* seen);
  void make_ready(Job& job);
  void make_ready_at_old_place(Job& job);
  void record(const Job& job, const std::string& token, const LedgerEntry& entry);

  // step_manage.cc
  Reply get(const Get& get);
  Reply cancel(const Cancel& cancel);
  Reply retry(const Retry& retry);
  Reply remove(const Delete& del);
  template <typename Each>
  Reply each_of(const std::vector<std::string>& ids, const Each& each);
  Reply cancel_job(Job& job, bool force);
  Reply retry_job(Job& job);
  Reply remove_job(const Job& job);
  Reply edit(const Edit& edit);
  static std::optional<Reply> refused_change(const Edit& edit);
  Reply edit_job(Job& job, const Edit& edit);
  Reply exec(const Exec& exec, const Reply* seen);
  Reply pause(const QueuePause& pause);
  Reply resume(const QueueResume& resume);
  Reply stats(const QueueStats& stats);
  Reply list() const;
  void forget(const std::string& id);

  // step_admin.cc
  Reply type_pause(const TypePause& pause);
  Reply type_resume(const TypeResume& resume);
  bool type_paused(const Job& job) const;
  Reply queue_set(const QueueSet& set);
  Reply tell_worker(const TellWorker& tell);
  Reply worker_list();
  std::string worker_state(const std::string& worker) const;
  void hear_worker(const std::string& worker);
  void forget_idle_workers();

  // step_query.cc
  Reply bulk_where(const BulkWhere& bulk, const Reply* seen);
  Reply edit_where(const EditWhere& edit, const Reply* seen);
  Reply purge(const QueuePurge& purge, const Reply* seen);
  Reply delete_queue(const QueueDelete& del, const Reply* seen);
  Reply started(size_t matched, const Reply* seen);
  std::vector<std::string> waste_of(const std::string& queue) const;
  Reply count(const JobCount& count) const;
  Reply list_jobs(const JobList& list, const Reply* seen);
  Reply dry_page(const JobList& list) const;
  void judge_page(const JobList& list, const Reply& seen);
  void forgive_listings();

  // step_keys.cc
  Reply key_set(const KeySet& set);
  Reply key_get(const KeyGet& get) const;
  Reply key_mget(const KeyMGet& mget) const;
  Reply key_del(const KeyDel& del);
  Reply key_exists(const KeyExists& exists) const;
  Reply key_expire(const KeyExpire& expire);
  Reply key_ttl(const KeyTtl& ttl) const;
  Reply key_persist(const KeyPersist& persist);
  Reply key_incr(const KeyIncr& incr);
  Reply key_scan(const KeyScan& scan, const Reply* seen);
  Reply key_db_size() const;
  StoredKey* stored(const std::string& name);
  const StoredKey* stored(const std::string& name) const;
  bool would_overflow(const std::string& name, const StoredKey& made) const;
  void drop_key(const std::string& name);
  void drop_keys_over();
  void forgive_scans();

  // step_hashes.cc
  Reply hash_set(const HashSet& set);
  Reply hash_get(const HashGet& get) const;
  Reply hash_mget(const HashMGet& mget) const;
  Reply hash_get_all(const HashGetAll& all) const;
  Reply hash_del(const HashDel& del);
  Reply hash_exists(const HashExists& exists) const;
  Reply hash_len(const HashLen& len) const;
  Reply hash_incr(const HashIncr& incr);
  Reply hash_incr_float(const HashIncrFloat& incr);
  Reply hash_put(const std::string& name, const std::string& field, const std::string& value,
                 const Reply& done);

  // step_time.cc
  void carry_out(const Due& due);
  void lose(Job& job);
  void time_out(Job& job);
  void advance(const Advance& advance);
  void give_grace(bool renewals_may_be_lost);
  void restart();

  // Shared.
  Queue& queue_of(const Job& job) { return w_.queues[job.view.queue]; }
  std::optional<std::string> resolve(const std::string& id) const;
  Reply no_record(const std::string& id) const;

  World& w_;
  Conn conn_;
};

// Replies.
Reply ok_reply();
Reply error_reply(const std::string& code);
Reply bad_state(State state);
Reply array_reply(std::vector<Reply> items);
Reply nil_reply();
Reply integer_reply(int64_t number);
Reply value_reply(const std::string* value);  // Nil for null.

// Limits and spellings.
inline constexpr int64_t kDayMs = 86'400'000;
inline constexpr int64_t kRunsMax = 1'000;    // Attempts, and crashes.
inline constexpr int64_t kItemsMax = 10'000;  // Of one command for many jobs.
inline constexpr size_t kArgsBytesMax = 1'048'576;
inline constexpr size_t kWorkerBytesMax = 128;
inline constexpr size_t kValueBytesMax = 1'048'576;  // Of a key, and of a field of a hash.
bool valid_name(const std::string& name);
bool valid_id(const std::string& id);
bool valid_token(const std::string& token);
bool within(int64_t value, int64_t low, int64_t high);
// Whether there is a value, and one that is not within.
bool outside(const std::optional<int64_t>& value, int64_t low, int64_t high);
// A well-formed id above `id` (empty: any), and a well-formed token by number: for dry runs.
std::string id_after(const std::string& id, uint64_t by = 1);
std::string made_up_token(int64_t number);
bool valid_key(const std::string& name);
// Nothing for what is not the shortest text of a number of 64 bits.
std::optional<int64_t> number_of(const std::string& text);
// Whether the key's end has come.
bool is_over(const World& world, const StoredKey& key);
// The key as it can be seen.
KeyView key_view(const std::string& name, const StoredKey& key);
// Whether a pattern of SCAN fits the name.
bool pattern_fits(const std::string& pattern, const std::string& name);
// All that can be seen of a queue, the optional fields included.
QueueView queue_view(const World& world, const std::string& name);
// All workers that are known, by name.
std::vector<WorkerView> worker_views(const World& world);
// Returns the code that a push is refused with for its words alone, or nothing.
std::optional<std::string> push_refusal(const Push& push);

}  // namespace model
