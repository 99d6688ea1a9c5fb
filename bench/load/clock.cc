#include "bench/load/clock.h"

#include <ctime>

namespace load {

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);  // tidy: allow clock because base is not linked here
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace load
