// model/world.h
// The state of the reference model: plain data, copyable (an EXEC works on a copy first).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/backoff.h"
#include "model/op.h"
#include "model/view.h"

namespace model {

struct Job {
  JobView view;  // What can be seen; the other fields are the model's own.
  Backoff backoff;
  int64_t ready_seq = 0;                // The place in the ready order; kept while leased.
  int64_t ready_since_ms = 0;           // When it got that place.
  bool lease_alone = false;             // The FETCH asked for one job and did not hold others.
  int64_t granted_deadline = 0;         // The lease's deadline without renewals.
  std::optional<Range> run_at_range;    // Jitter not seen yet.
  std::optional<Range> deadline_range;  // After a restart: renewals may be forgotten or not.
};

struct Queue {
  bool paused = false;
  std::string pause_reason;
  QueueSettings settings;
  int64_t pushed = 0, started = 0, succeeded = 0, failed = 0, lost = 0;
  int64_t released = 0, died = 0, cancelled = 0, expired = 0, retried = 0;
};

// The answer that a REQUEST token or a producer's seq repeats.
struct PushAnswer {
  std::string id;
  bool created = false;
};

struct RequestToken {
  PushAnswer answer;
  int64_t until_ms = 0;
};

struct Producer {
  int64_t highest_seq = -1;
  std::map<int64_t, PushAnswer> seen;
};

enum class LeaseVerb { kAck, kFail, kRelease, kOther };

// What a token that ended its lease answers from then on.
struct LedgerEntry {
  LeaseVerb verb = LeaseVerb::kOther;  // Only this verb repeats `answer`.
  Reply answer;
  bool cancelled = false;  // Other verbs: CANCELLED rather than LEASELOST.
  int64_t until_ms = 0;
};

// A connection that waits: a blocked FETCH or a JOB.WAIT.
struct Waiter {
  Conn conn = 0;
  int64_t until_ms = 0;
  std::optional<Fetch> fetch;
  std::vector<std::string> wait_ids;  // Resolved.
  bool wait_any = false;
};

// A grant of the last step, for the generator: its reply may still be said not to be taken.
struct Granted {
  Conn conn = 0;
  LeaseName lease;
};

struct StoredKey {
  std::string value;
  std::optional<Fields> fields;  // Of a hash; it has at least one.
  bool end_is_wall = false;
  std::optional<int64_t> end_ms;
};

// A scan that goes on: what its remaining pages have to name.
struct Scan {
  std::string cursor;  // That the next page will be asked with.
  std::string match;
  std::set<std::string> owed;
};

// A listing of jobs that goes on: the ids that its remaining pages have to name.
struct Listing {
  std::string cursor;  // That the next page will be asked with.
  std::optional<std::string> query;
  std::set<std::string> owed;
};

// A worker that fetched or beat of late.
struct KnownWorker {
  Now heard;
  std::string state = "run";  // Or quiet or stop, once it was told so.
};

struct World {
  Now now;
  int64_t keys_bytes_max = int64_t{64} << 20;
  std::optional<int64_t> at_held_until_ms;
  std::map<std::string, Job> jobs;          // By id; ids sort as their numbers do.
  std::map<std::string, Queue> queues;      // By name.
  std::map<std::string, std::string> keys;  // KEY name to id.
  std::map<std::string, RequestToken> requests;
  std::map<std::string, Producer> producers;
  std::map<std::pair<std::string, std::string>, LedgerEntry> ledger;  // By (id, token).
  std::set<std::string> tokens;                                       // Every token ever given.
  std::vector<Waiter> waiters;                                        // Oldest first.
  std::vector<Granted> granted;                                       // In the last step.
  std::map<std::string, StoredKey> stored;  // The keys of SET and its kin, by name.
  std::vector<Scan> scans;                  // Oldest first.
  std::vector<Listing> listings;            // Oldest first.
  // By type and queue (empty: all queues), the reason.
  std::map<std::pair<std::string, std::string>, std::string> type_pauses;
  std::map<std::string, KnownWorker> workers;  // By name.
  std::set<std::string> operations;            // Every operation's id ever given.
  std::string highest_id;
  int64_t next_ready_seq = 1;
  int64_t placeholders = 0;  // Ids and tokens made up in dry runs.
};

// Returns the job, or null.
const Job* find_job(const World& world, const std::string& id);
Job* find_job(World& world, const std::string& id);

bool is_finished(State state);

}  // namespace model
