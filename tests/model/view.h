// model/view.h
// What can be seen of a server, in the model's own words: a job, a queue, a reply, a snapshot.
// The driver translates the real system's values into these; the model compares them.
//
// Times: *_engine_ms is engine time, *_wall_ms unix time, as the core holds them; turning one into
// the other for the wire is the protocol's business and is not judged here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/op.h"

namespace model {

enum class State { kScheduled, kReady, kRunning, kSucceeded, kDead, kCancelled, kExpired };

// How one attempt ended. A timeout is kFailed with class "Timeout"; a lost lease is kLost with
// class "LeaseLost"; their messages are the server's own and are not compared.
enum class Outcome { kSucceeded, kFailed, kLost, kCancelled };

// Why a dead job is dead: its attempts are used up, it may not be retried, or its worker died
// too often.
enum class DeadReason { kNone, kAttempts, kNoRetry, kCrashes };

struct RunAt {
  bool is_wall = false;  // AT: compared with the wall clock; otherwise engine time.
  int64_t ms = 0;
  bool operator==(const RunAt&) const = default;
};

struct LogLine {
  int64_t at_wall_ms = 0;
  std::string level;
  std::string text;
  bool operator==(const LogLine&) const = default;
};

// What is kept of an attempt's log, oldest line first.
struct LogView {
  int64_t dropped = 0;  // Lines that had to go.
  std::vector<LogLine> lines;
  bool operator==(const LogView&) const = default;
};

struct AttemptView {
  int64_t attempt = 0;  // The job's attempt counter during that lease.
  int64_t generation = 0;
  int64_t fence = 0;
  std::string worker;
  Outcome outcome = Outcome::kFailed;
  std::string error_class;
  std::string message;
  std::string trace;
  std::optional<LogView> log;  // Compared when the driver fills it in.
  bool operator==(const AttemptView&) const = default;
};

struct LeaseView {
  std::string worker;
  std::string token;  // Empty in a JOB.GET, which does not show tokens; then not compared.
  int64_t deadline_engine_ms = 0;
  std::optional<int64_t> timeout_at_engine_ms;  // When the server ends it; absent: no TIMEOUT.
  std::optional<LogView> log;                   // Compared when the driver fills it in.
};

struct JobView {
  std::string id;
  int64_t generation = 1;
  State state = State::kReady;
  std::string queue;
  std::string type;
  std::string args;
  int64_t priority = 5;
  int64_t attempt = 0;  // Budget used in this generation, the running attempt included.
  int64_t max_attempts = 4;
  int64_t fence = 0;  // 0: never leased.
  int64_t crashes = 0;
  int64_t max_crashes = 3;
  bool suspect = false;
  bool cancel_requested = false;
  RunAt run_at;  // Compared while the job is scheduled.
  int64_t lease_ms = 30'000;
  int64_t timeout_ms = 1'800'000;
  int64_t soft_timeout_ms = 0;
  std::optional<int64_t> expires_at_engine_ms;  // Compared until the job is finished.
  std::optional<int64_t> keep_ms;
  std::optional<std::string> key;
  std::map<std::string, std::string> meta;
  std::optional<std::string> progress;
  std::optional<std::string> result;
  int64_t pushed_wall_ms = 0;
  std::optional<int64_t> finished_engine_ms;
  DeadReason dead_reason = DeadReason::kNone;
  std::optional<LeaseView> lease;  // Present exactly while running.
  std::vector<AttemptView> history;
};

struct QueueView {
  std::string name;
  bool paused = false;
  std::string pause_reason;
  // Jobs by state now.
  int64_t ready = 0;
  int64_t scheduled = 0;
  int64_t running = 0;
  int64_t succeeded_kept = 0;
  int64_t dead = 0;
  int64_t cancelled_kept = 0;
  int64_t expired_kept = 0;
  // Since the queue came into being, restarts included.
  int64_t pushed = 0;
  int64_t started = 0;
  int64_t succeeded = 0;
  int64_t failed = 0;
  // Compared when the driver fills them in.
  std::optional<int64_t> lost;
  std::optional<int64_t> released;
  std::optional<int64_t> died;
  std::optional<int64_t> cancelled;
  std::optional<int64_t> expired;
  std::optional<int64_t> retried;
  std::optional<int64_t> oldest_ms;
  std::optional<std::vector<std::string>> ready_ids;  // In the order a worker would get them.
  std::optional<QueueSettings> settings;
  // What is paused for this queue, "TYPE in all" or "TYPE in queue", and why.
  std::optional<std::map<std::string, std::string>> paused_types;
};

// A worker that the server knows.
struct WorkerView {
  std::string name;
  std::string state;  // run, quiet or stop.
  int64_t heard_wall_ms = 0;
  int64_t leases = 0;
  bool operator==(const WorkerView&) const = default;
};

struct TypePauseView {
  std::string type;
  std::string queue;  // Empty: in all queues.
  std::string reason;
};

using Fields = std::map<std::string, std::string>;

struct KeyView {
  std::string name;
  std::string value;             // Empty for a hash.
  std::optional<Fields> fields;  // Of a hash; absent for other keys.
  bool end_is_wall = false;
  std::optional<int64_t> end_ms;  // Absent: it has no end.
  bool operator==(const KeyView&) const = default;
};

// What JOB.LIST tells of a job.
struct ListedJob {
  std::string id;
  State state = State::kReady;
  std::string queue;
  std::string type;
  int64_t priority = 0;
  int64_t attempt = 0;
};

struct GrantView {
  std::string id;
  std::string token;
  int64_t fence = 0;
  std::string queue;
  std::string type;
  std::string args;
  int64_t attempt = 0;
  int64_t max_attempts = 0;
  int64_t priority = 0;
  int64_t lease_ms = 0;
  int64_t timeout_ms = 0;
  int64_t soft_timeout_ms = 0;
  int64_t pushed_wall_ms = 0;
  std::map<std::string, std::string> meta;
  std::optional<std::string> key;
  std::optional<std::string> progress;
};

// One observed reply. `kind` says which fields mean something.
struct Reply {
  enum class Kind {
    kNone,     // World ops (Advance, Restart, Close, Undo) have no reply.
    kOk,       //
    kError,    // code; DUPLICATE: id; BADSTATE: state if known; EXECABORT: index, inner_code.
               // QUEUEFULL: length and length_max if known.
    kNil,      // JOB.GET or GET of nothing, SET that set nothing.
    kGone,     // An item of JOB.WAIT whose job is gone.
    kPushed,   // id; created with ONDUP report only.
    kFailed,   // state, run_at (scheduled and ready only), attempt.
    kLease,    // JOB.EXTEND, JOB.PROGRESS: lease_ms, cancelled.
    kLeases,   // JOB.FETCH: leases, in the order given; may be empty.
    kJob,      // job.
    kBeat,     // worker_state, cancel, lost.
    kStats,    // queue.
    kNames,    // names: QUEUE.LIST, in the order given.
    kWorkers,  // workers: WORKER.LIST, in the order given.
    kValue,    // text: the value of a key.
    kInteger,  // number: what the commands on keys count or tell.
    kScanned,  // text: the cursor; names.
    kFields,   // fields: HGETALL.
    kStarted,  // text: the operation's id; number: how many jobs it takes.
    kListed,   // text: the cursor; listed.
    kArray,    // items: JOB.MPUSH, JOB.MACK, verbs with IDS, JOB.WAIT, EXEC.
    kBlocked,  // No reply yet: the connection waits.
  };

  Kind kind = Kind::kNone;
  std::string code;
  std::string inner_code;
  int64_t index = -1;
  std::string id;
  std::optional<bool> created;
  std::optional<State> state;
  std::optional<int64_t> run_at_engine_ms;
  int64_t attempt = 0;
  int64_t lease_ms = 0;
  bool cancelled = false;
  std::vector<GrantView> leases;
  bool cut = false;          // There were more, but not in memory: decision 26.
  std::vector<JobView> job;  // Exactly one for kJob.
  std::string worker_state;
  std::vector<std::string> cancel;
  std::vector<std::string> lost;
  std::vector<QueueView> queue;  // Exactly one for kStats.
  std::vector<std::string> names;
  std::vector<WorkerView> workers;
  std::string text;
  int64_t number = 0;
  std::optional<int64_t> length;
  std::optional<int64_t> length_max;
  Fields fields;
  std::vector<ListedJob> listed;
  std::vector<Reply> items;
};

// A waiting connection (blocked fetch or wait) that was answered by this step.
struct WaiterAnswer {
  Conn conn = 0;
  Reply reply;
};

// All jobs, queues and keys (those that are not over), in any order.
struct Snapshot {
  std::vector<JobView> jobs;
  std::vector<QueueView> queues;
  std::vector<KeyView> keys;
  // Compared when the driver fills them in.
  std::optional<std::vector<TypePauseView>> type_pauses;
  std::optional<std::vector<WorkerView>> workers;  // In the order of their names.
};

const char* name_of(State state);
const char* name_of(Outcome outcome);
const char* name_of(DeadReason reason);

// Return the value as one line for failure reports.
std::string describe(const Reply& reply);
std::string describe(const JobView& job);
std::string text_of(const std::vector<WorkerView>& workers);

}  // namespace model
