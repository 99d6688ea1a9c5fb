#include "cli/measurement.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cli {

std::string Latencies::text() const {
  std::string out;
  for (const int64_t us : us_) out += std::to_string(us) + "\n";
  return out;
}

bool Latencies::take(std::string_view text) {
  while (!text.empty()) {
    int64_t us = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), us);
    if (fault != std::errc{} || end == text.data() + text.size() || *end != '\n') return false;
    us_.push_back(us);
    text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  }
  return true;
}

int64_t Latencies::percentile_us(double percent) const {
  if (us_.empty()) return 0;
  std::vector<int64_t> sorted = us_;
  std::ranges::sort(sorted);
  const auto rank =
      static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

double Measurement::jobs_per_second() const {
  constexpr double kNsPerSecond = 1e9;
  return ns > 0 ? static_cast<double>(jobs) * kNsPerSecond / static_cast<double>(ns) : 0;
}

}  // namespace cli
