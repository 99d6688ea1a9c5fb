// model/op.h
// The operations that drive the reference model: one struct per verb of the job life cycle, and
// the things that happen to a server (time, stalls, restarts, closed connections).
//
// An Op is data. The driver performs it on the real system and hands the same Op, with what it
// observed, to model::Model. Values may be outside their limits: a refusal is behaviour too.
// Units: every *_ms is milliseconds; ids and tokens are the texts that the server gave.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace model {

using Conn = uint32_t;  // A client connection, numbered by the driver.

// The two clocks. engine_ms never goes back; wall_ms (unix time) may step both ways.
struct Now {
  int64_t engine_ms = 0;
  int64_t wall_ms = 0;
};

enum class OnDuplicate { kReturn, kReport, kError, kReplace };

struct Push {
  std::string queue;
  std::string type;
  std::string args;
  std::optional<int64_t> priority;
  std::optional<int64_t> delay_ms;    // Not together with at_ms.
  std::optional<int64_t> at_wall_ms;  // AT: unix time.
  std::optional<int64_t> attempts;
  std::optional<std::string> backoff;  // As on the wire: "exponential:1000,2,60000~10", "sidekiq".
  std::optional<int64_t> timeout_ms;
  std::optional<int64_t> soft_timeout_ms;
  std::optional<int64_t> lease_ms;
  std::optional<int64_t> expire_ms;
  std::optional<int64_t> crashes;
  std::optional<std::string> key;
  std::optional<OnDuplicate> on_duplicate;
  std::optional<std::string> request;  // REQUEST token, not together with producer.
  std::optional<int64_t> request_for_ms;
  std::optional<std::string> producer;  // REQSEQ producer seq.
  int64_t producer_seq = 0;
  std::optional<int64_t> keep_ms;
  std::vector<std::pair<std::string, std::string>> meta;
  std::optional<std::string> unique;  // These three answer NOTYET for now.
  std::vector<std::string> limits;
  std::optional<std::string> fair;
};

struct MPush {
  std::vector<Push> items;
};

struct Fetch {
  std::string worker;
  std::optional<int64_t> count;
  std::optional<int64_t> block_ms;  // Absent: answers at once. 0: until the server's cap.
  std::optional<int64_t> holding;
  std::optional<std::vector<std::string>> types;
  std::optional<std::vector<int64_t>> weights;  // Absent: STRICT.
  std::vector<std::string> queues;
};

// A job named by id or "key:<name>", and the token of a lease of it.
struct LeaseName {
  std::string id;
  std::string token;
};

struct Ack {
  LeaseName lease;
  std::optional<std::string> result;
};

struct MAck {
  std::vector<Ack> items;
};

struct Fail {
  LeaseName lease;
  std::string error_class;
  std::string message;
  std::optional<std::string> trace;
  std::optional<int64_t> retry_in_ms;  // Not together with no_retry.
  bool no_retry = false;
};

struct Release {
  LeaseName lease;
  std::optional<int64_t> delay_ms;
};

struct Extend {
  LeaseName lease;
  int64_t ms = 0;
};

struct Progress {
  LeaseName lease;
  std::string data;
};

// JOB.LOG: a line of the attempt's log.
struct Log {
  LeaseName lease;
  std::string level;
  std::string text;
};

struct Get {
  std::string id;
};

struct Wait {
  std::vector<std::string> ids;
  int64_t block_ms = 0;  // 0: until the server's cap.
  bool any = false;      // Absent on the wire: ALL.
};

struct Cancel {
  bool force = false;
  std::vector<std::string> ids;
};

struct Retry {
  std::vector<std::string> ids;
};

struct Delete {
  std::vector<std::string> ids;
};

// Not both of at_wall_ms and delay_ms; at least one of all.
struct Edit {
  std::string id;
  std::optional<std::string> queue;
  std::optional<int64_t> priority;
  std::optional<int64_t> at_wall_ms;
  std::optional<int64_t> delay_ms;
  std::optional<std::string> args;
  std::optional<std::string> type;
  std::optional<int64_t> attempts;
  std::optional<std::string> backoff;
  std::optional<int64_t> timeout_ms;
  std::optional<int64_t> soft_timeout_ms;
  std::optional<int64_t> lease_ms;
  std::optional<int64_t> expire_ms;
  std::optional<int64_t> crashes;
  std::optional<int64_t> keep_ms;
};

// --- Many jobs at once, by query.

enum class BulkVerb { kRetry, kCancel, kDelete };

// JOB.RETRY | JOB.CANCEL | JOB.DELETE WHERE query [LIMIT n].
struct BulkWhere {
  BulkVerb verb = BulkVerb::kRetry;
  std::string query;
  std::optional<int64_t> limit;
};

// JOB.EDIT WHERE query [LIMIT n] with the changes of `edit`, whose id counts for nothing.
struct EditWhere {
  std::string query;
  std::optional<int64_t> limit;
  Edit edit;
};

struct JobCount {
  std::optional<std::string> query;
};

struct JobList {
  std::optional<std::string> query;
  std::optional<std::string> cursor;
  std::optional<int64_t> count;
};

// --- Workers.

struct Beat {
  std::string worker;
  std::vector<LeaseName> leases;
};

struct Bye {
  std::string worker;
  std::vector<LeaseName> leases;
};

struct WorkerList {};

// WORKER.QUIET and WORKER.STOP.
struct TellWorker {
  std::string worker;
  bool stop = false;
};

// --- Queues and types.

struct QueueStats {
  std::string queue;
};

struct QueueList {};

struct QueuePause {
  std::string queue;
  std::string reason;  // Empty: no REASON.
};

struct QueueResume {
  std::string queue;
};

// What later pushes to a queue take where they do not say otherwise, how many jobs may wait in it,
// and from which age of its oldest job on somebody is to be told. Absent: as the server has it.
struct QueueSettings {
  std::optional<int64_t> length_max;
  std::optional<int64_t> attempts;
  std::optional<std::string> backoff;
  std::optional<int64_t> lease_ms;
  std::optional<int64_t> timeout_ms;
  std::optional<int64_t> keep_ms;
  std::optional<int64_t> crashes;
  std::optional<int64_t> alert_ms;
  std::optional<int64_t> age_ms;
  bool operator==(const QueueSettings&) const = default;
};

// Absent: stays as it is.
struct QueueSet {
  std::string queue;
  QueueSettings change;
  std::vector<std::string> defaults;  // Options that are given the word "default".
};

struct QueuePurge {
  std::string queue;
};

struct QueueDelete {
  std::string queue;
};

struct TypePause {
  std::string type;
  std::optional<std::string> queue;
  std::string reason;  // Empty: no REASON.
};

struct TypeResume {
  std::string type;
  std::optional<std::string> queue;
};

// --- Keys.

// At most one of the four times and keep_ttl; not both of nx and xx.
struct KeySet {
  std::string key;
  std::string value;
  std::optional<int64_t> ex_s;
  std::optional<int64_t> px_ms;
  std::optional<int64_t> exat_s;   // Unix time.
  std::optional<int64_t> pxat_ms;  // Unix time.
  bool keep_ttl = false;
  bool nx = false;
  bool xx = false;
  bool get = false;
};

struct KeyGet {
  std::string key;
};

struct KeyMGet {
  std::vector<std::string> keys;
};

struct KeyDel {
  std::vector<std::string> keys;
};

struct KeyExists {
  std::vector<std::string> keys;
};

// EXPIRE (seconds) and PEXPIRE.
struct KeyExpire {
  std::string key;
  int64_t time = 0;
  bool in_seconds = false;
};

// TTL (seconds) and PTTL.
struct KeyTtl {
  std::string key;
  bool in_seconds = false;
};

struct KeyPersist {
  std::string key;
};

// INCR, DECR; with `by` INCRBY, DECRBY.
struct KeyIncr {
  std::string key;
  std::optional<int64_t> by;
  bool down = false;
};

struct KeyScan {
  std::string cursor;
  std::optional<std::string> match;
  std::optional<int64_t> count;
};

struct KeyDbSize {};

// --- Hashes.

struct HashSet {
  std::string key;
  std::vector<std::pair<std::string, std::string>> fields;
};

struct HashGet {
  std::string key;
  std::string field;
};

struct HashMGet {
  std::string key;
  std::vector<std::string> fields;
};

struct HashGetAll {
  std::string key;
};

struct HashDel {
  std::string key;
  std::vector<std::string> fields;
};

struct HashExists {
  std::string key;
  std::string field;
};

struct HashLen {
  std::string key;
};

struct HashIncr {
  std::string key;
  std::string field;
  int64_t by = 0;
};

struct HashIncrFloat {
  std::string key;
  std::string field;
  std::string by;
};

struct Op;

// MULTI … EXEC. Members: Push, MPush, Ack, Fail, Release, Progress, Cancel, Edit, and all on keys
// and hashes but KeyScan and KeyDbSize.
struct Exec {
  std::vector<Op> members;
};

// Time has come to the step's Now: all due work up to it is done, then waiting fetches are fed,
// then those whose time is up are answered. `stall`: the loop itself slept up to this Now, so
// every lease first gets its credit.
struct Advance {
  bool stall = false;
};

// The server was killed and started again at the step's Now; every connection is gone.
struct Restart {};

// The connection closed. `ungot`: leases whose reply it had not wholly taken.
struct Close {
  std::vector<LeaseName> ungot;
};

// The kernel did not take the reply that carried these leases; the connection stays.
struct Undo {
  std::vector<LeaseName> leases;
};

using Verb =
    std::variant<Push, MPush, Fetch, Ack, MAck, Fail, Release, Extend, Progress, Log, Get, Wait,
                 Cancel, Retry, Delete, Edit, BulkWhere, EditWhere, JobCount, JobList, Beat, Bye,
                 WorkerList, TellWorker, QueueStats, QueueList, QueuePause, QueueResume, QueueSet,
                 QueuePurge, QueueDelete, TypePause, TypeResume, KeySet, KeyGet, KeyMGet, KeyDel,
                 KeyExists, KeyExpire, KeyTtl, KeyPersist, KeyIncr, KeyScan, KeyDbSize, HashSet,
                 HashGet, HashMGet, HashGetAll, HashDel, HashExists, HashLen, HashIncr,
                 HashIncrFloat, Exec, Advance, Restart, Close, Undo>;

struct Op {
  Conn conn = 0;
  Verb verb;
};

// Returns the op as one line in the style of the wire, for failure reports.
std::string describe(const Op& op);

}  // namespace model
