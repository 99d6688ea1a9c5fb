#include "engine/engine.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"

namespace engine {

using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

// Commands of one turn: enough to share a sync, and no more work than a sync of a quick disk takes,
// so that what many clients have under way splits in two: one half is synced and answered while the
// other is applied (docs/adr/0015). On a slow disk several turns share a sync.
constexpr size_t kCommandsPerTurn = 640;
// How long the reads of one turn may take, save that there is at least one. Long enough for the
// many that are short.
constexpr nanoseconds kReadsMost = milliseconds(1);
// Turns after the word to end.
constexpr int kLastTurns = 8;
constexpr size_t kInboxLaneMax = 200'000;

// A turn ends when its effects have grown beyond this. One command adds at most what one request
// may hold (40 MiB), so that a turn and what waits before it fit a frame of the journal.
constexpr size_t kTurnBytesMax = size_t{8} << 20;
// The same for its replies, so that what they are too much for is seen soon.
constexpr size_t kTurnReplyBytesMax = size_t{8} << 20;

// While nothing happens the journal is told of the time at least this often.
constexpr int64_t kTickMs = 30'000;

// The loop turns at least this often: what would be a stall is then seen as one.
constexpr base::Duration kTickMost{250};

// What a thread that brings commands may carry out itself: more is worth the overlap of applying
// with syncing, and would keep that thread from its other duties.
constexpr size_t kCommandsHere = 16;
constexpr size_t kTurnBytesHere = size_t{64} << 10;

// A flush begins when this much waits for it, or after this time, or when the journal has grown by
// this share of its budget, whichever comes first. The frames of two flushes are held at a time.
constexpr uint64_t kFlushBytes = uint64_t{64} << 20;
constexpr int64_t kFlushMs = 30'000;
constexpr uint64_t kFlushPercent = 12;
constexpr int64_t kFlushInNeedMs = 1'000;  // While the disk is full.
// Records stay in memory after a flush up to this many bytes of it.
constexpr uint64_t kRecordMemoryMax = uint64_t{64} << 20;
// A history that a mean of these milliseconds would fill within the next ones is kept shorter.
constexpr int64_t kHistoryLookMs = 1'000;
constexpr double kHistoryMeanMs = 30'000;
constexpr double kHistoryWorthMs = 60'000;
constexpr size_t kHistoryBytesFast = size_t{16} << 20;
// For how many times what they took lists and counts rest, and what reading a record counts for.
constexpr int kWalkRest = 3;
constexpr nanoseconds kReadCost{15'000};
// The share of the journal's budget that finished records may take.
constexpr uint64_t kHistoryPercent = 10;

size_t history_bytes(uint64_t budget_bytes) {
  return std::min<uint64_t>(core::limits::kHistoryBytesMax, budget_bytes * kHistoryPercent / 100);
}

}  // namespace

Engine::Engine(std::unique_ptr<store::Journal> journal, std::unique_ptr<store::Tables> tables,
               const base::Clock& clock, base::Random& random, BufferGauge& buffers)
    : clock_(clock),
      buffers_(buffers),
      store_(std::move(journal), clock),
      tables_(std::move(tables)),
      engine_clock_(clock, std::nullopt),
      machine_(random, history_bytes(store_.space().bytes_budget)),
      inbox_(kInboxLaneMax) {
  machine_.bound_replies(buffers_);
}

Engine::~Engine() {
  ASSERT(!thread_.joinable(), "stop() comes before the end");
}

// Opens the tables and takes over what they have.
base::Status Engine::open_tables() {
  if (tables_ == nullptr) return machine_.begin_recovery(nullptr);
  machine_.state().keys().watch_changes();
  const store::TablesSummary found = TRY(tables_->open());
  applied_seq_ = flush_seq_ = found.applied_seq;
  flusher_ = std::make_unique<store::Flusher>(*tables_, clock_);
  loader_ = std::make_unique<store::Loader>(TRY(tables_->make_reader()));
  scrubber_ = std::make_unique<store::Scrubber>(TRY(tables_->make_reader()), clock_);
  if (applied_seq_ == 0) return machine_.begin_recovery(nullptr);
  const std::unique_ptr<store::TablesReader> reader = TRY(tables_->make_reader());
  restoring_ = TRY(tables_->make_reader());
  return machine_.begin_recovery(restoring_.get(), applied_seq_);
}

base::Result<RecoverySummary> Engine::recover() {
  // The journal's lock comes before the tables, and they before its first frame.
  bool opened = false;
  const auto open_once = [&]() -> base::Status {
    return std::exchange(opened, true) ? base::Status() : open_tables();
  };
  const auto found = TRY(store_.recover([&](uint64_t seq, std::string_view frame) -> base::Status {
    const bool is_first = !opened;
    TRY(open_once());
    if (is_first) TRY(machine_.begin_journal(seq));
    return seq <= applied_seq_ ? base::Status() : machine_.replay(frame);
  }));
  TRY(open_once());
  TRY(tables_fit(applied_seq_, found.first_seq, found.last_seq));
  engine_clock_.restart(machine_.recovered_now());
  TRY(machine_.end_recovery(engine_clock_.now()));
  restoring_.reset();
  return RecoverySummary{.jobs = machine_.state().jobs().size(),
                         .damaged = machine_.state().damaged(),
                         .last_seq = found.last_seq,
                         .torn_bytes = found.torn_bytes,
                         .clean_shutdown = found.clean_shutdown};
}

void Engine::start(Release release, Failed failed) {
  release_ = std::move(release);
  failed_ = std::move(failed);
  const Failed tables_failed = [this](const base::Error& error) {
    tables_failed_.store(true, std::memory_order_release);
    failed_(error);
  };
  last_start_ = clock_.mono();
  last_flush_ = engine_clock_.now().engine;
  auditor_.start(machine_.state(), last_flush_);
  count_state();  // For whoever asks before the first turn.
  store_.start({.durable = [this](uint64_t turn) { release_durable(turn); }, .failed = failed_});
  if (tables_ != nullptr) {
    flusher_->start({.done =
                         [this](uint64_t) {
                           flush_done_.store(true, std::memory_order_release);
                           inbox_.wake();
                         },
                     .failed = tables_failed});
    loader_->start({.arrived =
                        [this] {
                          loaded_.store(true, std::memory_order_release);
                          inbox_.wake();
                        },
                    .failed = tables_failed});
    scrubber_->start([](const base::Error& error) {
      LOG(kError, "the tables are damaged; restore a backup, or see what dray check says",
          {"error", error.message});
    });
  }
  thread_ = std::thread([this] { run(); });
}

const store::FlusherCounters* Engine::flusher_counters() const {
  return flusher_ ? &flusher_->counters() : nullptr;
}

const store::ScrubberCounters* Engine::scrubber_counters() const {
  return scrubber_ ? &scrubber_->counters() : nullptr;
}

std::vector<Request*> Engine::submit(std::span<Request* const> requests) {
  return inbox_.push(requests);
}

std::vector<Request*> Engine::submit_or_run(std::span<Request* const> requests) {
  const bool may_take_long =
      std::ranges::find(requests, Lane::kRead, &Request::lane) != requests.end();
  if (requests.size() > kCommandsHere || may_take_long || !store_.is_quick()) {
    return submit(requests);
  }
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
  // What came before the end, within bounds, and the time of it.
  const std::lock_guard turn(turn_mutex_);
  for (int turns = 0; turns < kLastTurns; ++turns) {
    run_once(Committer::kCommitThread);
    if (applied_ == drained_.size() && inbox_.size() == 0) return;
  }
}

// The whole loop: drain, apply, submit; release_durable is the fourth phase.
void Engine::run_once(Committer committer) {
  const base::MonoTime start = clock_.mono();
  if (flush_is_due()) begin_flush();  // It takes what is submitted by now, and no more.
  if (applied_ == drained_.size()) {
    inbox_.drain(kCommandsPerTurn, drained_);
    applied_ = 0;
  }
  watch_history();
  watch_pressure(start);
  machine_.rest_walks(start < walks_rest_until_);
  machine_.begin(engine_clock_.now(), refusal_ ? &*refusal_ : nullptr);
  watch_stall(start);
  watch_wall_clock();
  take_loaded();
  more_due_ = machine_.apply_due(core::limits::kDuePerTurn);
  if (quiesce_.load(std::memory_order_acquire)) machine_.quiesce();
  machine_.advance_operations();
  machine_.retry_parked();
  apply_owed_read();
  apply_drained();
  apply_reads();
  more_due_ = machine_.feed() || more_due_;
  machine_.expire_waiting();
  request_wants();
  continue_flush();
  if (auditor_.step(machine_.state(), machine_.now().engine) && scrubber_) scrubber_->begin_pass();
  submit_turn(committer);
  pace_walks(start);
  counters_.turn_seconds.add(clock_.mono() - start);
}

bool Engine::turn_has_room() const {
  return machine_.effects_bytes() < kTurnBytesMax && machine_.reply_bytes() < kTurnReplyBytesMax;
}

void Engine::apply(Request& request) {
  machine_.apply(request);
  if (!request.given_back) ++commands_;
}

void Engine::apply_drained() {
  while (applied_ < drained_.size() && turn_has_room()) apply(*drained_[applied_++]);
}

// Last, since they may take long: all others wait for one of them at most.
void Engine::apply_reads() {
  owes_read_ = applied_ < drained_.size() || !turn_has_room();
  if (owes_read_) return;
  const base::MonoTime end = clock_.mono() + kReadsMost;
  do {
    Request* request = inbox_.take_read();
    if (request == nullptr) return;
    apply(*request);
  } while (turn_has_room() && clock_.mono() < end);
}

// A turn that was full without a read is followed by one that begins with it.
void Engine::apply_owed_read() {
  if (!owes_read_) return;
  if (Request* request = inbox_.take_read(std::span(drained_).subspan(applied_))) apply(*request);
}

// Finished records that will be gone in a minute are not worth a place in the tables: then only the
// newest few are kept, and most of them come and go between two flushes.
void Engine::watch_history() {
  core::State& state = machine_.state();
  const base::EngineTime now = machine_.now().engine;
  const int64_t elapsed_ms = (now - history_looked_).count();
  const uint64_t most = history_bytes(store_.space().bytes_budget);
  if (elapsed_ms >= kHistoryLookMs) {
    const uint64_t came = state.history_bytes_ever() - history_bytes_seen_;
    const double rate = static_cast<double>(came) / static_cast<double>(elapsed_ms);
    const double weight = std::min(1.0, static_cast<double>(elapsed_ms) / kHistoryMeanMs);
    history_rate_ += (rate - history_rate_) * weight;
    history_looked_ = now;
    history_bytes_seen_ = state.history_bytes_ever();
  }
  const bool lasts = history_rate_ * kHistoryWorthMs <= static_cast<double>(most);
  state.set_history_bytes_max(lasts ? most : std::min<uint64_t>(most, kHistoryBytesFast));
}

// A loop that stood still (SIGSTOP, a slow disk, a paused machine) heard no heartbeats.
void Engine::watch_stall(base::MonoTime start) {
  const nanoseconds gap = start - std::exchange(last_start_, start);
  if (gap < milliseconds(core::limits::kStallMs)) return;
  counters_.stalls.fetch_add(1, std::memory_order_relaxed);
  LOG(kWarning, "the loop stood still; leases are credited", {"stall_ms", gap.count() / 1'000'000});
  machine_.credit_stall();
  last_start_ = clock_.mono();  // A walk over very many jobs is no stall of its own.
}

// A wall clock that jumps ahead holds what is due by it, for a minute.
void Engine::watch_wall_clock() {
  const base::EngineTime hold = machine_.state().wall_hold_until();
  if (hold == std::exchange(wall_hold_seen_, hold) || hold <= machine_.now().engine) return;
  LOG(kWarning, "the wall clock stepped ahead; jobs with AT are held",
      {"hold_ms", (hold - machine_.now().engine).count()});
}

// --- Records that are not in memory.

void Engine::take_loaded() {
  if (!loaded_.exchange(false, std::memory_order_acquire)) return;
  for (store::Loader::Loaded& loaded : loader_->take()) {
    counters_.loads.fetch_add(1, std::memory_order_relaxed);
    machine_.bring_in(std::move(loaded));
  }
}

void Engine::request_wants() {
  if (!machine_.state().residency().any_wants()) return;
  ASSERT(loader_ != nullptr, "without tables all is in memory");
  const std::vector<core::JobId> wants = machine_.take_wants();
  if (!wants.empty()) loader_->request(wants);
  for (const std::vector<core::JobId>& ids : machine_.take_wants_together()) {
    loader_->request_together(ids);
  }
}

// --- The flush.

bool Engine::flush_is_due() const {
  if (flusher_ == nullptr || machine_.flush().running()) return false;
  const core::State& state = machine_.state();
  const store::JournalSpace space = store_.space();
  const uint64_t grown = store_.counters().bytes.load() - last_flush_bytes_;
  // On a full disk a flush is what brings room: of the journal, and of jobs that are done.
  const bool in_need = refusal_ && refusal_->code == ErrorCode::kDiskFull;
  const base::Duration pause{in_need ? kFlushInNeedMs : kFlushMs};
  const uint64_t waiting = state.residency().unflushed_bytes() + state.residency().touched_bytes();
  return waiting >= std::min(kFlushBytes, unflushed_most() / 4) ||
         grown >= space.bytes_budget * kFlushPercent / 100 ||
         (grown > 0 && machine_.now().engine - last_flush_ >= pause);
}

// Between two turns: what the tables are to have is what has been submitted.
void Engine::begin_flush() {
  flush_seq_ = store_.cut();
  last_flush_ = machine_.now().engine;
  last_flush_bytes_ = store_.counters().bytes.load();
  machine_.begin_flush();
}

void Engine::continue_flush() {
  if (!machine_.flush().running()) return;
  if (machine_.flush().taking()) {
    flush_set_ = machine_.flush_slice();
    flush_waits_.store(flush_set_ != nullptr, std::memory_order_release);
  }
  if (flush_set_ && store_.durable_seq() >= flush_seq_) {
    flush_waits_.store(false, std::memory_order_release);
    submit_flush();
  }
  if (flush_done_.exchange(false, std::memory_order_acquire)) finish_flush();
}

void Engine::submit_flush() {
  ASSERT(store_.durable_seq() >= flush_seq_, "{}: the tables would have what the journal lacks",
         flush_seq_);
  flusher_->submit(std::move(flush_set_), flush_seq_);
}

// The frames since the flush before stay: a write-ahead log of the tables that lost its end is
// healed by them.
void Engine::finish_flush() {
  trim_before_ = applied_seq_ + 1;
  machine_.flush_done(kRecordMemoryMax, trim_before_);
  applied_seq_ = flush_seq_;
}

// At the end, when nobody runs turns any more: the next start then has nothing to replay. Where
// that fails for lack of room, the journal has it all.
void Engine::flush_all() {
  if (tables_failed_.load(std::memory_order_acquire)) return;
  const auto finish = [&] {
    while (machine_.flush().taking()) flush_set_ = machine_.flush_slice();
    // The last frame may be an idle one, which has only begun.
    if (flush_set_ && !store_.wait_idle()) return false;
    if (flush_set_) submit_flush();
    while (!flush_done_.exchange(false, std::memory_order_acquire)) {
      if (flusher_->disk_full() || tables_failed_.load(std::memory_order_acquire)) return false;
      inbox_.wait_for_wake(kTickMost);
    }
    finish_flush();
    return true;
  };
  if (machine_.flush().running() && !finish()) return;
  flush_seq_ = store_.cut();
  machine_.begin_flush();
  finish();
}

void Engine::count_state() {
  const core::State& state = machine_.state();
  counters_.commands.store(commands_, std::memory_order_relaxed);
  counters_.jobs.store(state.jobs().size(), std::memory_order_relaxed);
  counters_.keys.store(state.keys().held(), std::memory_order_relaxed);
  counters_.keys_bytes.store(state.keys().bytes(), std::memory_order_relaxed);
  counters_.record_bytes.store(state.residency().memory_bytes(), std::memory_order_relaxed);
  counters_.unflushed_bytes.store(state.residency().unflushed_bytes(), std::memory_order_relaxed);
  counters_.damaged.store(state.damaged(), std::memory_order_relaxed);
  counters_.waiting.store(machine_.waiting(), std::memory_order_relaxed);
  counters_.refusing.store(refusal_ ? 1 : 0, std::memory_order_relaxed);
  counters_.queues.store(state.queues().size(), std::memory_order_relaxed);
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
  buffers_.replies_made(machine_.reply_bytes());
  counters_.turns.fetch_add(1, std::memory_order_relaxed);
  count_state();
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
      commit_watch_.add(now - oldest.submitted);
      if (answered.empty()) {
        answered = std::move(oldest.answered);
      } else {
        answered.insert(answered.end(), oldest.answered.begin(), oldest.answered.end());
      }
      turns_.pop_front();
    }
  }
  if (!answered.empty()) release_(std::move(answered));
  if (flush_waits_.load(std::memory_order_acquire)) inbox_.wake();
}

// Lists and counts give way: while others' commands come, they rest for three times as long as they
// took, and as reading for them took.
void Engine::pace_walks(base::MonoTime start) {
  if (!machine_.has_walked()) return;
  const uint64_t loads = counters_.loads.load(std::memory_order_relaxed);
  const bool is_alone = commands_ - std::exchange(commands_at_walk_, commands_) <= 1;  // Its own.
  const uint64_t read = loads - std::exchange(loads_at_walk_, loads);
  const base::MonoTime end = clock_.mono();
  const nanoseconds cost = (end - start) + kReadCost * static_cast<int64_t>(read);
  walks_rest_until_ = is_alone ? end : end + kWalkRest * cost;
}

base::EngineTime Engine::walks_go_on() const {
  const nanoseconds left = walks_rest_until_ - clock_.mono();
  const int64_t left_ms = std::max<int64_t>(0, std::chrono::ceil<milliseconds>(left).count());
  return machine_.now().engine + base::Duration{left_ms};
}

// When there is something to do though nothing comes.
base::EngineTime Engine::next_turn() const {
  const bool more = more_due_ || machine_.flush().taking() || applied_ < drained_.size() ||
                    loaded_.load(std::memory_order_acquire) ||
                    flush_done_.load(std::memory_order_acquire);
  if (more) return machine_.now().engine;
  const base::EngineTime next = std::min(machine_.next_due(), auditor_.next_due());
  return machine_.has_more_to_walk() ? std::min(next, walks_go_on()) : next;
}

void Engine::quiesce() {
  quiesce_.store(true, std::memory_order_release);
  inbox_.wake();
}

base::Status Engine::stop() {
  store_.give_up_waiting();
  stopping_.store(true, std::memory_order_release);
  inbox_.wake();
  if (thread_.joinable()) thread_.join();
  base::Status closed;
  if (loader_ != nullptr && loader_->running()) {
    loader_->stop();
    scrubber_->stop();
    flush_all();
    closed = flusher_->stop();
    // What found no room there is in the journal.
    if (!closed && closed.error().code == ErrorCode::kDiskFull) closed = {};
  }
  loader_.reset();
  scrubber_.reset();
  if (flusher_ != nullptr && closed) closed = tables_->close();
  const base::Status stopped = store_.stop();
  return stopped ? closed : stopped;
}

}  // namespace engine
