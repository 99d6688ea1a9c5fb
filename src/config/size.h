// Sizes as people write them: 64MB, 4GiB, 16384.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace config {

// Reads a whole number of bytes, or one with a unit: B, K, KB, KiB, M …, T. All are powers of
// 1,024, as memory and files are counted; case does not matter.
base::Result<int64_t> parse_size(std::string_view text);

// Writes it with the largest unit that keeps it whole: "64MiB".
std::string size_text(int64_t bytes);

}  // namespace config
