// The durable log under the engine: numbered frames, each one synced before it counts.
//
// Threading: one thread at a time, except `space`, which any thread may call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"

namespace store {

// How full the disk is (levels as in docs/guarantees.md). Pushes stop at kLow; what frees space
// (acks, fails, releases, deletes) goes on until kFull.
enum class DiskLevel : uint8_t { kFine, kLow, kBallast, kFull };

struct JournalSpace {
  uint64_t bytes_used = 0;  // Bytes of the frames that are held and not yet trimmed.
  uint64_t bytes_budget =
      0;  // What `bytes_used` must stay below; follows what the disk has room for.
  uint64_t bytes_kept = 0;  // Of files kept for appends, whatever the disk's level.
  // Free on the volume at the last look, beyond the reserve.
  uint64_t bytes_free = UINT64_MAX;
  DiskLevel disk = DiskLevel::kFine;
  bool prepare_pending = false;  // prepare() has a step left to do.
  bool slow = false;  // An append may take long: no thread with other duties waits for one.
};

// What `open` found. A new journal has last_seq 0 and first_seq 1; where no frame is held,
// first_seq is last_seq + 1.
struct JournalRecovery {
  uint64_t first_seq = 0;       // Of the oldest frame held.
  uint64_t last_seq = 0;        // Of the newest frame held, visited or not.
  uint64_t torn_bytes = 0;      // Bytes of a torn tail that were left out, as far as can be told.
  bool clean_shutdown = false;  // The last run closed the journal in order.
};

using FrameVisitor =
    std::function<base::Result<void>(uint64_t seq, std::span<const std::byte> payload)>;

class Journal {
 public:
  virtual ~Journal() = default;

  // Takes the lock on the data directory, verifies all that is held and hands each frame with
  // a payload to `visit`, oldest first. What was read is never appended to: the first append
  // goes into a new segment. Errors: CORRUPT names file and offset; UNAVAILABLE another
  // server holds the directory; IO.
  virtual base::Result<JournalRecovery> open(const FrameVisitor& visit) = 0;

  // Writes one frame and syncs it. `seq` is one more than that of the frame before, 1 for the
  // first. Returns only when the frame is durable. Any error is final (fail-stop): the caller ends
  // the process and never calls append again, since a second sync of the same data lies. The one
  // exception is DISKFULL, which is answered before anything was written: the same seq can be
  // appended later. An empty payload makes a frame that is not visited: it takes a seq and proves
  // that the frames before it were synced.
  virtual base::Result<void> append(uint64_t seq, std::span<const std::byte> payload) = 0;

  // Frees the segments all of whose frames lie before `seq_needed`. Frames before it may be kept
  // and visited again at the next opening. The newest segment is always kept.
  virtual base::Result<void> trim(uint64_t seq_needed) = 0;

  // Prepares what the next append may need (spare segments, ballast) by one step that takes a few
  // milliseconds at most. Called when idle, again while space().prepare_pending. No space for it is
  // no error; it shows in the disk level.
  virtual base::Result<void> prepare() = 0;

  // Writes the watermark of a clean shutdown and releases the lock.
  virtual base::Result<void> close() = 0;

  virtual JournalSpace space() const = 0;
};

}  // namespace store
