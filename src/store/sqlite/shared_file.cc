#include "store/sqlite/shared_file.h"

#include "base/assert.h"

namespace store {
namespace {

uint32_t bits_of(int first, int count) {
  ASSERT(first >= 0 && count >= 1 && first + count <= SharedFile::kSlots, "{} from {}", count,
         first);
  return ((1U << static_cast<unsigned>(count)) - 1) << static_cast<unsigned>(first);
}

}  // namespace

bool SharedFile::lock(Holder& holder, Level level) {
  const std::lock_guard guard(mutex_);
  if (holder.level >= level) return true;
  if (level == Level::kShared) {
    if (writer_ != nullptr && writer_->level >= Level::kPending) return false;
    shared_ += 1;
    holder.level = level;
    return true;
  }
  ASSERT(holder.level >= Level::kShared, "level {} from none", static_cast<int>(level));
  if (!may_write(holder)) return false;
  writer_ = &holder;
  const bool alone = shared_ == 1;
  holder.level = level == Level::kExclusive && !alone ? Level::kPending : level;
  return holder.level == level;
}

void SharedFile::unlock(Holder& holder, Level level) {
  const std::lock_guard guard(mutex_);
  ASSERT(level <= Level::kShared, "unlock to {}", static_cast<int>(level));
  if (holder.level <= level) return;
  if (writer_ == &holder) writer_ = nullptr;
  if (level == Level::kNone) shared_ -= 1;
  holder.level = level;
}

bool SharedFile::is_reserved() {
  const std::lock_guard guard(mutex_);
  return writer_ != nullptr;
}

bool SharedFile::lock_shared(Holder& holder, int slot) {
  const uint32_t bit = bits_of(slot, 1);
  const std::lock_guard guard(mutex_);
  if ((holder.slots_shared & bit) != 0) return true;
  int& users = slots_[static_cast<size_t>(slot)];
  if (users < 0) return false;
  users += 1;
  holder.slots_shared |= bit;
  return true;
}

bool SharedFile::lock_exclusive(Holder& holder, int first, int count) {
  const uint32_t bits = bits_of(first, count);
  const std::lock_guard guard(mutex_);
  if ((holder.slots_exclusive & bits) == bits) return true;
  for (int slot = first; slot < first + count; ++slot) {
    if (slots_[static_cast<size_t>(slot)] != 0) return false;
  }
  for (int slot = first; slot < first + count; ++slot) slots_[static_cast<size_t>(slot)] = -1;
  holder.slots_exclusive |= bits;
  return true;
}

void SharedFile::unlock_slots(Holder& holder, int first, int count) {
  const uint32_t bits = bits_of(first, count);
  const std::lock_guard guard(mutex_);
  for (int slot = first; slot < first + count; ++slot) {
    const uint32_t bit = bits_of(slot, 1);
    int& users = slots_[static_cast<size_t>(slot)];
    if ((holder.slots_exclusive & bit) != 0) users = 0;
    if ((holder.slots_shared & bit) != 0) users -= 1;
  }
  holder.slots_exclusive &= ~bits;
  holder.slots_shared &= ~bits;
}

void* SharedFile::map(Holder& holder, size_t index, size_t bytes, bool make) {
  const std::lock_guard guard(mutex_);
  if (!holder.mapped) mappings_ += 1;
  holder.mapped = true;
  if (index >= regions_.size() && !make) return nullptr;
  while (regions_.size() <= index) regions_.push_back(std::make_unique<std::byte[]>(bytes));
  return regions_[index].get();
}

void SharedFile::unmap(Holder& holder) {
  if (!holder.mapped) return;
  unlock_slots(holder, 0, kSlots);
  const std::lock_guard guard(mutex_);
  holder.mapped = false;
  mappings_ -= 1;
  if (mappings_ == 0) regions_.clear();
}

}  // namespace store
