// The engine without threads, clocks and disks: state, waiting commands and the effects of a turn.
// Simulation and model tests drive it step by step; `Engine` drives it in its loop.
//
// Threading: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/apply.h"
#include "core/state.h"
#include "engine/checkpoint.h"
#include "engine/request.h"
#include "engine/waiting.h"
#include "store/store.h"

namespace engine {

class Machine {
 public:
  // `random` must outlive this; it makes lease tokens, so nobody may foretell it.
  Machine(base::Random& random, size_t history_bytes_max)
      : random_(random), state_(0, history_bytes_max) {}

  // Recovery: effects in order, then `end_recovery`, with the first `now` of the new run.
  void begin_recovery() { state_.begin_recovery(); }
  base::Status replay(core::Effect&& effect, base::Now now);
  base::Status end_recovery(base::Now now);
  // The last moment that the journal tells of; nothing if it is new.
  std::optional<base::Now> recovered_now() const { return recovered_now_; }

  // A step: `begin`, then any of the others, then `take_effects` and `take_answered`.
  void begin(base::Now now, const base::Error* push_refusal = nullptr);
  void apply(Request& request);
  // Carries out what is due; at most `most` jobs. Returns whether more is.
  bool apply_due(size_t most);
  // Answers waiting commands that have what they wait for.
  void feed();
  // Answers waiting commands whose time is up; once quiet, all of them.
  void expire_waiting();
  // From now on no lease is given: fetches find nothing, and nothing waits for long.
  void quiesce() { quiet_ = true; }
  // The loop stood still: no lease ends before its worker could have renewed it.
  void credit_stall() { state_.credit_leases(now_.engine); }

  // Writes some of what lives once more, if a checkpoint runs; see Checkpoint.
  void begin_checkpoint(uint64_t begin_seq) { checkpoint_.begin(state_, begin_seq); }
  bool in_checkpoint() const { return checkpoint_.running(); }
  // Returns the sequence before which frames may go, once the checkpoint is complete.
  std::optional<uint64_t> checkpoint_slice() { return checkpoint_.slice(state_, effects_); }

  // Tells the journal of the time, if nothing else does.
  void tick() { effects_.put(core::Ticked{}); }
  size_t effects_bytes() const { return effects_.mark(); }
  base::Now now() const { return now_; }
  std::string take_effects() { return effects_.take(); }
  std::vector<Request*> take_answered() { return std::exchange(answered_, {}); }

  // When something is due or a waiting command's time is up.
  base::EngineTime next_due() const;
  const core::State& state() const { return state_; }
  core::State& state() { return state_; }
  size_t waiting() const { return waiting_.size(); }

 private:
  core::Context context();
  void close_session(Request& request);

  base::Random& random_;
  core::State state_;
  core::WeightedTurns turns_;
  Waiting waiting_;
  Checkpoint checkpoint_;
  store::EffectEncoder effects_;
  std::vector<Request*> answered_;
  base::Now now_;
  const base::Error* push_refusal_ = nullptr;
  std::optional<base::Now> recovered_now_;
  bool quiet_ = false;
};

}  // namespace engine
