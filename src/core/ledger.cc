#include "core/ledger.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace core {
namespace {

constexpr size_t kBlockEntriesMax = 50'000;
constexpr int64_t kBlockMs = 5'000;
constexpr size_t kSlotsFirst = 256;

// Spreads (id, fence) over 64 bits (the finaliser of splitmix64).
uint64_t mix(uint64_t id, uint32_t fence) {
  uint64_t x = id ^ (uint64_t{fence} << 40);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

uint64_t secret_hash(const LeaseToken& token) {
  uint64_t bits = 0;  // Random already: any 64 of the 96 bits do.
  std::memcpy(&bits, token.secret.data(), sizeof bits);
  return bits;
}

void Ledger::Block::insert(const Slot& slot) {
  const size_t mask = slots.size() - 1;
  size_t index = mix(slot.id, slot.fence) & mask;
  while (slots[index].fence != 0) index = (index + 1) & mask;
  slots[index] = slot;
}

void Ledger::Block::grow() {
  std::vector<Slot> old(std::max(kSlotsFirst, slots.size() * 2));
  old.swap(slots);
  for (const Slot& slot : old) {
    if (slot.fence != 0) insert(slot);
  }
}

void Ledger::add(const LedgerEntry& entry, base::EngineTime now) {
  ASSERT(entry.fence != 0, "job {} was never leased", entry.id.value);
  const bool fresh_block = blocks_.empty() || blocks_.back().used >= kBlockEntriesMax ||
                           (now - blocks_.back().opened).count() >= kBlockMs;
  if (fresh_block) {
    blocks_.emplace_back();
    blocks_.back().opened = now;
  }
  Block& block = blocks_.back();
  if ((block.used + 1) * 5 > block.slots.size() * 4) block.grow();
  block.insert(Slot{.id = entry.id.value,
                    .secret_hash = entry.secret_hash,
                    .fence = entry.fence,
                    .ending = entry.ending,
                    .cancelled = entry.cancelled,
                    .after = entry.after});
  if (entry.ending == Ending::kFail) {
    block.fails[mix(entry.id.value, entry.fence)] = {entry.attempt, entry.run_at_ms};
  }
  block.closed = now;
  ++block.used;
  ++entries_;
}

LedgerEntry Ledger::entry_of(const Block& block, const Slot& slot) {
  LedgerEntry entry;
  entry.id = JobId{slot.id};
  entry.fence = slot.fence;
  entry.secret_hash = slot.secret_hash;
  entry.ending = slot.ending;
  entry.cancelled = slot.cancelled;
  entry.after = slot.after;
  if (slot.ending == Ending::kFail) {
    const auto found = block.fails.find(mix(slot.id, slot.fence));
    ASSERT(found != block.fails.end());
    entry.attempt = found->second.attempt;
    entry.run_at_ms = found->second.run_at_ms;
  }
  return entry;
}

std::optional<LedgerEntry> Ledger::find(JobId id, uint32_t fence) const {
  for (const Block& block : blocks_) {
    const size_t mask = block.slots.size() - 1;
    for (size_t index = mix(id.value, fence) & mask;; index = (index + 1) & mask) {
      const Slot& slot = block.slots[index];
      if (slot.fence == 0) break;
      if (slot.id == id.value && slot.fence == fence) return entry_of(block, slot);
    }
  }
  return std::nullopt;
}

void Ledger::expire(base::EngineTime now) {
  while (!blocks_.empty() && (now - blocks_.front().closed).count() > limits::kLedgerMs) {
    entries_ -= blocks_.front().used;
    blocks_.pop_front();
    ++block_first_;
  }
}

LedgerPut Ledger::image_of(uint64_t block) const {
  ASSERT(block >= block_first() && block < block_end());
  const Block& source = blocks_[block - block_first_];
  LedgerPut image{.closed = source.closed, .entries = {}};
  image.entries.reserve(source.used);
  for (const Slot& slot : source.slots) {
    if (slot.fence != 0) image.entries.push_back(entry_of(source, slot));
  }
  return image;
}

}  // namespace core
