// Lengths of time as people write them: 5m, 30s, 1h30m, 250ms.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace config {

// Reads numbers with units (ms, s, m, h, d), largest first or in any order, each once: "1h30m". A
// number alone is refused, unless it is 0: nobody can tell whether 5 meant seconds.
base::Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// Writes the two largest parts that say something: "1h 30m", "2.5s", "12ms".
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace config
