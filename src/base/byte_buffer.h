// Bytes that grow at their end, for what is written in many short parts: unlike a string it zeroes
// nothing, and it copies a short part without a call.
//
// Threading: none; one owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace base {

// Copies a part to where it has room. Returns where it ends.
inline char* copy_part(char* to, std::string_view part) {
  const size_t size = part.size();
  const char* from = part.data();
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);  // May overlap the first.
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = from[i];
  }
  return to + size;
}

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& from) noexcept
      : bytes_(std::move(from.bytes_)),
        size_(std::exchange(from.size_, 0)),
        room_(std::exchange(from.room_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& from) noexcept {
    bytes_ = std::move(from.bytes_);
    size_ = std::exchange(from.size_, 0);
    room_ = std::exchange(from.room_, 0);
    return *this;
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  size_t capacity() const { return room_; }
  char* data() { return bytes_.get(); }
  std::string_view view() const { return {bytes_.get(), size_}; }

  // Adds `size` bytes, for the caller to write; valid until the next change.
  char* extend(size_t size) {
    if (room_ - size_ < size) grow(size);
    char* at = bytes_.get() + size_;
    size_ += size;
    return at;
  }
  void append(std::string_view part) { copy_part(extend(part.size()), part); }

  // Keeps the room.
  void clear() { size_ = 0; }
  void cut(size_t size) {
    ASSERT(size <= size_, "cut to {} of {} bytes", size, size_);
    size_ = size;
  }

 private:
  static constexpr size_t kRoomMin = 64;

  void grow(size_t size) {
    const size_t room = std::max({2 * room_, size_ + size, kRoomMin});
    auto bytes = std::make_unique_for_overwrite<char[]>(room);
    if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    room_ = room;
  }

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t room_ = 0;
};

}  // namespace base
