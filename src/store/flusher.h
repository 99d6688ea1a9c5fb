// Brings changes into the tables in the background: one thread, one change set at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "store/change_set.h"
#include "store/tables.h"

namespace store {

// Numbers of the flusher for metrics; of sets that were applied.
// Threading: any thread may read.
struct FlusherCounters {
  std::atomic<uint64_t> flushes = 0;
  std::atomic<uint64_t> rows_put = 0;
  std::atomic<uint64_t> rows_erased = 0;
  std::atomic<uint64_t> bytes = 0;  // Of change sets.
  std::atomic<uint64_t> flushes_ns = 0;
  std::atomic<uint64_t> flush_last_ns = 0;
};

// Threading: `start`, `submit` and `stop` from one thread at a time; callbacks come from the flush
// thread; the others may be called by any.
class Flusher {
 public:
  struct Callbacks {
    // What was submitted with `applied_seq` is in the tables, durably. This is not busy any more.
    std::function<void(uint64_t applied_seq)> done;
    // The tables failed (IO, CORRUPT). Called once; nothing will be done any more, and this stays
    // busy. The process has to end.
    std::function<void(const base::Error&)> failed;
  };

  // Between two attempts to apply what the disk had no room for.
  static constexpr std::chrono::milliseconds kFullDiskPause{1'000};

  // Both must outlive this; `tables` are open, and nobody else applies to them.
  Flusher(Tables& tables, const base::Clock& clock,
          std::chrono::milliseconds full_disk_pause = kFullDiskPause)
      : tables_(tables), clock_(clock), full_disk_pause_(full_disk_pause) {}
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  void start(Callbacks callbacks);

  // Whether a set was submitted that is not in the tables yet.
  bool busy() const { return busy_.load(std::memory_order_acquire); }

  // Hands over what brings the tables to `applied_seq`. Requires: started, not stopped, not busy;
  // all frames up to `applied_seq` are durable, and it is not less than the one before.
  void submit(std::unique_ptr<ChangeSet> changes, uint64_t applied_seq);

  // Whether a set waits for room on the disk. It is tried again and again, until `stop`.
  bool disk_full() const { return disk_full_.load(std::memory_order_relaxed); }

  // Finishes what was submitted and ends the thread. DISKFULL: there was no room for it, and it is
  // not in the tables. What `failed` was told is not said once more.
  base::Status stop();

  const FlusherCounters& counters() const { return counters_; }

 private:
  struct Work {
    std::unique_ptr<ChangeSet> changes;  // Nothing: the end.
    uint64_t applied_seq = 0;
  };

  void run();
  Work take();
  base::Status apply(const Work& work);
  base::Status apply_when_room(const Changes& changes);
  bool pause_for_room(const base::Error& error);
  void count(const ChangeSet& set, const Changes& changes, base::MonoTime start);

  // Constant after construction, or before the thread starts.
  Tables& tables_;
  const base::Clock& clock_;
  const std::chrono::milliseconds full_disk_pause_;
  Callbacks callbacks_;

  std::mutex mutex_;
  std::condition_variable work_;  // For the flush thread.
  Work next_;                     // Guarded by mutex_, like the next one.
  bool stopping_ = false;

  std::atomic<bool> busy_ = false;
  std::atomic<bool> disk_full_ = false;
  FlusherCounters counters_;
  base::Status left_over_;  // Of the flush thread, then of `stop`.
  std::thread thread_;
};

}  // namespace store
