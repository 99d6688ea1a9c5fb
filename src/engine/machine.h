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
#include "engine/flush.h"
#include "engine/parked.h"
#include "engine/pressure.h"
#include "engine/request.h"
#include "engine/restore.h"
#include "engine/waiting.h"
#include "store/loader.h"
#include "store/store.h"

namespace engine {

class Machine {
 public:
  // `random` must outlive this; it makes lease tokens, so nobody may foretell it.
  Machine(base::Random& random, size_t history_bytes_max)
      : random_(random), state_(0, history_bytes_max) {}

  // Recovery: what the tables have (null: there are none yet), then the frames behind it in order,
  // then `end_recovery`, with the first `now` of the new run. The reader must live until then.
  // `applied_seq`: of the last frame that the tables have.
  base::Status begin_recovery(store::TablesReader* tables, uint64_t applied_seq = 0);
  // Before the first of them that has effects. CORRUPT: there must have been some before it.
  base::Status begin_journal(uint64_t first_seq);
  base::Status replay(std::string_view frame);
  base::Status end_recovery(base::Now now);
  uint64_t damaged_rows() const { return state_.damaged(); }
  // The last moment that tables and journal tell of; nothing if they are new.
  std::optional<base::Now> recovered_now() const { return recovered_now_; }

  // A step: `begin`, then any of the others, then `take_effects` and `take_answered`.
  void begin(base::Now now, const base::Error* push_refusal = nullptr);
  void apply(Request& request);
  // Carries out what is due; at most `most` jobs. Returns whether more is.
  bool apply_due(size_t most);

  // Records that commands need, and that are to be read from the tables: each for itself, and those
  // that are of use only together.
  std::vector<core::JobId> take_wants() { return state_.residency().take_wants(); }
  std::vector<std::vector<core::JobId>> take_wants_together() {
    return state_.residency().take_wants_together();
  }
  // One of them has been read, or could not be.
  void bring_in(core::JobId id, base::Result<std::unique_ptr<core::JobRecord>> record);
  // The same; `header` is that of the row. One of an earlier state is taken for a damaged one: its
  // fence may be one that was given before.
  void bring_in(store::Loader::Loaded&& loaded);
  // Applies commands that waited for records, if these are there now.
  void retry_parked();
  // Goes on with the operations: with some jobs of one of them.
  void advance_operations();
  // Whether a command that goes over jobs in steps can go on at once.
  bool has_more_to_walk() const { return has_more_to_walk_; }
  // Whether such commands stand still in the steps to come.
  void rest_walks(bool rest) { walks_rest_ = rest; }
  // Whether one went on in this step.
  bool has_walked() const { return walks_ != 0; }
  // Answers waiting commands that have what they wait for. Returns whether there is more to give,
  // in the next step.
  bool feed();
  // Answers waiting commands whose time is up; once quiet, all of them.
  void expire_waiting();
  // From now on no lease is given: fetches find nothing, and nothing waits for long.
  void quiesce() { quiet_ = true; }
  // The loop stood still: no lease ends before its worker could have renewed it.
  void credit_stall() { state_.credit_leases(now_.engine); }

  // A flush takes the state as it is between two steps.
  void begin_flush() { flush_.begin(state_, now_); }
  const Flush& flush() const { return flush_; }
  // Returns the whole when it is complete.
  std::unique_ptr<store::ChangeSet> flush_slice(size_t jobs_most = Flush::kSliceJobsMost) {
    return flush_.slice(state_, jobs_most);
  }
  // The tables have it. Frames before `needed_seq` may go once this step's effects are durable.
  void flush_done(uint64_t memory_max, uint64_t needed_seq);

  // Large reads are refused while connections hold too much. Without: never.
  void bound_replies(const BufferGauge& gauge) { gauge_ = &gauge; }
  // Of this step's answers.
  uint64_t reply_bytes() const { return reply_bytes_; }

  // Tells the journal of the time, if nothing else does.
  void tick() { effects_.put(core::Ticked{}); }
  size_t effects_bytes() const { return effects_.mark(); }
  base::Now now() const { return now_; }
  std::string take_effects() { return effects_.take(); }
  std::vector<Request*> take_answered();

  // When something is due or a waiting command's time is up.
  base::EngineTime next_due() const;
  const core::State& state() const { return state_; }
  core::State& state() { return state_; }
  size_t waiting() const { return waiting_.size(); }
  const Parked& parked() const { return parked_; }

 private:
  core::Context context();
  void close_session(Request& request);
  bool try_to_apply(Request& request);
  void wait_for(Request& request);
  bool is_turned_away(Request& request);
  void answer(Request& request);
  void count_answers();
  bool is_full() const;
  base::Status bring_in_for(std::string_view frame);

  base::Random& random_;
  core::State state_;
  core::WeightedTurns turns_;
  core::EventLog events_;
  Waiting waiting_;
  Parked parked_;
  Flush flush_;
  store::TablesReader* tables_ = nullptr;    // While recovering.
  uint64_t applied_seq_ = 0;                 // The same.
  uint64_t journal_first_seq_ = UINT64_MAX;  // The same.
  store::EffectEncoder effects_;
  const BufferGauge* gauge_ = nullptr;
  std::vector<Request*> answered_;
  size_t answers_counted_ = 0;  // Of answered_.
  uint64_t reply_bytes_ = 0;    // Of these.
  base::Now now_;
  const base::Error* push_refusal_ = nullptr;
  std::optional<base::Now> recovered_now_;
  bool quiet_ = false;
  // Commands that go over jobs: in this step, and in the one before; whether one can go on.
  size_t walks_ = 0;
  size_t walks_before_ = 0;
  bool has_more_to_walk_ = false;
  size_t pages_bytes_ = 0;  // Of those that went on in this step and are not complete.
  bool walks_rest_ = false;
};

}  // namespace engine
