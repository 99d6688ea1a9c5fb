// How much memory there is for this process.
#pragma once

#include <cstdint>
#include <string>

namespace server {

// The least of what the machine has and what the control groups of this process allow. `root`:
// where /proc and /sys are, for tests.
uint64_t memory_limit(const std::string& root = "");

// What the server takes as its budget when it is told nothing: a quarter of the limit, and a floor
// below which it could not take a batch.
uint64_t memory_budget(uint64_t limit);
inline constexpr uint64_t kMemoryBudgetMin = uint64_t{256} << 20;
// One part in this many of it is what connections may hold.
inline constexpr uint64_t kBufferShare = 4;

}  // namespace server
