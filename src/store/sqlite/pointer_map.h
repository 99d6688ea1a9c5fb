// SQLite's pointer map (file format, 1.8): which page of a file stands above which. Its files have
// one so that they can shrink; whoever looks for the rest of a tree whose middle is damaged finds
// it here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/file.h"

namespace store {

// Threading: one thread.
class PointerMap {
 public:
  // Requires: all that was committed is in the file itself. Pages of the map that are damaged are
  // passed over: of those that they tell of nothing is known. Errors: IO, NOTFOUND.
  base::Status read(FileSystem& files, const std::string& path);

  // The pages of trees just below `page`, by number. Entries of a damaged file may go in a circle.
  std::vector<uint32_t> below(uint32_t page) const;

 private:
  void take(std::span<const std::byte> entries, uint32_t first, uint32_t last);

  std::vector<std::pair<uint32_t, uint32_t>> pages_;  // The one above, and the page; sorted.
};

}  // namespace store
