// How long a test waits for another thread before it says that it failed.
#pragma once

#include <chrono>

namespace store {

inline constexpr std::chrono::seconds kPatience{20};

}  // namespace store
