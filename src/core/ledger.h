// Answers to terminal commands (ack, fail, release) whose job's record is gone: a worker that
// repeats its command within a minute, or within the job's KEEP, hears the same again. Entries live
// in blocks that are dropped whole when the last of their times is over; memory is bounded, and the
// caller refuses pushes when it is full.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/effect.h"
#include "core/limits.h"

namespace core {

// Tells tokens of the same fence apart without keeping all of their bits. 58 bits.
uint64_t secret_hash(const LeaseToken& token);

class Ledger {
 public:
  bool full() const { return entries_ >= limits::kLedgerEntriesMax; }
  size_t size() const { return entries_; }

  // Nothing is done for an entry whose time is over.
  void add(const LedgerEntry& entry, base::EngineTime now);
  // Returns the entry until its time is over. It is a little later, never earlier, than what was
  // added says if that is weeks away.
  std::optional<LedgerEntry> find(JobId id, uint32_t fence, base::EngineTime now) const;
  // Drops what nobody has to be answered any more.
  void expire(base::EngineTime now);

  // What was added since the last call: what the next flush has to write.
  std::vector<LedgerEntry> take_added() { return std::exchange(added_, {}); }
  // As `add`, of what the tables have.
  void install(const LedgerEntry& entry, base::EngineTime now);

  // For a walk in slices: the number of the first block from `number` on, or nothing.
  std::optional<uint64_t> block_from(uint64_t number) const;
  // Requires: the block is there.
  LedgerPut image_of(uint64_t number) const;

 private:
  struct Slot {  // 24 bytes: millions of them are held at full speed.
    uint64_t id = 0;
    uint64_t secret_hash : 58 = 0;
    uint64_t after : 3 = 0;
    uint64_t ending : 2 = 0;
    uint64_t cancelled : 1 = 0;
    uint32_t fence = 0;  // 0: a free slot; the first fence is 1.
    uint32_t until = 0;  // Since the block was opened, packed.
  };
  static_assert(sizeof(Slot) == 24);
  static_assert(kJobStateCount <= 8, "`after` has three bits");

  struct FailAnswer {
    uint32_t attempt = 0;
    int64_t run_at_ms = 0;
  };
  struct Block {
    base::EngineTime opened;
    base::EngineTime until;   // Of the entry that is kept longest.
    std::vector<Slot> slots;  // Open addressing; a power of two.
    size_t used = 0;
    std::unordered_map<uint64_t, FailAnswer> fails;  // Few, next to the acks. By mix(id, fence).
    void insert(const Slot& slot);
    void grow();
  };
  // By the time that is left: what is kept for long does not hold what is kept for a minute.
  static constexpr size_t kLanes = 32;

  Block& open_block(const LedgerEntry& entry, base::EngineTime now);
  static base::EngineTime until_of(const Block& block, const Slot& slot);
  static LedgerEntry entry_of(const Block& block, const Slot& slot);

  std::map<uint64_t, Block> blocks_;     // By number, in order of opening.
  std::array<uint64_t, kLanes> open_{};  // The block that takes the lane's entries; 0: none yet.
  uint64_t block_next_ = 1;
  size_t entries_ = 0;
  std::vector<LedgerEntry> added_;
};

}  // namespace core
