#include "store/sqlite/pointer_map.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "store/sqlite/page_stamp.h"

namespace store {
namespace {

constexpr size_t kEntryBytes = 5;  // What kind of page it is, and the one above; high byte first.
constexpr auto kOfATree = std::byte{5};  // Not its root, and not what overflows from a page.
constexpr uint32_t kFirstMapPage = 2;
// With a stamp at its end or without, a page has room for as many.
constexpr uint32_t kEntries = (kTablesPageBytes - PageStamp::kBytes) / kEntryBytes;
static_assert(kEntries == kTablesPageBytes / kEntryBytes);

uint32_t number_in(std::span<const std::byte> bytes) {
  uint32_t number = 0;
  for (const std::byte byte : bytes) number = number << 8U | std::to_integer<uint32_t>(byte);
  return number;
}

}  // namespace

base::Status PointerMap::read(FileSystem& files, const std::string& path) {
  const auto file = TRY(files.open_to_read(path));
  const auto pages = static_cast<uint32_t>(TRY(file->size()) / kTablesPageBytes);
  std::vector<std::byte> bytes(kTablesPageBytes);
  PageStamp stamp;
  TRY(file->read_at(0, bytes));
  stamp.is_right(bytes, 0);  // It learns whether there are stamps.
  for (uint32_t page = kFirstMapPage; page <= pages; page += kEntries + 1) {
    const uint64_t offset = uint64_t{page - 1} * kTablesPageBytes;
    TRY(file->read_at(offset, bytes));
    if (!stamp.is_right(bytes, offset)) continue;
    take(bytes, page + 1, std::min(page + kEntries, pages));
  }
  std::ranges::sort(pages_);
  return {};
}

void PointerMap::take(std::span<const std::byte> entries, uint32_t first, uint32_t last) {
  for (uint32_t page = first; page <= last; ++page) {
    const auto entry = entries.subspan((page - first) * kEntryBytes, kEntryBytes);
    if (entry[0] == kOfATree) pages_.emplace_back(number_in(entry.subspan(1)), page);
  }
}

std::vector<uint32_t> PointerMap::below(uint32_t page) const {
  std::vector<uint32_t> found;
  const auto above = [](const auto& entry) { return entry.first; };
  for (const auto& entry : std::ranges::equal_range(pages_, page, {}, above)) {
    found.push_back(entry.second);
  }
  return found;
}

}  // namespace store
