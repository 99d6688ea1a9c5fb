// Each page of the tables' file carries its own number in its last bytes: a page that a disk wrote
// to a wrong place is known by it. Rows are found by the order of pages, so what a flush wrote into
// such a page would be lost with it. Everything else of a page has checks of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace store {

// Of each file of the tables, as connection.sql makes it.
inline constexpr uint64_t kTablesPageBytes = 16'384;

// Of one open file. It learns from the head of the file how large a page is, and whether there is
// room for stamps: a file of a version before them has none, and is used without.
class PageStamp {
 public:
  // SQLite leaves as many bytes at the end of each page of a new file.
  static constexpr int kBytes = 4;
  // Where the head of page 1 says how many are left alone at the end of each page.
  static constexpr size_t kBytesAt = 20;

  // Call with all that is read from the file. Returns whether the stamp is the page's own; what is
  // no whole page has none to be wrong.
  bool is_right(std::span<const std::byte> bytes, uint64_t offset);

  // Call with all that is to be written. Returns what to write, which lives until the next call.
  std::span<const std::byte> stamp(std::span<const std::byte> bytes, uint64_t offset);

 private:
  void learn(std::span<const std::byte> bytes, uint64_t offset);
  // The number of the page that `bytes` are.
  std::optional<uint32_t> page_of(std::span<const std::byte> bytes, uint64_t offset) const;

  uint64_t page_bytes_ = 0;  // 0: not known, or without stamps.
  std::vector<std::byte> stamped_;
};

}  // namespace store
