#include "bench/load/samples.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace load {

int64_t Samples::percentile(double percent) const {
  if (nanoseconds_.empty()) return 0;
  std::vector<int64_t> ordered = nanoseconds_;
  const double rank = std::ceil(percent / 100.0 * static_cast<double>(ordered.size()));
  const size_t place = std::clamp(static_cast<size_t>(rank), size_t{1}, ordered.size()) - 1;
  const auto wanted = ordered.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(ordered.begin(), wanted, ordered.end());
  return *wanted;
}

void Samples::report(std::string_view prefix, JsonLine& line) const {
  const std::string name(prefix);
  line.add(name + "p50_ms", static_cast<double>(percentile(50)) / 1e6);
  line.add(name + "p99_ms", static_cast<double>(percentile(99)) / 1e6);
  line.add(name + "max_ms", static_cast<double>(percentile(100)) / 1e6);
}

}  // namespace load
