// What the worker of one attempt logged of it: lines, bounded by their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace core {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };
inline constexpr size_t kLogLevelCount = 4;
std::string_view log_level_name(LogLevel level);

struct LogLine {
  base::WallTime at;
  LogLevel level = LogLevel::kInfo;
  std::string text;
};

// What a worker logged of one attempt.
struct AttemptLog {
  uint32_t fence = 0;              // Of the attempt.
  uint64_t dropped = 0;            // Lines that had to make room.
  size_t bytes = 0;                // That the lines count; not stored.
  std::deque<LogLine> lines = {};  // Oldest first.

  // Puts the line behind the others; the oldest go if it has no room. Requires: it fits alone.
  void add(LogLine line);
};

// The log of the attempt with this fence among `logs`, or null; and forgets it.
const AttemptLog* find_log(const std::vector<AttemptLog>& logs, uint32_t fence);
void drop_log(std::vector<AttemptLog>& logs, uint32_t fence);

}  // namespace core
