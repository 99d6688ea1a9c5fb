// Answers to terminal commands (ack, fail, release) whose job's record is gone: a worker that
// repeats its command within a minute hears the same again. Entries live in blocks that are dropped
// whole when their time is over; memory is bounded, and the caller refuses pushes when it is full.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "core/effect.h"
#include "core/limits.h"

namespace core {

// Tells tokens of the same fence apart without keeping all of their bits.
uint64_t secret_hash(const LeaseToken& token);

class Ledger {
 public:
  bool full() const { return entries_ >= limits::kLedgerEntriesMax; }
  size_t size() const { return entries_; }

  void add(const LedgerEntry& entry, base::EngineTime now);
  std::optional<LedgerEntry> find(JobId id, uint32_t fence) const;
  // Drops what nobody has to be answered any more.
  void expire(base::EngineTime now);

  // For a walk in slices: blocks are numbered without gaps from `block_first` to `block_end`.
  uint64_t block_first() const { return block_first_; }
  uint64_t block_end() const { return block_first_ + blocks_.size(); }
  LedgerPut image_of(uint64_t block) const;

 private:
  struct Slot {  // 24 bytes: millions of them are held at full speed.
    uint64_t id = 0;
    uint64_t secret_hash = 0;
    uint32_t fence = 0;  // 0: a free slot; the first fence is 1.
    Ending ending = Ending::kNone;
    bool cancelled = false;
    JobState after = JobState::kReady;
  };
  struct FailAnswer {
    uint32_t attempt = 0;
    int64_t run_at_ms = 0;
  };
  struct Block {
    base::EngineTime opened;
    base::EngineTime closed;  // Of the youngest entry.
    std::vector<Slot> slots;  // Open addressing; a power of two.
    size_t used = 0;
    std::unordered_map<uint64_t, FailAnswer> fails;  // Few, next to the acks. By mix(id, fence).
    void insert(const Slot& slot);
    void grow();
  };

  static LedgerEntry entry_of(const Block& block, const Slot& slot);

  std::deque<Block> blocks_;
  uint64_t block_first_ = 0;
  size_t entries_ = 0;
};

}  // namespace core
