// The job record: all that Dray knows of one job. Fields whose behaviour comes later (namespace,
// unique key, limiters, fair key) are here and in the stored form from the start, so that the
// format does not change with them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/attempt_log.h"
#include "core/backoff.h"
#include "core/limits.h"

namespace core {

// 12 bits of shard, 52 bits of sequence. Opaque to clients; 13 characters of base32.
struct JobId {
  uint64_t value = 0;
  auto operator<=>(const JobId&) const = default;
};

inline constexpr int kSequenceBits = 52;
inline constexpr uint64_t kSequenceMask = (uint64_t{1} << kSequenceBits) - 1;

// Ready sequences: enough for ten years of 100,000 a second.
inline constexpr int kReadySeqBits = 45;
inline constexpr uint64_t kReadySeqMask = (uint64_t{1} << kReadySeqBits) - 1;
inline constexpr uint8_t kPriorityMask = 15;

constexpr JobId make_job_id(uint64_t shard, uint64_t sequence) {
  return JobId{(shard << kSequenceBits) | sequence};
}
constexpr uint64_t sequence_of(JobId id) {
  return id.value & kSequenceMask;
}

enum class JobState : uint8_t {
  kWaiting,  // For parents.
  kScheduled,
  kReady,
  kRunning,
  kSucceeded,
  kDead,
  kCancelled,
  kExpired,
};
inline constexpr size_t kJobStateCount = 8;

std::string_view job_state_name(JobState state);
constexpr bool is_finished(JobState state) {
  return state >= JobState::kSucceeded;
}

// How one attempt ended. kNone: it still runs.
enum class Outcome : uint8_t {
  kNone,
  kSucceeded,
  kFailed,
  kReleased,  // Given back: it did not count and is not shown.
  kLost,      // The lease ran out.
  kTimeout,   // The run time limit passed.
  kCancelled,
};
std::string_view outcome_name(Outcome outcome);

// Which command ended an attempt, and so may be repeated. kNone: none did (loss, time-out, FORCE).
enum class Ending : uint8_t { kNone, kAck, kFail, kRelease };

// Why a dead job is dead.
enum class DeadReason : uint8_t { kNone, kAttempts, kNotRetryable, kCrashes };
std::string_view dead_reason_text(DeadReason reason);

// Names a lease: the fence only grows, the secret can't be guessed.
struct LeaseToken {
  uint32_t fence = 0;
  std::array<uint8_t, 12> secret{};
  bool operator==(const LeaseToken&) const = default;
};

// One attempt, running or ended.
struct Attempt {
  LeaseToken token;
  uint32_t generation = 0;
  uint32_t number = 0;  // `attempt` of the job while it ran.
  Outcome outcome = Outcome::kNone;
  Ending ending = Ending::kNone;
  bool cancelled = false;               // The job was cancelled with it.
  JobState after = JobState::kRunning;  // Where the job went; with run_at the repeated answer.
  std::string worker;
  base::WallTime started;
  base::WallTime ended;
  base::EngineTime ended_engine;  // Since then its command may be repeated, for a while.
  int64_t run_at_ms = 0;          // What a FAIL answered, in engine time; 0: nothing.
  std::string error_class;
  std::string message;
  std::string trace;
};

// The lease of a running job. `attempt` above says by whom.
struct Lease {
  base::EngineTime deadline;
  base::EngineTime timeout_end;  // When the server ends an attempt that runs too long.
  base::EngineTime granted;
  bool alone = false;  // To a worker that held nothing else.
};

enum class UniqueScope : uint8_t { kNone, kUntilFinished, kUntilStarted, kWindow };

// What few jobs have. Absent on most, to keep the record small.
struct JobExtras {
  std::string key;
  std::vector<std::pair<std::string, std::string>> meta;
  std::string progress;
  std::string result;
  Backoff backoff;  // Used if has_backoff.
  bool has_backoff = false;
  bool has_result = false;
  bool has_progress = false;
  std::vector<Attempt> history;  // Ended attempts before `Job::attempt_last`, oldest first.
  std::vector<AttemptLog> logs;  // Of those attempts that logged something, by fence.

  // Recorded from the first format on; the behaviour comes with later versions.
  std::string unique_key;
  UniqueScope unique_scope = UniqueScope::kNone;
  int64_t unique_ms = 0;
  std::vector<std::string> limits;
  std::string fair_key;
};

struct Queue;
struct TypeName;

// What is known of a job beyond what dispatch needs. It lies in the tables, and in memory while it
// is changed, run or asked for.
struct JobRecord {
  uint32_t namespace_id = 0;
  bool run_at_is_wall = false;  // run_at compares with the wall clock (AT).
  bool cancel_requested = false;
  DeadReason dead_reason = DeadReason::kNone;
  uint32_t generation = 1;
  uint32_t attempt = 0;  // Budget used in this generation.
  uint32_t attempts_max = limits::kAttemptsDefault;
  uint32_t fence = 0;
  uint32_t crashes = 0;
  uint32_t crashes_max = limits::kCrashesDefault;

  std::string args;

  int64_t run_at_ms = 0;  // Engine or wall milliseconds, see run_at_is_wall. 0: never scheduled.
  base::EngineTime expires_at;  // Zero: never.
  base::WallTime pushed;
  base::EngineTime ready_at;
  base::EngineTime finished_at;
  base::WallTime finished_wall;
  int64_t lease_ms = limits::kLeaseMsDefault;
  int64_t timeout_ms = limits::kTimeoutMsDefault;  // 0: none.
  int64_t soft_timeout_ms = 0;
  int64_t keep_ms = -1;  // -1: as long as the history's byte budget lasts.

  Lease lease;           // Meaningful while running.
  Attempt attempt_last;  // The running attempt, or the one that ended last.
  std::unique_ptr<JobExtras> extras;

  size_t bytes = 0;  // What the budgets count of it, as of its last change; not stored.

  bool suspect() const { return crashes >= limits::kSuspectCrashes; }
  bool has_key() const { return extras && !extras->key.empty(); }
};

// How a job's present state stands to the tables.
enum class Written : uint8_t {
  kClean,     // It is there.
  kChanged,   // It is not, and the next flush takes it.
  kFrozen,    // The flush that runs takes it, but has not yet.
  kFlushing,  // The flush that runs has taken it.
};

// A job as dispatch sees it: always in memory, as long as the job is kept, so it is small.
struct Job {
  JobId id;
  Queue* queue = nullptr;  // Owned by the state; outlives the job.
  TypeName* type = nullptr;
  std::unique_ptr<JobRecord> record;  // Null: it lies in the tables alone.

  // Places in the state's indexes; not stored.
  Job* link_prev = nullptr;
  Job* link_next = nullptr;

  // Its place in the order of its (queue, priority); kept while it runs. Of a finished job in the
  // history: the bytes it counts there. (The order of these fields packs them into eight bytes.)
  uint64_t ready_seq : kReadySeqBits = 0;
  bool linked : 1 = false;
  bool wanted : 1 = false;  // Its record is being read.
  JobState state : 4 = JobState::kReady;
  uint8_t priority : 4 = limits::kPriorityDefault;
  // What of the record has to be known while it is not in memory.
  bool is_suspect : 1 = false;
  bool is_keyed : 1 = false;
  // How it stands with the tables; see core/residency.h.
  bool in_tables : 1 = false;  // There is a row of it, maybe of an older state.
  bool counted : 1 = false;    // Among the bytes that wait for a flush.
  bool pooled : 1 = false;     // In memory since it was asked for, unchanged.
  bool in_ledger : 1 = false;  // So are the answers to the commands that ended its attempts.
  Written written : 2 = Written::kClean;

  uint32_t timer_place = 0;       // 1-based place in the engine-time heap; 0: none.
  uint32_t wall_timer_place = 0;  // The same in the wall-time heap.

  void set_ready_seq(uint64_t seq) { ready_seq = seq & kReadySeqMask; }
};
static_assert(sizeof(Job) == 64);

// Returns the extras, made on first use.
JobExtras& extras_of(JobRecord& record);

// Bytes that the record takes up in the store, roughly: what the budgets count.
// Requires: the record is in memory.
size_t job_bytes(const Job& job);

// The last attempt that failed, or null.
const Attempt* last_failure(const JobRecord& record);

std::unique_ptr<JobRecord> clone_record(const JobRecord& record);

std::string job_id_text(JobId id);
std::string lease_token_text(const LeaseToken& token);
// Returns nothing for text that no token has.
std::optional<LeaseToken> parse_lease_token(std::string_view text);

}  // namespace core
