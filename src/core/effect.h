// What a command changes, as values. `apply` decides and emits them; `State::enact` is the only
// thing that changes the state, now and at recovery, so that replay can't decide anything anew.
// The journal holds effects. Views live until the effect has been enacted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/job.h"
#include "core/key_expiry.h"
#include "core/operations.h"
#include "core/queue.h"
#include "core/queue_settings.h"

namespace core {

// A whole job, with its record: pushed, replaced, or (in journals of the first version,
// which wrote all that lived once more) an image of it.
struct JobPut {
  enum class Why : uint8_t { kPushed, kReplaced, kImage };
  Why why = Why::kPushed;
  Job job = {};
  std::string_view queue = {};  // Names, since a job read back has no pointers yet.
  std::string_view type = {};
};

// A push with a request token or a producer's sequence was answered with this job: the same push
// sent again gets the same answer.
struct PushSeen {
  JobId id = {};
  bool created = false;
  std::string_view request = {};  // Empty: it had a producer.
  base::EngineTime until = {};    // Of a request token.
  std::string_view producer = {};
  uint64_t producer_seq = 0;
};

struct JobGranted {
  JobId id = {};
  std::array<uint8_t, 12> secret{};
  std::string_view worker = {};
  bool alone = false;
};

// The grant never reached the worker: all as before it, but the fence stays.
struct JobUngranted {
  JobId id = {};
};

// An attempt ended.
struct JobEnded {
  JobId id = {};
  Outcome outcome = Outcome::kNone;
  Ending ending = Ending::kNone;
  JobState after = JobState::kReady;
  int64_t run_at_ms = 0;   // Engine time; for kScheduled, and for kReady after a failure.
  uint64_t ready_seq = 0;  // For kReady: its place, old or new.
  std::string_view error_class = {};
  std::string_view message = {};
  std::string_view trace = {};
  std::string_view result = {};
  bool has_result = false;
  DeadReason dead_reason = DeadReason::kNone;
};

// A job that is not running changes state: due, expired, cancelled, or started again.
struct JobMoved {
  JobId id = {};
  JobState after = JobState::kReady;
  uint64_t ready_seq = 0;  // For kReady.
  bool new_generation = false;
};

struct JobCancelRequested {
  JobId id = {};
};

struct JobProgressed {
  JobId id = {};
  std::string_view data = {};
};

// Numbers of a job that a client may change. In the order in which they are stored.
enum class EditNumber : uint8_t {
  kAttemptsMax,
  kCrashesMax,
  kTimeoutMs,
  kSoftTimeoutMs,
  kLeaseMs,
  kKeepMs,
  kExpiresAt,  // Engine time.
};
inline constexpr size_t kEditNumberCount = 7;

// A client changed a job that waits: what is there is what it has from now on.
struct JobEdited {
  JobId id = {};
  std::optional<std::string_view> queue = {};
  std::optional<std::string_view> type = {};
  std::optional<std::string_view> args = {};
  std::optional<uint8_t> priority = {};
  std::array<std::optional<int64_t>, kEditNumberCount> numbers = {};
  std::optional<Backoff> backoff = {};
  JobState after = JobState::kReady;
  uint64_t ready_seq = 0;       // Of one that becomes ready: its place. 0: as it was.
  bool run_at_is_wall = false;  // Of one that gets a new time to run, as in its record. 0, and
  int64_t run_at_ms = 0;        // not by the calendar: as it was.
  std::optional<int64_t>& of(EditNumber number) { return numbers[static_cast<size_t>(number)]; }
};

// The running attempt has one more line in its log.
struct JobLogged {
  JobId id = {};
  LogLevel level = LogLevel::kInfo;
  std::string_view text = {};
};

// The record ends. What is left for a while is the ledger's answer to a repeated command.
struct JobRemoved {
  JobId id = {};
  bool deleted = false;  // By a client; otherwise its time was over.
};

struct QueuePut {
  std::string_view name = {};
  bool is_forgotten = false;  // It was deleted.
  bool paused = false;
  std::string_view reason = {};
  bool has_counters = false;  // Absolute counters, in images.
  QueueCounters counters = {};
  int64_t balance = 0;  // In images.
};

// All that a queue is set to.
struct QueueSettingsPut {
  std::string_view name = {};
  QueueSettings settings = {};
};

// Jobs of a type are handed out no more, or again.
struct TypePausePut {
  std::string_view type = {};
  std::string_view queue = {};  // Empty: the pause of all queues, not that of each.
  bool paused = false;
  std::string_view reason = {};
};

// Images of what is not a job. The journal has them from its first version.
struct SeenPush {
  uint64_t seq = 0;
  JobId id = {};
  bool created = false;
};
struct ProducerPut {
  std::string_view name = {};
  base::EngineTime used = {};
  std::vector<SeenPush> window = {};  // Ascending by sequence.
};
// The producer was not heard of for long, and its place is needed.
struct ProducerForgotten {
  std::string_view name = {};
};
struct LedgerEntry {
  JobId id = {};
  uint32_t fence = 0;
  uint64_t secret_hash = 0;
  Ending ending = Ending::kNone;
  bool cancelled = false;
  JobState after = JobState::kReady;
  uint32_t attempt = 0;
  int64_t run_at_ms = 0;        // Engine time.
  base::EngineTime until = {};  // Answered until then.
};
struct LedgerPut {
  std::vector<LedgerEntry> entries = {};
};
struct StatePut {
  uint64_t sequence_next = 1;
  uint64_t ready_seq_next = 1;
};
// Nothing happened, but time went by: engine time goes on from here after a restart.
struct Ticked {};
// In journals of the first version: all that lives has been written since `begin_seq`.
struct CheckpointDone {
  uint64_t begin_seq = 0;
};

// The tables have all that frames before `needed_seq` say: those may be gone.
struct Flushed {
  uint64_t needed_seq = 0;
};

// A key of SET and its kin, whole; also its image.
struct KeyPut {
  std::string_view name = {};
  std::string_view value = {};
  KeyExpiry expiry = {};
};
struct KeyRemoved {
  std::string_view name = {};
};
// When a key ends that is there, whatever it holds.
struct KeyExpiryPut {
  std::string_view name = {};
  KeyExpiry expiry = {};
};
// A field of a hash, which is made with its first field and goes with its last.
struct HashFieldPut {
  std::string_view name = {};
  std::string_view field = {};
  std::string_view value = {};
};
struct HashFieldRemoved {
  std::string_view name = {};
  std::string_view field = {};
};

// An operation, whole: new, or as it is after some of its jobs; also its image.
struct OperationPut {
  Operation operation = {};
};

using Effect =
    std::variant<JobPut, PushSeen, JobGranted, JobUngranted, JobEnded, JobMoved, JobCancelRequested,
                 JobProgressed, JobRemoved, QueuePut, ProducerPut, ProducerForgotten, LedgerPut,
                 StatePut, Ticked, CheckpointDone, Flushed, KeyPut, KeyRemoved, JobLogged,
                 JobEdited, QueueSettingsPut, TypePausePut, KeyExpiryPut, HashFieldPut,
                 HashFieldRemoved, OperationPut>;

// Collects the effects of one batch, in order. Implemented by the store's encoder, so that an
// effect is turned into bytes while its views live.
class EffectSink {
 public:
  virtual ~EffectSink() = default;
  virtual void put(const Effect& effect) = 0;
  // For a group that is taken back: all put since `mark` was returned is dropped by `rewind`.
  virtual size_t mark() const = 0;
  virtual void rewind(size_t mark) = 0;
};

}  // namespace core
