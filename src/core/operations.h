// Operations: what a verb with WHERE, QUEUE.PURGE and QUEUE.DELETE become. Each goes over the jobs
// that there were when it began, some in a turn, and is stored with how far it came: a restart goes
// on where it was, and no job is changed twice.
//
// Threading: as State.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/job_options.h"
#include "core/query.h"

namespace core {

// Never renumber: they are stored.
enum class OperationVerb : uint8_t { kRetry, kCancel, kDelete, kPurge, kDeleteQueue, kEdit };
inline constexpr size_t kOperationVerbCount = 6;
std::string_view operation_verb_name(OperationVerb verb);

enum class OperationState : uint8_t { kRunning, kDone, kCancelled };
inline constexpr size_t kOperationStateCount = 3;
std::string_view operation_state_name(OperationState state);

struct Operation {
  uint64_t number = 0;  // From 1 on.
  OperationVerb verb = OperationVerb::kRetry;
  OperationState state = OperationState::kRunning;
  bool force = false;       // Of kCancel.
  std::string queue = {};   // Of kPurge and kDeleteQueue.
  JobChanges changes = {};  // Of kEdit. When it is over its args are forgotten.
  Query query = {};
  uint64_t jobs_most = 0;  // LIMIT; 0: all.
  uint64_t rate = 0;       // Jobs a second; 0: as fast as it goes.
  uint64_t matched = 0;    // Jobs that the query picked when it began.
  uint64_t done = 0;       // Jobs that it changed.
  uint64_t skipped = 0;    // Jobs whose state did not allow it any more.
  JobId next = {};         // Where it goes on.
  JobId last = {};         // The newest job that there was.
  base::WallTime started = {};
  base::WallTime ended = {};  // Once it does not run any more.

  bool is_running() const { return state == OperationState::kRunning; }
};

class Operations {
 public:
  uint64_t number_next() const { return all_.empty() ? 1 : all_.rbegin()->first + 1; }
  size_t running() const { return running_; }

  const Operation* find(uint64_t number) const;
  // All that are remembered, by number.
  const std::map<uint64_t, Operation>& all() const { return all_; }
  // Whether the record of a job is still being read.
  using IsBeingRead = std::function<bool(JobId)>;
  // The next one that runs and whose time has come, after the one that was returned last; null if
  // there is none.
  const Operation* take_turn(base::EngineTime now, const IsBeingRead& is_being_read);
  // When that is so; never() if none runs.
  base::EngineTime next_turn(const IsBeingRead& is_being_read) const;

  // Puts a new one, or the new state of one. Of those that are over the oldest go beyond the bound.
  void put(Operation&& operation);
  // What is not stored: it looked at jobs up to there, and had nothing to do.
  void move_on(uint64_t number, JobId next);
  // It has done enough until then.
  void rest(uint64_t number, base::EngineTime until) { pauses_[number].until = until; }
  // It needs the record of this job, which is being read.
  void wait_for(uint64_t number, JobId job) { pauses_[number].record = job; }

  // Numbers of those that were put, or went, since the last call.
  std::vector<uint64_t> take_changed();
  // Numbers of those that are over since the last call.
  std::vector<uint64_t> take_ended() { return std::exchange(ended_, {}); }

 private:
  struct Pause {
    base::EngineTime until = {};
    std::optional<JobId> record = {};
  };

  void drop_oldest();

  std::map<uint64_t, Operation> all_;
  std::unordered_map<uint64_t, Pause> pauses_;
  std::unordered_set<uint64_t> changed_;
  std::vector<uint64_t> ended_;
  size_t running_ = 0;
  uint64_t turn_ = 0;  // The number that had its turn last.
};

// "op-7".
std::string operation_text(uint64_t number);
// Returns nothing for text that is no operation's.
std::optional<uint64_t> parse_operation(std::string_view text);

}  // namespace core
