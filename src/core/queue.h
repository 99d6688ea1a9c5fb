// A queue and what is counted of it. Queues come into being when first used.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/job.h"
#include "core/queue_settings.h"
#include "core/ready_index.h"

namespace core {

// Totals since the queue came into being.
struct QueueCounters {
  uint64_t pushed = 0;
  uint64_t started = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;    // Attempts that failed, also those that are retried.
  uint64_t retrying = 0;  // Attempts after which the job is to run again.
  uint64_t retried = 0;   // Finished jobs that a client started again.
  uint64_t released = 0;
  uint64_t lost = 0;  // Leases that ran out.
  uint64_t dead = 0;
  uint64_t cancelled = 0;
  uint64_t expired = 0;
  uint64_t deleted = 0;
  uint64_t retired = 0;  // Finished records whose time was over.
  bool operator==(const QueueCounters&) const = default;
};

// An interned job type, and where it is paused.
struct TypeName {
  struct Pause {
    Queue* queue;  // Whose index holds the type too.
    std::string reason;
  };

  std::string name;
  uint32_t index = 0;
  bool paused = false;  // In all queues.
  std::string pause_reason;
  std::vector<Pause> paused_in;  // Besides.
  bool changed = false;          // Since the last freeze.
};

// How long the first of a queue's ready jobs has been ready, as its record said when it was read
// for that; the record may have left memory since.
struct OldestReady {
  JobId id;
  uint64_t ready_seq = 0;
  base::EngineTime ready_at;
  bool is_of(const Job& job) const { return id == job.id && ready_seq == job.ready_seq; }
};

struct Queue {
  std::string name;
  uint32_t index = 0;         // In order of coming into being: its code in the tables.
  bool is_forgotten = false;  // Deleted, and not used since; name and code in the tables stay.
  bool paused = false;
  std::string pause_reason;
  QueueSettings settings;
  QueueCounters counters;
  // Of the times before it was deleted: jobs that were pushed here less those that ended here. Not
  // zero where jobs had been moved between queues.
  int64_t balance = 0;
  std::array<uint64_t, kJobStateCount> jobs{};  // By state.
  ReadyIndex ready;
  JobId oldest_asked;  // Its record is being read for `oldest_known`.
  OldestReady oldest_known;
  bool changed = false;  // Since the last freeze, apart from its jobs.
  bool woken = false;    // Has something for waiting fetches since they were last served.

  // Whether clients are told of it.
  bool is_known() const { return !is_forgotten; }
  // What MAXLEN counts: all that is not running and will run.
  uint64_t length() const {
    return jobs[static_cast<size_t>(JobState::kWaiting)] +
           jobs[static_cast<size_t>(JobState::kScheduled)] +
           jobs[static_cast<size_t>(JobState::kReady)];
  }
};

}  // namespace core
