// The durable side of a shard, as the engine sees it: hand over the effects of a turn, hear when
// they are durable. A commit thread writes what has come together while the last sync ran as one
// frame, so that the engine applies the next commands meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "store/journal.h"

namespace store {

// Numbers of the store for metrics. Threading: any thread may read.
struct StoreCounters {
  std::atomic<uint64_t> frames = 0;
  std::atomic<uint64_t> bytes = 0;  // Of payloads.
  std::atomic<uint64_t> syncs_ns = 0;
  std::atomic<uint64_t> sync_last_ns = 0;
};

// Threading: `recover` and `start` before the first turn; `submit`, `commit`, `cut`, `seq_next` and
// `stop` from one thread at a time; `durable_seq` from any; callbacks come from the commit thread,
// or from within `commit`.
class Store {
 public:
  struct Callbacks {
    // All turns up to and including `turn` are durable.
    std::function<void(uint64_t turn)> durable;
    // The journal failed: nothing more will be durable. The process has to end.
    std::function<void(const base::Error&)> failed;
  };

  Store(std::unique_ptr<Journal> journal, const base::Clock& clock)
      : journal_(std::move(journal)), clock_(clock) {}
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Opens the journal and hands the effects of every frame in it to `visit`, oldest first.
  using EffectsVisitor = std::function<base::Status(uint64_t seq, std::string_view effects)>;
  base::Result<JournalRecovery> recover(const EffectsVisitor& visit);

  // Starts the commit thread.
  void start(Callbacks callbacks);

  // Hands over the effects of turn `turn`, which may be none: then it is durable when those before
  // it are. Waits while too much is waiting to be written. `trim_before`: once this is durable,
  // frames before that sequence may go (0: none).
  void submit(uint64_t turn, std::string&& effects, uint64_t trim_before = 0);

  // As `submit`, for a store that is idle: the calling thread writes the frame, and the callback
  // has been called when this returns. Only where there is no room on the disk, or an idle frame
  // has just begun, it is left to the commit thread.
  void commit(uint64_t turn, std::string&& effects, uint64_t trim_before = 0);

  // Ends the frame that is being collected: returns a sequence S so that all that was submitted so
  // far lies in frames up to S, and all that is submitted afterwards in later ones. S may be of a
  // frame that is not written yet.
  uint64_t cut();

  // All frames up to this sequence are durable. It is told before the turns in them are.
  uint64_t durable_seq() const { return durable_seq_.load(std::memory_order_acquire); }

  // Whether all that was submitted is durable.
  bool idle() const;
  // Waits until it is, or the journal has failed. Returns whether it is: on a failure false, also
  // before the callback has told of it.
  bool wait_idle();

  // Whether a thread that has other duties may wait for `commit`: the disk has room, and the last
  // sync took no longer than a few wake-ups of a thread.
  bool is_quick() const;

  // The least sequence number that effects submitted from now on can get.
  uint64_t seq_next() const;

  // From now on a frame for which the disk has no room is a failure: nobody is left to make room.
  void give_up_waiting();

  // Makes all durable, ends the commit thread and closes the journal in order.
  base::Status stop();

  JournalSpace space() const { return journal_->space(); }
  const StoreCounters& counters() const { return counters_; }

 private:
  // What becomes one frame; without effects, none.
  struct Pending {
    std::string effects;
    uint64_t turn = 0;  // The last one in it.
    uint64_t trim_before = 0;
    bool any = false;  // Some turn is in it: it is no idle frame.
  };

  void run();
  enum class Step : uint8_t { kCommit, kPrepare, kEnd };
  Step take(Pending& work);
  Step take_idle(Pending& work);
  std::optional<std::chrono::milliseconds> idle_limit() const;
  void begin_frame(const Pending& work);
  uint64_t seq_pending() const;
  base::Status write(const Pending& work);
  base::Status write_when_room(const Pending& work);
  base::Status look_at_disk();
  void fail(const base::Error& error);

  // Constant after construction.
  std::unique_ptr<Journal> journal_;
  const base::Clock& clock_;
  Callbacks callbacks_;

  mutable std::mutex mutex_;
  std::condition_variable work_;  // For the commit thread.
  std::condition_variable room_;  // For the engine thread.
  std::condition_variable idle_;  // For who waits until all is durable.
  std::deque<Pending> pending_;   // Guarded by mutex_, like all below. More than one after a cut;
                                  // all but the last have effects.
  size_t pending_bytes_ = 0;
  bool is_cut_ = false;    // What comes next does not join the last one pending.
  uint64_t seq_last_ = 0;  // Given to a frame last.
  bool writing_ = false;   // Some thread uses the journal.
  bool stopping_ = false;
  bool gives_up_ = false;
  bool failed_ = false;
  bool idle_frame_due_ = false;

  base::MonoTime last_look_;  // At the disk. Of whoever uses the journal.

  std::atomic<uint64_t> durable_seq_ = 0;
  std::thread thread_;
  StoreCounters counters_;
};

}  // namespace store
