#include "store/flusher.h"

#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace store {

Flusher::~Flusher() {
  ASSERT(!thread_.joinable(), "stop() comes before the end");
}

void Flusher::start(Callbacks callbacks) {
  ASSERT(!thread_.joinable(), "started twice");
  callbacks_ = std::move(callbacks);
  thread_ = std::thread([this] { run(); });
}

void Flusher::submit(std::unique_ptr<ChangeSet> changes, uint64_t applied_seq) {
  ASSERT(changes != nullptr, "seq {}", applied_seq);
  const bool was_busy = busy_.exchange(true, std::memory_order_acq_rel);
  ASSERT(!was_busy, "seq {} comes before another one is done", applied_seq);
  {
    const std::lock_guard lock(mutex_);
    ASSERT(!stopping_, "seq {} after the end", applied_seq);
    next_ = {std::move(changes), applied_seq};
  }
  work_.notify_one();
}

Flusher::Work Flusher::take() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return stopping_ || next_.changes != nullptr; });
  return std::exchange(next_, {});
}

void Flusher::run() {
  while (true) {
    Work work = take();
    if (work.changes == nullptr) return;
    const base::Status done =
        base::with_context(apply(work), fmt::format("flush up to frame {}", work.applied_seq));
    if (!done && done.error().code == base::ErrorCode::kDiskFull) {
      left_over_ = done;
      return;
    }
    if (!done) return callbacks_.failed(done.error());
    work.changes.reset();
    busy_.store(false, std::memory_order_release);
    callbacks_.done(work.applied_seq);
  }
}

base::Status Flusher::apply(const Work& work) {
  const base::MonoTime start = clock_.mono();
  const Changes changes = work.changes->finish(work.applied_seq);
  TRY(apply_when_room(changes));
  count(*work.changes, changes, start);
  return {};
}

// A full disk is no failure of the tables: nothing was done, and the journal has what is in the
// set. So it waits here, and the journal is not trimmed meanwhile.
base::Status Flusher::apply_when_room(const Changes& changes) {
  while (true) {
    base::Status done = tables_.apply(changes);
    const bool is_full = !done && done.error().code == base::ErrorCode::kDiskFull;
    if (is_full && pause_for_room(done.error())) continue;
    if (disk_full_.exchange(false, std::memory_order_relaxed) && done) {
      LOG(kInfo, "the flush found room again", {"seq", changes.applied_seq});
    }
    return done;
  }
}

// Returns whether to try again: not if this is to end.
bool Flusher::pause_for_room(const base::Error& error) {
  if (!disk_full_.exchange(true, std::memory_order_relaxed)) {
    LOG(kWarning, "no room for a flush of the tables; it waits", {"error", error.message});
  }
  std::unique_lock lock(mutex_);
  return !work_.wait_for(lock, full_disk_pause_, [this] { return stopping_; });
}

void Flusher::count(const ChangeSet& set, const Changes& changes, base::MonoTime start) {
  const auto took = static_cast<uint64_t>((clock_.mono() - start).count());
  counters_.flushes.fetch_add(1, std::memory_order_relaxed);
  counters_.rows_put.fetch_add(changes.rows.size(), std::memory_order_relaxed);
  counters_.rows_erased.fetch_add(changes.erased.size(), std::memory_order_relaxed);
  counters_.bytes.fetch_add(set.bytes(), std::memory_order_relaxed);
  counters_.flushes_ns.fetch_add(took, std::memory_order_relaxed);
  counters_.flush_last_ns.store(took, std::memory_order_relaxed);
}

base::Status Flusher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
  return std::exchange(left_over_, {});
}

}  // namespace store
