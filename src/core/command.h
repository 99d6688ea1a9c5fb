// What a client asks for, parsed and typed, free of any wire format. Views point into bytes that
// the request owns; they live until the command has been applied. Ranges and names are checked by
// `apply` (limits.h), syntax by the protocol folder.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "core/backoff.h"
#include "core/hash_command.h"
#include "core/job.h"
#include "core/job_options.h"
#include "core/key_command.h"
#include "core/query_command.h"
#include "core/queue_settings.h"
#include "core/rights.h"
#include "core/workers.h"

namespace core {

// An id, or a client's own key ("key:<name>").
struct JobRef {
  JobId id;
  std::string_view key;
  std::string_view text;  // As it was sent.
  Sight sight = {};       // A job that it does not see is answered like one that is not there.
  bool by_key() const { return !key.empty(); }
};

// A token as a client sent it. `valid` is false for text that no token has.
struct TokenRef {
  LeaseToken token;
  bool valid = false;
};

enum class OnDuplicate : uint8_t { kReturn, kReport, kError, kReplace };

struct PushSpec : JobOptions {
  std::string_view queue;
  std::string_view type;
  std::string_view args;
  int64_t priority = limits::kPriorityDefault;
  std::string_view key;
  bool has_key = false;
  OnDuplicate on_duplicate = OnDuplicate::kReturn;
  std::string_view request;
  bool has_request = false;
  std::optional<int64_t> request_for_ms;
  std::string_view producer;
  bool has_producer = false;
  uint64_t producer_seq = 0;
  std::vector<std::pair<std::string_view, std::string_view>> meta;
  Sight sight;                 // Of a job that holds the key already.
  std::string_view not_built;  // An option whose behaviour comes later: UNIQUE, LIMITS, FAIR.
};

struct Push {
  PushSpec spec;
};
struct PushMany {
  std::vector<PushSpec> items;
};
struct Fetch {
  std::string_view worker;
  int64_t count = 1;
  std::optional<int64_t> block_ms;  // Absent: answer at once. 0: until the server's cap.
  int64_t holding = 0;
  std::vector<std::string_view> types;  // Empty: all.
  bool weighted = false;
  std::vector<int64_t> weights;
  std::vector<std::string_view> queues;
};
struct AckItem {
  JobRef job;
  TokenRef token;
  std::string_view result;
  bool has_result = false;
};
struct Ack {
  AckItem item;
};
struct AckMany {
  std::vector<AckItem> items;
};
struct Fail {
  JobRef job;
  TokenRef token;
  std::string_view error_class;
  std::string_view message;
  std::string_view trace;
  std::optional<int64_t> retry_in_ms;
  bool no_retry = false;
};
struct Release {
  JobRef job;
  TokenRef token;
  std::optional<int64_t> delay_ms;
};
struct Extend {
  JobRef job;
  TokenRef token;
  int64_t lease_ms = 0;
};
struct Progress {
  JobRef job;
  TokenRef token;
  std::string_view data;
};
struct Log {
  JobRef job;
  TokenRef token;
  LogLevel level = LogLevel::kInfo;
  std::string_view text;
};
struct Edit : JobChanges {
  JobRef job;
};
struct Get {
  JobRef job;
};
struct Wait {
  std::vector<JobRef> jobs;
  int64_t block_ms = 0;
  bool any = false;  // ALL otherwise.
};
enum class BulkVerb : uint8_t { kRetry, kCancel, kDelete };
struct Bulk {
  BulkVerb verb = BulkVerb::kRetry;
  bool force = false;  // CANCEL only.
  std::vector<JobRef> jobs;
};
struct LeaseRef {
  JobRef job;
  TokenRef token;
};
struct WorkerBeat {
  std::string_view worker;
  std::vector<LeaseRef> leases;
  std::string_view info;
};
struct WorkerBye {
  std::string_view worker;
  std::vector<LeaseRef> leases;
};
struct WorkerList {};
struct WorkerTell {
  std::string_view worker;
  WorkerOrder order = WorkerOrder::kQuiet;
};
struct QueueStats {
  std::string_view queue;
};
struct QueueList {
  Sight sight = {};
};
// From the server itself: the stats of all queues, as a map by name, for metrics. Of many queues,
// those with unfinished jobs before the others, then in order of coming into being.
struct QueueStatsAll {
  size_t queues_max = limits::kQueueStatsMax;
};
struct QueuePause {
  std::string_view queue;
  std::string_view reason;
};
struct QueueResume {
  std::string_view queue;
};
// Of each option that is given: its value, or nothing for the server's own.
struct QueueSet {
  std::string_view queue;
  std::vector<std::pair<QueueNumber, std::optional<int64_t>>> numbers;
  std::optional<std::optional<Backoff>> backoff;
};
struct TypePause {
  std::string_view type;
  std::string_view queue;  // Empty: in all.
  std::string_view reason;
};
struct TypeResume {
  std::string_view type;
  std::string_view queue;  // Empty: in all.
};

// From the server itself: grants whose reply did not reach the worker are taken back.
struct UndoGrants {
  std::vector<std::pair<JobId, LeaseToken>> grants;
};
// From the server itself: the operator accepts a wall clock that jumped.
struct AcceptClock {};

struct Command;
// One atomic batch: all or nothing.
struct Exec {
  std::vector<Command> commands;
};

using CommandBody =
    std::variant<Push, PushMany, Fetch, Ack, AckMany, Fail, Release, Extend, Progress, Log, Edit,
                 Get, Wait, Bulk, ListJobs, CountJobs, OperationStart, OperationGet, OperationList,
                 OperationCancel, OperationWait, EventRead, WorkerBeat, WorkerBye, WorkerList,
                 WorkerTell, QueueStats, QueueStatsAll, QueueList, QueuePause, QueueResume,
                 QueueSet, TypePause, TypeResume, KeySet, KeyGet, KeysGet, KeysDelete, KeysExist,
                 KeyExpire, KeyTimeLeft, KeyPersist, KeyAdd, KeyScan, KeyCount, KeyType, HashSet,
                 HashGet, HashGetMany, HashAll, HashDelete, HashHas, HashSize, HashAdd,
                 HashAddFloat, UndoGrants, AcceptClock, Exec>;

struct Command {
  CommandBody body;
};

}  // namespace core
