#include "core/ledger.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace core {
namespace {

constexpr size_t kBlockEntriesMax = 50'000;
constexpr int64_t kBlockMs = 5'000;
constexpr size_t kSlotsFirst = 256;
constexpr int kSecretHashBits = 58;

// Spreads (id, fence) over 64 bits (the finaliser of splitmix64).
uint64_t mix(uint64_t id, uint32_t fence) {
  uint64_t x = id ^ (uint64_t{fence} << 40);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// A length of time in 32 bits: up to 24 days in milliseconds, beyond in seconds, rounded up.
constexpr uint32_t kInSeconds = 1U << 31;

uint32_t pack(base::Duration length) {
  const int64_t ms = length.count();
  ASSERT(ms >= 0, "a time that is over: {} ms", ms);
  if (ms < kInSeconds) return static_cast<uint32_t>(ms);
  const int64_t seconds = ms / limits::kSecondMs + 1;
  return kInSeconds | static_cast<uint32_t>(std::min<int64_t>(seconds, kInSeconds - 1));
}

base::Duration unpack(uint32_t packed) {
  if ((packed & kInSeconds) == 0) return base::Duration{packed};
  return base::Duration{int64_t{packed & ~kInSeconds} * limits::kSecondMs};
}

}  // namespace

uint64_t secret_hash(const LeaseToken& token) {
  uint64_t bits = 0;  // Random already: any of the 96 bits do.
  std::memcpy(&bits, token.secret.data(), sizeof bits);
  return bits & ((uint64_t{1} << kSecretHashBits) - 1);
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

// The block for an entry: lane n holds what is kept up to 2^n minutes more, in blocks that take as
// long to fill at most as their entries may be kept too long.
Ledger::Block& Ledger::open_block(const LedgerEntry& entry, base::EngineTime now) {
  const auto minutes = static_cast<uint64_t>((entry.until - now).count() - 1) /
                       static_cast<uint64_t>(limits::kLedgerMs);
  const size_t lane = std::min<size_t>(std::bit_width(minutes), kLanes - 1);
  const auto open = blocks_.find(open_[lane]);
  if (open != blocks_.end()) {
    Block& block = open->second;
    const bool fresh = (now - block.opened).count() < kBlockMs << lane;
    if (fresh && block.used < kBlockEntriesMax) return block;
  }
  open_[lane] = block_next_;
  Block& block = blocks_[block_next_++];
  block.opened = block.until = now;
  return block;
}

void Ledger::add(const LedgerEntry& entry, base::EngineTime now) {
  if (entry.until <= now) return;
  install(entry, now);
  added_.push_back(entry);
}

void Ledger::install(const LedgerEntry& entry, base::EngineTime now) {
  ASSERT(entry.fence != 0, "job {} was never leased", entry.id.value);
  if (entry.until <= now) return;
  Block& block = open_block(entry, now);
  if ((block.used + 1) * 5 > block.slots.size() * 4) block.grow();
  Slot slot;
  slot.id = entry.id.value;
  slot.secret_hash = entry.secret_hash & ((uint64_t{1} << kSecretHashBits) - 1);
  slot.after = static_cast<uint64_t>(entry.after) & 7;
  slot.ending = static_cast<uint64_t>(entry.ending) & 3;
  slot.cancelled = entry.cancelled ? 1 : 0;
  slot.fence = entry.fence;
  slot.until = pack(entry.until - block.opened);
  block.insert(slot);
  if (entry.ending == Ending::kFail) {
    block.fails[mix(entry.id.value, entry.fence)] = {entry.attempt, entry.run_at_ms};
  }
  block.until = std::max(block.until, until_of(block, slot));
  ++block.used;
  ++entries_;
}

base::EngineTime Ledger::until_of(const Block& block, const Slot& slot) {
  return block.opened + unpack(slot.until);
}

LedgerEntry Ledger::entry_of(const Block& block, const Slot& slot) {
  LedgerEntry entry;
  entry.id = JobId{slot.id};
  entry.fence = slot.fence;
  entry.secret_hash = slot.secret_hash;
  entry.ending = static_cast<Ending>(slot.ending);
  entry.cancelled = slot.cancelled != 0;
  entry.after = static_cast<JobState>(slot.after);
  entry.until = until_of(block, slot);
  if (entry.ending == Ending::kFail) {
    const auto found = block.fails.find(mix(slot.id, slot.fence));
    ASSERT(found != block.fails.end());
    entry.attempt = found->second.attempt;
    entry.run_at_ms = found->second.run_at_ms;
  }
  return entry;
}

std::optional<LedgerEntry> Ledger::find(JobId id, uint32_t fence, base::EngineTime now) const {
  for (const auto& [number, block] : blocks_) {
    if (block.until <= now) continue;
    const size_t mask = block.slots.size() - 1;
    for (size_t index = mix(id.value, fence) & mask;; index = (index + 1) & mask) {
      const Slot& slot = block.slots[index];
      if (slot.fence == 0) break;
      if (slot.id != id.value || slot.fence != fence) continue;
      if (until_of(block, slot) > now) return entry_of(block, slot);
      break;
    }
  }
  return std::nullopt;
}

void Ledger::expire(base::EngineTime now) {
  std::erase_if(blocks_, [&](const auto& numbered) {
    const Block& block = numbered.second;
    if (block.until > now) return false;
    entries_ -= block.used;
    return true;
  });
}

std::optional<uint64_t> Ledger::block_from(uint64_t number) const {
  const auto found = blocks_.lower_bound(number);
  return found == blocks_.end() ? std::nullopt : std::optional(found->first);
}

LedgerPut Ledger::image_of(uint64_t number) const {
  const Block& block = blocks_.at(number);
  LedgerPut image;
  image.entries.reserve(block.used);
  for (const Slot& slot : block.slots) {
    if (slot.fence != 0) image.entries.push_back(entry_of(block, slot));
  }
  return image;
}

}  // namespace core
