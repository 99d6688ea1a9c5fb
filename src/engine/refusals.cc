// When the engine takes no new jobs, and how hard it is pressed.
#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"

namespace engine {

using base::ErrorCode;

namespace {

// What a flush needs on the disk: its log, then the file itself, and something beside.
constexpr uint64_t kFlushRoomFactor = 2;
constexpr uint64_t kFlushRoomBytes = uint64_t{2} << 20;
// Pushes stop when this much waits for a flush, or when the journal fills this share of its budget.
constexpr uint64_t kUnflushedBytesMax = uint64_t{256} << 20;
constexpr uint64_t kUnflushedPercent = 40;
constexpr uint64_t kFullPercent = 90;

}  // namespace

// How much may wait for a flush.
uint64_t Engine::unflushed_most() const {
  return std::min(kUnflushedBytesMax, store_.space().bytes_budget * kUnflushedPercent / 100);
}

std::optional<base::Error> Engine::push_refusal() const {
  const store::JournalSpace space = store_.space();
  const core::Residency& residency = machine_.state().residency();
  const uint64_t room =
      kFlushRoomBytes + residency.unflushed_bytes() * kFlushRoomFactor + residency.touched_bytes();
  const bool fits = space.bytes_free >= room;
  const bool flush_waits = flusher_ != nullptr && flusher_->disk_full();
  if (space.disk != store::DiskLevel::kFine || flush_waits || (flusher_ && !fits)) {
    return base::Error{ErrorCode::kDiskFull,
                       "retry_ms=5000 the disk of the data directory is nearly full: free space, "
                       "or delete jobs; acks and fetches go on"};
  }
  const core::State& state = machine_.state();
  const uint64_t unflushed = flusher_ ? state.residency().unflushed_bytes() : 0;
  const uint64_t most = unflushed_most();
  if (unflushed > most || space.bytes_used > space.bytes_budget * kFullPercent / 100) {
    return base::Error{
        ErrorCode::kOverloaded,
        fmt::format("retry_ms=100 limit={} got={} bytes of jobs wait to be flushed (journal {} of "
                    "{}): the disk is slower than the pushes",
                    most, unflushed, space.bytes_used, space.bytes_budget)};
  }
  if (state.ledger().full()) {
    return base::Error{ErrorCode::kOverloaded,
                       fmt::format("retry_ms=1000 limit={} answers are remembered for a minute",
                                   core::limits::kLedgerEntriesMax)};
  }
  return std::nullopt;
}

// Of what connections hold, and of a disk that is slow; push_refusal knows of journal and tables.
std::optional<base::Error> Engine::pressure_refusal() const {
  // Those who are refused together do not all return together.
  const auto retry_ms = [this](uint64_t least) { return least + turn_ * 37 % least; };
  if (buffers_.pressure() >= Pressure::kOrange) {
    return base::Error{
        ErrorCode::kOverloaded,
        fmt::format("retry_ms={} limit={} got={} bytes are held for connections; "
                    "acks and fetches go on",
                    retry_ms(100), buffers_.budget() / 100 * kOrangePercent, buffers_.used())};
  }
  if (commit_pressure_ >= Pressure::kOrange) {
    return base::Error{ErrorCode::kOverloaded,
                       fmt::format("retry_ms={} the disk is slow: for five seconds no commit took "
                                   "less than one; acks and fetches go on",
                                   retry_ms(1'000))};
  }
  return std::nullopt;
}

void Engine::watch_pressure(base::MonoTime now) {
  {
    const std::lock_guard lock(turns_mutex_);
    commit_watch_.look(
        now, turns_.empty() ? std::chrono::nanoseconds(0) : now - turns_.front().submitted);
    commit_pressure_ = commit_watch_.pressure();
  }
  refusal_ = push_refusal();
  const store::JournalSpace space = store_.space();
  Pressure store = pressure_of(space.bytes_used, space.bytes_budget);
  // The journal refuses by bounds of its own: until then its use is worth a look, no more.
  if (store > Pressure::kYellow) store = Pressure::kYellow;
  if (refusal_) store = Pressure::kOrange;
  if (space.disk == store::DiskLevel::kFull) store = Pressure::kRed;
  if (!refusal_) refusal_ = pressure_refusal();
  const Pressure all = std::max({store, buffers_.pressure(), commit_pressure_});
  counters_.pressure.store(static_cast<uint64_t>(all), std::memory_order_relaxed);
}

}  // namespace engine
