// Commands and the passing of time, applied to the state. Pure: no I/O, no clock, no threads; the
// same state, command, now and random bits give the same effects and reply.
//
// Threading: one thread at a time, the one that runs a turn.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "core/command.h"
#include "core/effect.h"
#include "core/event_log.h"
#include "core/job_walk.h"
#include "core/reply.h"
#include "core/state.h"

namespace core {

// Whose turn it is among weighted queues: for each set of weights the shares so far. Kept in memory
// only; a restart begins the round anew.
class WeightedTurns {
 public:
  // Returns which of the queues is next. `eligible[i]`: it has something to give.
  size_t next(const Fetch& fetch, const std::vector<bool>& eligible);

 private:
  std::unordered_map<std::string, std::vector<int64_t>> credit_;
};

// All that `apply` works on and with. Borrowed from the engine for one step.
struct Context {
  State& state;
  base::Now now;
  base::Random& random;
  EffectSink& sink;
  WeightedTurns& turns;
  // Set while new jobs can't be taken (memory, disk, journal): what a push is answered.
  const base::Error* push_refusal = nullptr;
  EventLog* events = nullptr;  // Null: nobody can watch.
  // Ids that each walk over jobs may look at in this step.
  size_t walk_ids_most = limits::kWalkIdsPerTurn;
};

// A command that goes over jobs in steps (LIST, COUNT, and what begins an operation), between two
// of them. Its command must outlive it.
struct WalkInProgress {
  JobWalk walk;
  uint64_t picked = 0;
  Reply jobs = {};  // Those that a list has so far.
  // It has more to look at now; otherwise a record that it needs is being read.
  bool can_go_on = false;
};

// What a command leads to.
struct Answer {
  Reply reply;
  // Leases in `reply`: taken back (UndoGrants) if it does not reach the worker.
  std::vector<std::pair<JobId, LeaseToken>> grants;
  // Nothing to answer yet: the engine keeps the command waiting (FETCH and WAIT with BLOCK).
  bool blocks = false;
  // Set while the command is to be applied again, in another step, with this answer.
  std::unique_ptr<WalkInProgress> walk;
  // A record that the command needs is being read: it found less than there is, or nothing.
  bool misses = false;

  void clear() {
    reply.clear();
    grants.clear();
    blocks = false;
    misses = false;
  }
};

// Whether all records that the command may look at or change are in memory; asks for those that are
// not. Only of a FETCH it is not known before; its answer says it then (`misses`).
bool ready_to_apply(State& state, const Command& command);
// The same for the answer to a WAIT.
bool ready_to_tell(State& state, const std::vector<JobId>& jobs);
// Whether the reading of its records was given up, since together they take too much memory; what
// it is answered then (TOOBIG).
bool reads_too_much(State& state, const Command& command);
bool tells_too_much(State& state, const std::vector<JobId>& jobs);
base::Error reads_too_much_error();

// Applies one command. FETCH and WAIT that have nothing to say yet set `answer.blocks`.
void apply(Context& context, const Command& command, Answer& answer);

// Carries out what is due at `context.now`, at most `most` jobs, in order of due time, then of id,
// and removes as many keys that are over.
enum class Due : uint8_t {
  kDone,
  kMore,
  kMisses,  // The next one's record is being read.
};
Due apply_due(Context& context, size_t most);

// Goes on with the operations: with some jobs of one of them.
void advance_operations(Context& context);

// Returns when `apply_due` or `advance_operations` next has something to do, in engine time;
// never() if nothing is timed.
base::EngineTime next_due(const State& state, base::Now now);

// --- For the engine's waiting fetches and waits.

// Which jobs a fetch gets, one after the other. What it names is looked up once, and a queue that
// has nothing for it is not looked at again: good within one step, while nothing becomes ready. The
// fetch must outlive it.
class FetchChoice {
 public:
  FetchChoice(const State& state, const Fetch& fetch);

  const Fetch& fetch() const { return *fetch_; }
  // Returns the job that the fetch gets next, or null. Others may have been given some since.
  Job* next(Context& context);

 private:
  Job* first_of(const Context& context, std::string_view queue_name) const;
  Job* next_by_weight(Context& context);

  const Fetch* fetch_;
  std::vector<const TypeName*> types_;  // By address.
  bool is_over_ = false;
  size_t at_ = 0;                  // The queues before it have nothing. Not with weights.
  std::vector<Job*> firsts_ = {};  // By queue, or null. With weights.
};

// Gives the fetch one more job, if there is one for it: a lease is added to the open array of
// `answer` (see `open_leases`).
bool grant_next(Context& context, FetchChoice& choice, Answer& answer);
// Begins and ends the array of leases in `answer.reply`.
size_t open_leases(Answer& answer);
void close_leases(Answer& answer, size_t mark);

// Whether a WAIT for these jobs is over, and its answer now.
bool wait_is_over(const State& state, const std::vector<JobId>& jobs, bool any);
// Of a job that `sight` does not see (any more) it says what it says of one that is gone.
void write_wait(Reply& reply, const State& state, const std::vector<JobId>& jobs, Sight sight,
                base::Now now);
// What the wait's references see.
Sight sight_of(const Wait& wait);
// The ids that the command waits for. Errors: NOTFOUND, BADREQ.
base::Result<std::vector<JobId>> resolve_wait(const State& state, const Wait& wait);
// The same for OP.WAIT: the operation's number, and what it is told of it.
base::Result<uint64_t> resolve_operation(const State& state, std::string_view text);
void write_operation(Reply& reply, const State& state, uint64_t number);

// Whether there is something behind the cursor of an EVENT.READ, and its answer now.
bool has_events(const EventLog& events, const EventRead& read);
void write_events(Reply& reply, const EventLog& events, const EventRead& read);

}  // namespace core
