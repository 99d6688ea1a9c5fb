// What the connections of this process to one SQLite file share: locks, and the memory in which
// SQLite keeps the index of its log. No other process may have the file open: the lock on the data
// directory sees to that. So none of it is on disk, and a start finds nothing stale.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace store {

// Threading: any thread.
class SharedFile {
 public:
  // In SQLite's order, with its numbers.
  enum class Level : int { kNone, kShared, kReserved, kPending, kExclusive };

  static constexpr int kSlots = 8;

  // One connection's part of it. The connection's thread alone touches it.
  struct Holder {
    Level level = Level::kNone;
    uint32_t slots_shared = 0;  // Bit per slot.
    uint32_t slots_exclusive = 0;
    bool mapped = false;
  };

  // Locks on the file. Returns false if another holder is in the way; the holder may then be left
  // at kPending, which keeps new ones out.
  bool lock(Holder& holder, Level level);
  void unlock(Holder& holder, Level level);  // Down to kShared or kNone.
  bool is_reserved();

  // Locks on the slots of the index. A holder has a slot either way, not both.
  bool lock_shared(Holder& holder, int slot);
  bool lock_exclusive(Holder& holder, int first, int count);
  void unlock_slots(Holder& holder, int first, int count);

  // Returns region `index` of the memory, zeros at first; null if it is not there and is not to be
  // made. It stays where it is while a holder has mapped one.
  void* map(Holder& holder, size_t index, size_t bytes, bool make);
  void unmap(Holder& holder);

 private:
  bool may_write(const Holder& holder) const { return writer_ == nullptr || writer_ == &holder; }

  std::mutex mutex_;                 // Guards all below.
  int shared_ = 0;                   // Holders at kShared or above.
  const Holder* writer_ = nullptr;   // The one above kShared.
  std::array<int, kSlots> slots_{};  // Holders of each; -1: one, exclusively.
  std::vector<std::unique_ptr<std::byte[]>> regions_;
  int mappings_ = 0;
};

}  // namespace store
