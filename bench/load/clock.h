// The loader's clock: the only place here that reads one.
#pragma once
#include <cstdint>

namespace load {

// Returns nanoseconds of the monotonic clock.
int64_t monotonic_ns();

}  // namespace load
