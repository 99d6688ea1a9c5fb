#include "core/attempt_log.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "core/limits.h"

namespace core {
namespace {

// Of one attempt. The logs of all attempts are one answer of JOB.GET, which has fewer values than
// clients take.
constexpr size_t kLinesMax = 4'000;
constexpr size_t kValuesOfLine = 7;
static_assert((limits::kHistoryMax + 1) * kLinesMax * kValuesOfLine < 1'000'000);

size_t bytes_of(const LogLine& line) {
  return line.text.size() + limits::kLogLineBytes;
}

}  // namespace

std::string_view log_level_name(LogLevel level) {
  static constexpr std::array<std::string_view, kLogLevelCount> kNames = {"debug", "info", "warn",
                                                                          "error"};
  return kNames[static_cast<size_t>(level)];
}

void AttemptLog::add(LogLine line) {
  const size_t added = bytes_of(line);
  ASSERT(added <= limits::kLogBytesMax, "a line of {} bytes", added);
  while (bytes + added > limits::kLogBytesMax || lines.size() == kLinesMax) {
    bytes -= bytes_of(lines.front());
    lines.pop_front();
    ++dropped;
  }
  bytes += added;
  lines.push_back(std::move(line));
}

const AttemptLog* find_log(const std::vector<AttemptLog>& logs, uint32_t fence) {
  const auto found = std::ranges::find(logs, fence, &AttemptLog::fence);
  return found == logs.end() ? nullptr : &*found;
}

void drop_log(std::vector<AttemptLog>& logs, uint32_t fence) {
  std::erase_if(logs, [&](const AttemptLog& log) { return log.fence == fence; });
}

}  // namespace core
