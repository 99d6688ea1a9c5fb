#include "store/store.h"

#include <chrono>

#include "base/assert.h"
#include "base/log.h"

namespace store {
namespace {

// What waits for the sync that runs becomes one frame, if it is not cut: beyond this the engine
// waits. With the most that one turn makes (see engine.cc) it stays below the largest payload of a
// frame.
constexpr size_t kPendingBytesMax = size_t{8} << 20;

// After this long without a frame an empty one is written: it says that the last one was synced,
// which otherwise only the next frame would say. Long enough not to meet the next job of a slow
// stream.
constexpr std::chrono::milliseconds kIdle{100};

// Between two steps of preparing spares while nothing else is to do. Under load there are none: a
// segment that is only allocated costs less than writing one beforehand.
constexpr std::chrono::milliseconds kPrepareStep{5};

// Between two looks at a disk that has too little room.
constexpr std::chrono::milliseconds kDiskLook{1'000};

// Between two attempts to write a frame for which there was no room.
constexpr std::chrono::milliseconds kFullDiskPause{100};

// A sync up to this long costs less than waking the commit thread and being woken by it would save.
constexpr uint64_t kQuickSyncNs = 1'000'000;

}  // namespace

Store::~Store() {
  ASSERT(!thread_.joinable(), "stop() comes before the end");
}

base::Result<JournalRecovery> Store::recover(const EffectsVisitor& visit) {
  const auto frame = [&](uint64_t seq, std::span<const std::byte> payload) -> base::Status {
    const std::string_view bytes(reinterpret_cast<const char*>(payload.data()), payload.size());
    return base::with_context(visit(seq, bytes), fmt::format("frame {}", seq));
  };
  base::Result<JournalRecovery> found = journal_->open(frame);
  if (found) {
    seq_last_ = found->last_seq;
    durable_seq_.store(seq_last_, std::memory_order_release);
  }
  return found;
}

void Store::start(Callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  thread_ = std::thread([this] { run(); });
}

void Store::submit(uint64_t turn, std::string&& effects, uint64_t trim_before) {
  {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return pending_bytes_ < kPendingBytesMax || failed_; });
    const bool joins = !std::exchange(is_cut_, false) && !pending_.empty();
    Pending& last = joins ? pending_.back() : pending_.emplace_back();
    pending_bytes_ += effects.size();
    if (last.effects.empty()) {
      last.effects = std::move(effects);
    } else {
      last.effects.append(effects);
    }
    last.turn = turn;
    last.any = true;
    if (trim_before != 0) last.trim_before = trim_before;
    if (writing_) return;  // The commit thread looks again when it is done.
  }
  work_.notify_one();
}

void Store::commit(uint64_t turn, std::string&& effects, uint64_t trim_before) {
  Pending work;
  bool first_of_many = false;
  {
    std::unique_lock lock(mutex_);
    ASSERT(pending_.empty(), "the store is not idle");
    if (failed_) return;
    if (writing_) {  // An idle frame has begun since the caller looked.
      lock.unlock();
      return submit(turn, std::move(effects), trim_before);
    }
    work = {std::move(effects), turn, trim_before, true};
    first_of_many = !idle_frame_due_;
    begin_frame(work);
  }
  const base::Status done = write(work);
  if (!done && done.error().code != base::ErrorCode::kDiskFull) return fail(done.error());
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!done) {
      --seq_last_;
      pending_bytes_ += work.effects.size();
      pending_.push_back(std::move(work));
    }
  }
  // The commit thread has to know that an idle frame will be due, but not at each turn.
  if (first_of_many || !done) work_.notify_one();
}

// The sequence of the last frame that what is pending makes. Idle frames take none before it: they
// are written only when nothing is pending. Called with the lock.
uint64_t Store::seq_pending() const {
  const bool last_is_empty = !pending_.empty() && pending_.back().effects.empty();
  return seq_last_ + pending_.size() - (last_is_empty ? 1 : 0);
}

uint64_t Store::cut() {
  const std::lock_guard lock(mutex_);
  // What has no effects makes no frame: what joins it is in a later one all the same.
  is_cut_ = !pending_.empty() && !pending_.back().effects.empty();
  return seq_pending();
}

bool Store::idle() const {
  const std::lock_guard lock(mutex_);
  return !writing_ && pending_.empty();
}

bool Store::wait_idle() {
  std::unique_lock lock(mutex_);
  const auto is_durable = [&] { return !writing_ && pending_.empty() && !failed_; };
  idle_.wait(lock, [&] { return is_durable() || failed_ || stopping_; });
  return is_durable();
}

bool Store::is_quick() const {
  const JournalSpace space = journal_->space();
  return counters_.sync_last_ns.load(std::memory_order_relaxed) <= kQuickSyncNs &&
         space.disk == DiskLevel::kFine && !space.slow;
}

uint64_t Store::seq_next() const {
  const std::lock_guard lock(mutex_);
  const bool joins = !is_cut_ && !pending_.empty() && !pending_.back().effects.empty();
  return seq_pending() + (joins ? 0 : 1);
}

// How long the thread may sleep before there is something to do besides new work.
std::optional<std::chrono::milliseconds> Store::idle_limit() const {
  if (idle_frame_due_) return kIdle;
  const JournalSpace space = journal_->space();
  if (space.prepare_pending) return kPrepareStep;
  if (space.disk != DiskLevel::kFine) return kDiskLook;
  return std::nullopt;
}

// The journal is the caller's until writing_ is false again. Called with the lock.
void Store::begin_frame(const Pending& work) {
  writing_ = true;
  if (work.effects.empty()) return;
  ++seq_last_;
  idle_frame_due_ = true;
}

Store::Step Store::take(Pending& work) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (pending_.empty()) idle_.notify_all();
  while (true) {
    if (failed_) return Step::kEnd;
    if (!writing_ && !pending_.empty()) break;
    if (!writing_ && stopping_) return Step::kEnd;
    const uint64_t seq_before = seq_last_;
    const auto limit = writing_ ? std::nullopt : idle_limit();
    if (!limit) {
      work_.wait(lock);
    } else if (work_.wait_for(lock, *limit) == std::cv_status::timeout && !writing_ &&
               pending_.empty() && seq_last_ == seq_before) {
      return take_idle(work);
    }
  }
  work = std::move(pending_.front());
  pending_.pop_front();
  pending_bytes_ -= work.effects.size();
  is_cut_ = is_cut_ && !pending_.empty();
  begin_frame(work);
  lock.unlock();
  room_.notify_one();
  return Step::kCommit;
}

// What is done when nothing else is. Called with the lock.
Store::Step Store::take_idle(Pending& work) {
  writing_ = true;
  if (!std::exchange(idle_frame_due_, false)) return Step::kPrepare;
  work = Pending{};
  ++seq_last_;
  return Step::kCommit;
}

base::Status Store::write(const Pending& work) {
  const bool idle_frame = !work.any;
  if (!work.effects.empty() || idle_frame) {
    const base::MonoTime start = clock_.mono();
    const auto payload = std::as_bytes(std::span(work.effects.data(), work.effects.size()));
    TRY(journal_->append(seq_last_, payload));
    durable_seq_.store(seq_last_, std::memory_order_release);
    const auto took = static_cast<uint64_t>((clock_.mono() - start).count());
    counters_.frames.fetch_add(1, std::memory_order_relaxed);
    counters_.bytes.fetch_add(work.effects.size(), std::memory_order_relaxed);
    counters_.syncs_ns.fetch_add(took, std::memory_order_relaxed);
    counters_.sync_last_ns.store(took, std::memory_order_relaxed);
  }
  if (work.any) callbacks_.durable(work.turn);
  if (work.trim_before != 0) TRY(journal_->trim(work.trim_before));
  return look_at_disk();
}

// A disk that had too little room is looked at again, however busy or idle the store is.
base::Status Store::look_at_disk() {
  if (journal_->space().disk == DiskLevel::kFine) return {};
  const base::MonoTime now = clock_.mono();
  if (now - last_look_ < std::chrono::nanoseconds(kDiskLook)) return {};
  last_look_ = now;
  return journal_->prepare();
}

// A full disk is no failure of the journal: nothing was written, and acks and deletes are what
// makes room. The frame waits until it fits, and with it all that came after.
base::Status Store::write_when_room(const Pending& work) {
  while (true) {
    base::Status done = write(work);
    if (done || done.error().code != base::ErrorCode::kDiskFull) return done;
    TRY(journal_->prepare());
    std::unique_lock lock(mutex_);
    const auto is_over = [&] { return stopping_ || gives_up_; };
    if (work_.wait_for(lock, kFullDiskPause, is_over)) return done;
  }
}

// Whether the last frame is durable is not known; a second sync would lie. So this ends here.
void Store::fail(const base::Error& error) {
  {
    const std::lock_guard lock(mutex_);
    failed_ = true;
  }
  room_.notify_all();
  idle_.notify_all();
  work_.notify_one();
  callbacks_.failed(error);
}

void Store::run() {
  Pending work;
  for (Step step = take(work); step != Step::kEnd; step = take(work)) {
    const base::Status done = step == Step::kCommit ? write_when_room(work) : journal_->prepare();
    if (!done) return fail(done.error());
  }
}

void Store::give_up_waiting() {
  {
    const std::lock_guard lock(mutex_);
    gives_up_ = true;
  }
  work_.notify_one();
}

base::Status Store::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (failed_) return {};
  return journal_->close();
}

}  // namespace store
