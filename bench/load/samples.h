// Every single latency of a run, so that percentiles are exact and not a bucket's edge.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/load/json_line.h"

namespace load {

class Samples {
 public:
  explicit Samples(size_t expected) { nanoseconds_.reserve(expected); }

  void add(int64_t nanoseconds) { nanoseconds_.push_back(nanoseconds); }
  size_t size() const { return nanoseconds_.size(); }

  // Returns the smallest sample that at least `percent` of all do not exceed (nearest rank), 0
  // without samples. Requires: 0 <= percent <= 100.
  int64_t percentile(double percent) const;

  // Adds <prefix>p50_ms, <prefix>p99_ms and <prefix>max_ms.
  void report(std::string_view prefix, JsonLine& line) const;

 private:
  std::vector<int64_t> nanoseconds_;
};

}  // namespace load
