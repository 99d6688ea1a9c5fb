#include "engine/engine.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"

namespace engine {

using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

// Commands of one turn: enough to share a sync, few enough to keep a turn short.
constexpr size_t kCommandsPerTurn = 4'096;
constexpr size_t kInboxLaneMax = 200'000;

// A turn ends when its effects have grown beyond this. One command adds at most what one request
// may hold (40 MiB), so that a turn and what waits before it fit a frame of the journal.
constexpr size_t kTurnBytesMax = size_t{8} << 20;

// While nothing happens the journal is told of the time at least this often.
constexpr int64_t kTickMs = 30'000;

// The loop turns at least this often: what would be a stall is then seen as one.
constexpr base::Duration kTickMost{250};

// What a thread that brings commands may carry out itself: more is worth the overlap of applying
// with syncing, and would keep that thread from its other duties.
constexpr size_t kCommandsHere = 16;
constexpr size_t kTurnBytesHere = size_t{64} << 10;

// Shares of the journal's budget, in percent. A checkpoint starts at the first; what lives must
// stay below the second, since a checkpoint writes it once more; at the third, pushes stop at once.
constexpr uint64_t kCheckpointPercent = 50;
constexpr uint64_t kLivePercent = 40;
constexpr uint64_t kFullPercent = 90;
// The share of it that finished records may take, and what one of the ledger's entries counts.
constexpr uint64_t kHistoryPercent = 10;
constexpr uint64_t kLedgerEntryBytes = 40;

size_t history_bytes(uint64_t budget_bytes) {
  return std::min<uint64_t>(core::limits::kHistoryBytesMax, budget_bytes * kHistoryPercent / 100);
}

}  // namespace

Engine::Engine(std::unique_ptr<store::Journal> journal, const base::Clock& clock,
               base::Random& random)
    : clock_(clock),
      store_(std::move(journal), clock),
      engine_clock_(clock, std::nullopt),
      machine_(random, history_bytes(store_.space().bytes_budget)),
      inbox_(kInboxLaneMax) {}

Engine::~Engine() {
  ASSERT(!thread_.joinable(), "stop() comes before the end");
}

base::Result<RecoverySummary> Engine::recover() {
  machine_.begin_recovery();
  const auto found = TRY(store_.recover([&](core::Effect&& effect, base::Now now) {
    return machine_.replay(std::move(effect), now);
  }));
  engine_clock_.restart(machine_.recovered_now());
  TRY(machine_.end_recovery(engine_clock_.now()));
  return RecoverySummary{.jobs = machine_.state().jobs().size(),
                         .last_seq = found.last_seq,
                         .torn_bytes = found.torn_bytes,
                         .clean_shutdown = found.clean_shutdown};
}

void Engine::start(Release release, Failed failed) {
  release_ = std::move(release);
  failed_ = std::move(failed);
  last_start_ = clock_.mono();
  store_.start({.durable = [this](uint64_t turn) { release_durable(turn); }, .failed = failed_});
  thread_ = std::thread([this] { run(); });
}

std::vector<Request*> Engine::submit(std::span<Request* const> requests) {
  return inbox_.push(requests);
}

std::vector<Request*> Engine::submit_or_run(std::span<Request* const> requests) {
  if (requests.size() > kCommandsHere || !store_.is_quick()) return submit(requests);
  const std::unique_lock turn(turn_mutex_, std::try_to_lock);
  if (!turn.owns_lock() || !is_at_rest()) return submit(requests);
  std::vector<Request*> refused = inbox_.push(requests, Inbox::Wake::kNobody);
  run_once(Committer::kThisThread);
  if (inbox_.size() != 0 || next_turn() < wakes_at_) inbox_.wake();
  return refused;
}

// Whether the engine's thread has nothing to do and the commit thread neither.
bool Engine::is_at_rest() const {
  return thread_.joinable() && !stopping_.load(std::memory_order_acquire) &&
         next_turn() > machine_.now().engine && inbox_.size() == 0 && store_.idle();
}

void Engine::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    nanoseconds pause{0};
    {
      const std::lock_guard turn(turn_mutex_);
      run_once(Committer::kCommitThread);
      const base::EngineTime now = machine_.now().engine;
      wakes_at_ = std::min(next_turn(), now + kTickMost);
      pause = milliseconds((wakes_at_ - now).count());
    }
    if (pause.count() > 0) inbox_.wait(pause);
  }
  const std::lock_guard turn(turn_mutex_);
  run_once(Committer::kCommitThread);  // What came before the end, and the time of it.
}

// The whole loop: drain, apply, submit; release_durable is the fourth phase.
void Engine::run_once(Committer committer) {
  const base::MonoTime start = clock_.mono();
  if (applied_ == drained_.size()) {
    inbox_.drain(kCommandsPerTurn, drained_);
    applied_ = 0;
  }
  machine_.state().set_history_bytes_max(history_bytes(store_.space().bytes_budget));
  refusal_ = push_refusal();
  machine_.begin(engine_clock_.now(), refusal_ ? &*refusal_ : nullptr);
  watch_stall(start);
  watch_wall_clock();
  more_due_ = machine_.apply_due(core::limits::kDuePerTurn);
  if (quiesce_.load(std::memory_order_acquire)) machine_.quiesce();
  apply_drained();
  machine_.feed();
  machine_.expire_waiting();
  continue_checkpoint();
  submit_turn(committer);
  counters_.turn_seconds.add(clock_.mono() - start);
}

void Engine::apply_drained() {
  while (applied_ < drained_.size() && machine_.effects_bytes() < kTurnBytesMax) {
    machine_.apply(*drained_[applied_++]);
    ++commands_;
  }
}

// A loop that stood still (SIGSTOP, a slow disk, a paused machine) heard no heartbeats.
void Engine::watch_stall(base::MonoTime start) {
  const nanoseconds gap = start - std::exchange(last_start_, start);
  if (gap < milliseconds(core::limits::kStallMs)) return;
  counters_.stalls.fetch_add(1, std::memory_order_relaxed);
  LOG(kWarning, "the loop stood still; leases are credited", {"stall_ms", gap.count() / 1'000'000});
  machine_.credit_stall();
}

// A wall clock that jumps ahead holds what is due by it, for a minute.
void Engine::watch_wall_clock() {
  const base::EngineTime hold = machine_.state().wall_hold_until();
  if (hold == std::exchange(wall_hold_seen_, hold) || hold <= machine_.now().engine) return;
  LOG(kWarning, "the wall clock stepped ahead; jobs with AT are held",
      {"hold_ms", (hold - machine_.now().engine).count()});
}

// What a checkpoint would write now.
uint64_t Engine::live_bytes() const {
  const core::State& state = machine_.state();
  return state.live_bytes() + state.keys().bytes() + state.ledger().size() * kLedgerEntryBytes;
}

std::optional<base::Error> Engine::push_refusal() const {
  const store::JournalSpace space = store_.space();
  if (space.disk != store::DiskLevel::kFine) {
    return base::Error{ErrorCode::kDiskFull,
                       "retry_ms=5000 the disk of the data directory is nearly full: free space, "
                       "or delete jobs; acks and fetches go on"};
  }
  const core::State& state = machine_.state();
  const uint64_t live = live_bytes();
  const uint64_t live_most = space.bytes_budget * kLivePercent / 100;
  if (live > live_most || space.bytes_used > space.bytes_budget * kFullPercent / 100) {
    return base::Error{
        ErrorCode::kOverloaded,
        fmt::format(
            "retry_ms=1000 limit={} got={} bytes of jobs and keys (journal {} of {}): wait for "
            "workers, or give the journal a larger budget or disk",
            live_most, live, space.bytes_used, space.bytes_budget)};
  }
  if (state.ledger().full()) {
    return base::Error{ErrorCode::kOverloaded,
                       fmt::format("retry_ms=1000 limit={} answers are remembered for a minute",
                                   core::limits::kLedgerEntriesMax)};
  }
  return std::nullopt;
}

void Engine::continue_checkpoint() {
  if (!machine_.in_checkpoint()) {
    const store::JournalSpace space = store_.space();
    const uint64_t threshold = space.bytes_budget * kCheckpointPercent / 100;
    // What the last one left behind grows first, or nothing but checkpoints would be written.
    if (space.bytes_used < std::max(threshold, checkpoint_bytes_ + checkpoint_bytes_ / 4)) return;
    // It must not take the room that acks need on a disk that others have filled.
    const bool fits = 2 * live_bytes() <= space.bytes_kept;
    if (space.disk != store::DiskLevel::kFine && !fits) return;
    machine_.begin_checkpoint(store_.seq_next());
    counters_.checkpoints.fetch_add(1, std::memory_order_relaxed);
  }
  if (const auto trim_before = machine_.checkpoint_slice()) {
    trim_before_ = *trim_before;
    checkpoint_bytes_ = live_bytes();
  }
}

void Engine::submit_turn(Committer committer) {
  const base::EngineTime now = machine_.now().engine;
  if (machine_.effects_bytes() != 0) {
    last_effects_ = now;
  } else if (now - last_effects_ >= base::Duration{kTickMs} || stopping_) {
    machine_.tick();
    last_effects_ = now;
  }
  std::string effects = machine_.take_effects();
  std::vector<Request*> answered = machine_.take_answered();
  const core::State& state = machine_.state();
  counters_.turns.fetch_add(1, std::memory_order_relaxed);
  counters_.commands.store(commands_, std::memory_order_relaxed);
  counters_.jobs.store(state.jobs().size(), std::memory_order_relaxed);
  counters_.keys.store(state.keys().held(), std::memory_order_relaxed);
  counters_.keys_bytes.store(state.keys().bytes(), std::memory_order_relaxed);
  counters_.live_bytes.store(state.live_bytes(), std::memory_order_relaxed);
  counters_.waiting.store(machine_.waiting(), std::memory_order_relaxed);
  counters_.refusing.store(refusal_ ? 1 : 0, std::memory_order_relaxed);
  if (effects.empty() && answered.empty()) return;
  if (effects.empty() && store_.idle()) return release_(std::move(answered));
  {
    const std::lock_guard lock(turns_mutex_);
    turns_.push_back({++turn_, clock_.mono(), std::move(answered)});
  }
  const uint64_t trim_before = std::exchange(trim_before_, 0);
  if (committer == Committer::kThisThread && effects.size() <= kTurnBytesHere && store_.idle()) {
    store_.commit(turn_, std::move(effects), trim_before);
  } else {
    store_.submit(turn_, std::move(effects), trim_before);
  }
}

// On the thread that synced it: what these turns answer is durable and may be heard of.
void Engine::release_durable(uint64_t turn) {
  std::vector<Request*> answered;
  {
    const std::lock_guard lock(turns_mutex_);
    const base::MonoTime now = clock_.mono();
    while (!turns_.empty() && turns_.front().number <= turn) {
      Turn& oldest = turns_.front();
      counters_.commit_seconds.add(now - oldest.submitted);
      if (answered.empty()) {
        answered = std::move(oldest.answered);
      } else {
        answered.insert(answered.end(), oldest.answered.begin(), oldest.answered.end());
      }
      turns_.pop_front();
    }
  }
  if (!answered.empty()) release_(std::move(answered));
}

// When there is something to do though nothing comes.
base::EngineTime Engine::next_turn() const {
  const bool more = more_due_ || machine_.in_checkpoint() || applied_ < drained_.size();
  return more ? machine_.now().engine : machine_.next_due();
}

void Engine::quiesce() {
  quiesce_.store(true, std::memory_order_release);
  inbox_.wake();
}

base::Status Engine::stop() {
  stopping_.store(true, std::memory_order_release);
  inbox_.wake();
  if (thread_.joinable()) thread_.join();
  return store_.stop();
}

}  // namespace engine
