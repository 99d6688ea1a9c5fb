// The engine: one thread at a time owns all job state. Each turn drains the inbox, applies what
// came, submits the effects, and releases replies once they are durable.
//
// Turns are run by the engine's thread; when the engine rests, a turn of few commands is run by the
// thread that brings them (`submit_or_run`), since waking others would cost more than the turn.
//
// Threading: `submit`, `submit_or_run` and the readers of counters from any thread; `recover`,
// `start` and `stop` from the thread that owns the engine. Released requests come from the engine
// or the commit thread, or from within `submit_or_run`.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "engine/auditor.h"
#include "engine/engine_clock.h"
#include "engine/histogram.h"
#include "engine/inbox.h"
#include "engine/machine.h"
#include "engine/pressure.h"
#include "store/flusher.h"
#include "store/loader.h"
#include "store/scrubber.h"
#include "store/store.h"
#include "store/tables.h"

namespace engine {

// Numbers for metrics. Threading: written by whoever runs a turn, read by any thread.
struct EngineCounters {
  std::atomic<uint64_t> turns = 0;
  std::atomic<uint64_t> commands = 0;
  std::atomic<uint64_t> stalls = 0;
  std::atomic<uint64_t> jobs = 0;  // Kept, in memory or in the tables.
  std::atomic<uint64_t> keys = 0;
  std::atomic<uint64_t> keys_bytes = 0;       // What they count against their limit.
  std::atomic<uint64_t> record_bytes = 0;     // Memory of jobs' records.
  std::atomic<uint64_t> unflushed_bytes = 0;  // Of those that wait for a flush.
  std::atomic<uint64_t> loads = 0;            // Records that were read from the tables.
  std::atomic<uint64_t> damaged = 0;          // Jobs that were set aside.
  std::atomic<uint64_t> waiting = 0;          // Commands that wait.
  std::atomic<uint64_t> refusing = 0;         // 1: pushes are refused now.
  std::atomic<uint64_t> queues = 0;           // That were ever used.
  std::atomic<uint64_t> pressure = 0;         // As a number; see Pressure.
  Histogram turn_seconds;                     // How long the engine holds a turn.
  Histogram commit_seconds;                   // From the end of a turn to its durability.
};

struct RecoverySummary {
  uint64_t jobs = 0;
  uint64_t damaged = 0;  // Jobs that were set aside.
  uint64_t last_seq = 0;
  uint64_t torn_bytes = 0;
  bool clean_shutdown = false;
};

class Engine {
 public:
  // Called with requests whose answers may leave the server.
  using Release = std::function<void(std::vector<Request*>&&)>;
  // Called once when the journal failed: the process has to end (exit code 74).
  using Failed = std::function<void(const base::Error&)>;

  // `clock`, `random` and `buffers` must outlive the engine. `random` is used by one turn after
  // another, so each engine has one of its own; `buffers` is what all connections hold, and the
  // same for all engines.
  // Without tables all jobs stay in memory, and the journal is never trimmed: for benchmarks.
  Engine(std::unique_ptr<store::Journal> journal, std::unique_ptr<store::Tables> tables,
         const base::Clock& clock, base::Random& random, BufferGauge& buffers);
  ~Engine();

  // Before start().
  void set_audit_every(base::Duration every) { auditor_.set_every(every); }

  base::Result<RecoverySummary> recover();
  void start(Release release, Failed failed);

  // Hands commands over. Returns those for which there is no room; they are the caller's again.
  std::vector<Request*> submit(std::span<Request* const> requests);
  // As `submit`. If the engine rests, these are few and syncs are quick, their turn is over and
  // durable when this returns.
  std::vector<Request*> submit_or_run(std::span<Request* const> requests);

  // From now on no lease is given and no fetch waits; what waits is answered now.
  void quiesce();
  // Makes all durable and ends the threads.
  base::Status stop();

  const EngineCounters& counters() const { return counters_; }
  const store::StoreCounters& store_counters() const { return store_.counters(); }
  // Null without tables.
  const store::FlusherCounters* flusher_counters() const;
  const store::ScrubberCounters* scrubber_counters() const;
  const AuditorCounters& auditor_counters() const { return auditor_.counters(); }
  store::JournalSpace space() const { return store_.space(); }

 private:
  enum class Committer : uint8_t { kCommitThread, kThisThread };
  void run();
  void run_once(Committer committer);
  bool is_at_rest() const;
  void watch_stall(base::MonoTime start);
  void watch_wall_clock();
  void watch_history();
  base::Status open_tables();
  std::optional<base::Error> push_refusal() const;
  std::optional<base::Error> pressure_refusal() const;
  void watch_pressure(base::MonoTime now);
  uint64_t unflushed_most() const;
  bool flush_is_due() const;
  void begin_flush();
  void continue_flush();
  // Hands what was taken over to the tables. Requires: the journal has all of it.
  void submit_flush();
  void finish_flush();
  void flush_all();
  void take_loaded();
  void request_wants();
  bool turn_has_room() const;
  void apply(Request& request);
  void apply_drained();
  void apply_reads();
  void apply_owed_read();
  void submit_turn(Committer committer);
  void count_state();
  void release_durable(uint64_t turn);
  void pace_walks(base::MonoTime start);
  base::EngineTime walks_go_on() const;
  base::EngineTime next_turn() const;

  // Constant after start().
  const base::Clock& clock_;
  BufferGauge& buffers_;
  store::Store store_;
  std::unique_ptr<store::Tables> tables_;
  std::unique_ptr<store::Flusher> flusher_;  // Set by open_tables().
  std::unique_ptr<store::Loader> loader_;
  std::unique_ptr<store::Scrubber> scrubber_;
  std::unique_ptr<store::TablesReader> restoring_;  // While recovering.
  Release release_;
  Failed failed_;

  // Held for a turn, and for what belongs to whoever runs it: all down to turns_mutex_.
  std::mutex turn_mutex_;
  EngineClock engine_clock_;
  Machine machine_;
  Auditor auditor_;
  std::vector<Request*> drained_;
  size_t applied_ = 0;  // Of drained_.
  base::EngineTime last_effects_;
  std::optional<base::Error> refusal_;
  Pressure commit_pressure_ = Pressure::kNone;  // As of the last look.
  base::EngineTime wall_hold_seen_;
  uint64_t turn_ = 0;
  uint64_t commands_ = 0;
  uint64_t trim_before_ = 0;
  uint64_t applied_seq_ = 0;                     // What the tables have.
  uint64_t flush_seq_ = 0;                       // What they will have after the flush that runs.
  std::unique_ptr<store::ChangeSet> flush_set_;  // Complete, and waits until it is durable.
  base::EngineTime last_flush_;                  // Its beginning.
  uint64_t last_flush_bytes_ = 0;                // Journal bytes then, since the start.
  // What came into the history until then, and how fast of late, in bytes a millisecond.
  base::EngineTime history_looked_;
  uint64_t history_bytes_seen_ = 0;
  double history_rate_ = 0;
  base::MonoTime last_start_;  // Of the turn before.
  // Walks rest until then; and what there was when one went on last.
  base::MonoTime walks_rest_until_;
  uint64_t commands_at_walk_ = 0;
  uint64_t loads_at_walk_ = 0;
  bool more_due_ = false;
  bool owes_read_ = false;     // The last turn was full without one.
  base::EngineTime wakes_at_;  // The engine's thread sleeps no longer than this.

  // Turns that are not durable yet, oldest first, with what they answer.
  struct Turn {
    uint64_t number = 0;
    base::MonoTime submitted;
    std::vector<Request*> answered;
  };
  std::mutex turns_mutex_;
  std::deque<Turn> turns_;    // Guarded by turns_mutex_.
  CommitWatch commit_watch_;  // The same.

  Inbox inbox_;
  std::atomic<bool> flush_waits_{false};  // For the journal.
  std::atomic<bool> flush_done_{false};   // The tables have it; the engine does not know yet.
  std::atomic<bool> loaded_{false};       // There is something to take from loader_.
  std::atomic<bool> tables_failed_{false};
  std::atomic<bool> quiesce_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  EngineCounters counters_;
};

}  // namespace engine
