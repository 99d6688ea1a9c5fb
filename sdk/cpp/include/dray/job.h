// A job: how to push one, and what the server knows of one.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dray/value.h"

namespace dray {

using std::chrono::milliseconds;
using WallTime = std::chrono::sys_time<milliseconds>;

// What becomes of a push whose `key` a retained job has, or whose `unique` is taken.
enum class OnDuplicate : uint8_t {
  kReturn,   // Answers that job's id, and created = false.
  kError,    // Error with code kDuplicate.
  kReplace,  // Gives that job these args and options, if it was never leased; else kDuplicate.
};

// A lock that a job takes at its push; a push that finds it taken is answered as `on_duplicate`
// says.
struct Unique {
  enum class Until : uint8_t { kFinished, kStarted };

  std::string key = {};  // Empty: no lock.
  Until until = Until::kFinished;
  // Held exactly so long from the push on instead, whatever becomes of the job.
  std::optional<milliseconds> ttl = {};
};

// For a designated initialiser: client.push("emails", "send_email", args, {.delay = 5min}).
// What is absent is as the server's defaults say. Durations are counted by the server, which does
// not count the time that it is down for longer than an hour.
struct PushOptions {
  std::optional<milliseconds> delay = {};  // Not before this long from now; excludes `at`.
  std::optional<WallTime> at = {};         // Not before this time of the calendar.
  std::optional<int> priority = {};        // 0 to 9; 9 is first. Default 5.
  std::optional<int> attempts = {};        // Runs in all. Default 4.
  std::string backoff = {};  // "exponential:1000,2,3600000~10", "fixed:500~0", "sidekiq" …
  std::optional<milliseconds> timeout = {};       // Of one run. Default 30 min; 0: none.
  std::optional<milliseconds> soft_timeout = {};  // After it the handler is told, nothing more.
  std::optional<milliseconds> lease = {};   // How long a silent worker keeps it. Default 30 s.
  std::optional<milliseconds> expire = {};  // Not started by then: expired.
  std::optional<milliseconds> keep = {};    // How long the finished record is promised.
  std::optional<int> crashes = {};          // Lost leases until it is dead. Default 3.
  std::string key = {};                     // An id of your own; see on_duplicate.
  OnDuplicate on_duplicate = OnDuplicate::kReturn;
  // The same push from two places, or twice from a handler that is run again, is one job if both
  // name the same request, within request_for (default 10 min, at most 24 h). Without one the SDK
  // still makes sure that a push it has to send twice is one job.
  std::string request = {};
  std::optional<milliseconds> request_for = {};
  // At most one job at a time has it, whatever the job's own `key` is: see Unique.
  Unique unique = {};
  std::vector<std::string> limits =
      {};                 // Names of limiters that bound its start, set by LIMIT.SET.
  std::string fair = {};  // Whose job it is: queues are shared fairly between these.
  std::vector<std::pair<std::string, std::string>> meta = {};  // Kept with the job, for middleware.
};

struct NewJob {
  std::string queue = {};
  std::string type = {};
  std::string args = {};  // Bytes, kept exactly; JSON by convention.
  PushOptions options = {};
};

struct Pushed {
  std::string id = {};
  // False: a job that has this `key` or `unique` was there. A push with the `request` of an earlier
  // one is answered just as that one was.
  bool created = true;
};

// One counted run that is over.
struct AttemptRecord {
  int attempt = 0;
  int generation = 0;
  int64_t fence = 0;
  std::string worker = {};
  std::string outcome = {};  // "failed", "lost", "timeout", "succeeded", "cancelled".
  std::string error_class = {};
  std::string message = {};
  std::string trace = {};
  WallTime started{};
  WallTime ended{};
};

// What JOB.GET and JOB.WAIT answer.
struct JobRecord {
  std::string id = {};
  std::string key = {};
  // ready scheduled running waiting succeeded dead cancelled expired; gone.
  std::string state = {};
  std::string queue = {};
  std::string type = {};
  std::string args = {};
  int priority = 0;
  int attempt = 0;
  int max_attempts = 0;
  int generation = 0;
  int64_t fence = 0;
  int crashes = 0;
  int max_crashes = 0;
  bool suspect = false;  // Its workers died; it is leased alone now.
  bool cancel_requested = false;
  std::string reason = {};  // Of a dead job.
  std::string worker = {};  // Of a running one.
  WallTime pushed{};
  std::optional<WallTime> run_at = {};
  std::optional<WallTime> finished = {};
  std::optional<std::string> progress = {};
  std::optional<std::string> result = {};
  std::vector<std::pair<std::string, std::string>> meta = {};
  std::vector<AttemptRecord> history = {};  // Oldest first.
  Value raw = {};                           // All of it, with fields that this SDK does not know.

  // Whether it will not change by itself any more; true for one whose record is gone.
  bool finished_state() const;
};

struct QueueStats {
  std::string queue = {};
  int64_t ready = 0;
  int64_t scheduled = 0;
  int64_t running = 0;
  int64_t waiting = 0;
  int64_t dead = 0;
  milliseconds oldest{0};  // How long the oldest ready job has been ready.
  int64_t pushed = 0;
  int64_t started = 0;
  int64_t succeeded = 0;
  int64_t failed = 0;
  bool paused = false;
  Value raw = {};
};

}  // namespace dray
