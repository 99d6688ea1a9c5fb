// The loader's clock: the only place here that reads one.
#pragma once
#include <cstdint>

namespace load {

inline constexpr int64_t kNsPerS = 1'000'000'000;
inline constexpr int64_t kNsPerMs = 1'000'000;

// Returns nanoseconds of the monotonic clock.
int64_t monotonic_ns();

}  // namespace load
