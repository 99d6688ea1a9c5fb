#include "store/sqlite/page_stamp.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace store {
namespace {

// Of SQLite's file format: the head of page 1.
constexpr size_t kPageBytesAt = 16;  // Two bytes, the high one first; 1 stands for 65536.

using Number = std::array<std::byte, PageStamp::kBytes>;

Number encode(uint32_t page) {
  Number bytes;
  std::memcpy(bytes.data(), &page, bytes.size());  // Little-endian, as all of Dray's files.
  return bytes;
}

}  // namespace

void PageStamp::learn(std::span<const std::byte> bytes, uint64_t offset) {
  if (offset != 0 || bytes.size() <= kBytesAt) return;
  const auto at = [&](size_t place) { return std::to_integer<uint64_t>(bytes[place]); };
  const uint64_t stated = at(kPageBytesAt) << 8U | at(kPageBytesAt + 1);
  page_bytes_ = stated == 1 ? 65'536 : stated;
  if (at(kBytesAt) != kBytes) page_bytes_ = 0;
}

std::optional<uint32_t> PageStamp::page_of(std::span<const std::byte> bytes,
                                           uint64_t offset) const {
  if (page_bytes_ == 0 || bytes.size() != page_bytes_ || offset % page_bytes_ != 0) return {};
  return static_cast<uint32_t>(offset / page_bytes_) + 1;
}

bool PageStamp::is_right(std::span<const std::byte> bytes, uint64_t offset) {
  learn(bytes, offset);
  const std::optional<uint32_t> page = page_of(bytes, offset);
  return !page || std::ranges::equal(bytes.last(kBytes), encode(*page));
}

std::span<const std::byte> PageStamp::stamp(std::span<const std::byte> bytes, uint64_t offset) {
  learn(bytes, offset);
  const std::optional<uint32_t> page = page_of(bytes, offset);
  if (!page) return bytes;
  stamped_.assign(bytes.begin(), bytes.end());
  std::ranges::copy(encode(*page), stamped_.end() - kBytes);
  return stamped_;
}

}  // namespace store
