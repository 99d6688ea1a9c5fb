#include "server/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>

namespace server {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// The number in a file; no limit if there is none ("max", or no such file).
uint64_t number_in(const std::string& path) {
  std::ifstream file(path);
  uint64_t number = 0;
  return file >> number ? number : kNoLimit;
}

// The least limit of a group and of those above it.
uint64_t least_above(const std::string& base, std::string group, const std::string& file) {
  uint64_t least = number_in(base + "/" + file);
  while (group.size() > 1 && group.front() == '/') {
    least = std::min(least, number_in(base + group + "/" + file));
    group.resize(group.rfind('/'));
  }
  return least;
}

// Lines are "0::/path" (version 2) and "9:memory:/path" (version 1).
uint64_t group_limit(const std::string& root) {
  const std::string base = root + "/sys/fs/cgroup";
  uint64_t least = number_in(base + "/memory.max");
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string kinds = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (kinds.empty()) least = std::min(least, least_above(base, group, "memory.max"));
    if (("," + kinds + ",").find(",memory,") != std::string::npos) {
      least = std::min(least, least_above(base + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

}  // namespace

uint64_t memory_limit(const std::string& root) {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  const bool known = pages > 0 && page_bytes > 0;
  const uint64_t machine =
      known ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes) : kNoLimit;
  return std::min(machine, group_limit(root));
}

uint64_t memory_budget(uint64_t limit) {
  constexpr uint64_t kShare = 4;
  return std::max(kMemoryBudgetMin, limit / kShare);
}

}  // namespace server
