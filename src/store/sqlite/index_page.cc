#include "store/sqlite/index_page.h"

#include <cstdint>

namespace store {
namespace {

constexpr auto kInner = std::byte{2};
constexpr auto kLeaf = std::byte{10};
constexpr size_t kCountAt = 3;
// An inner page has the number of its last child behind the head, and of another one before each
// record.
constexpr size_t kLeafHeadBytes = 8;
constexpr size_t kChildBytes = 4;

size_t number_at(std::span<const std::byte> page, size_t at) {
  return std::to_integer<size_t>(page[at]) << 8U | std::to_integer<size_t>(page[at + 1]);
}

}  // namespace

bool make_leaf(std::span<std::byte> page) {
  if (page[0] != kInner) return false;
  const size_t count = number_at(page, kCountAt);
  const size_t places = kLeafHeadBytes + kChildBytes;
  if (places + 2 * count > page.size()) return false;
  page[0] = kLeaf;
  for (size_t i = 0; i < count; ++i) {
    const size_t record = number_at(page, places + 2 * i) + kChildBytes;
    page[kLeafHeadBytes + 2 * i] = std::byte(record >> 8U);
    page[kLeafHeadBytes + 2 * i + 1] = std::byte(record & 0xffU);
  }
  return true;
}

}  // namespace store
