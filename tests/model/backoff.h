// model/backoff.h
// Backoff as data: the text of a BACKOFF option, and the range in which a retry's delay must lie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace model {

// Both ends belong to it.
struct Range {
  int64_t low = 0;
  int64_t high = 0;
  bool holds(int64_t value) const { return low <= value && value <= high; }
};

struct Backoff {
  std::string name;                  // "fixed", "linear", …, "sidekiq", …
  std::vector<int64_t> numbers_ms;   // MS and CAP, or the list.
  int64_t factor_milli = 2000;       // exponential only.
  std::optional<int64_t> jitter_pc;  // As given; absent: the spec's own.
};

inline constexpr int64_t kHourMs = 3'600'000;
inline constexpr int64_t kDurationMsMax = 315'576'000'000;  // Ten years.

// Returns the parsed spec, or nothing if it is malformed.
std::optional<Backoff> parse_backoff(const std::string& spec);

// Returns the allowed delays in milliseconds after the given attempt (1 is the first).
Range backoff_delay(const Backoff& backoff, int64_t attempt);

// The delay after a lost lease: 1 s the first time, then the backoff, each with 50 % jitter.
Range crash_delay(const Backoff& backoff, int64_t attempt, int64_t crashes);

}  // namespace model
