// When a failed job runs again. Pure: no clock, no store. The policy is data; the formulae of the
// peers are offered by name. Randomness comes last and apart: a policy gives a range, `pick` draws.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"

namespace core {

enum class BackoffKind : uint8_t {
  kExponential,
  kFixed,
  kLinear,
  kList,
  kSidekiq,
  kFaktory,
  kRiver,
  kOban,
  kBullmqExponential,
  kBullExponential,
  kCelery,
  kDramatiq,
  kGraphile,
};

inline constexpr int16_t kJitterOfKind = -1;

struct Backoff {
  BackoffKind kind = BackoffKind::kExponential;
  int16_t jitter_percent = kJitterOfKind;  // kJitterOfKind: as the kind has it.
  uint32_t factor_milli = 2'000;
  int64_t base_ms = 1'000;
  int64_t cap_ms = 3'600'000;
  std::vector<int64_t> list_ms;

  bool operator==(const Backoff&) const = default;
};

struct DelayRange {
  int64_t low_ms = 0;
  int64_t high_ms = 0;  // Inclusive.
};

// Reads "exponential:MS[,FACTOR[,CAP]]", "fixed:MS", "linear:MS[,CAP]", "list:MS,…" or a name, each
// with "~PERCENT" behind it. Errors: BADREQ says what and what is allowed.
base::Result<Backoff> parse_backoff(std::string_view spec);

// The spec that parses to this policy.
std::string backoff_text(const Backoff& policy);

// The range of delays before the run after failed attempt number `attempt` (1 is the first).
DelayRange retry_delay(const Backoff& policy, uint32_t attempt);

// The range of delays after a lost lease, the `crash`-th of the job.
DelayRange crash_delay(const Backoff& policy, uint32_t attempt, uint32_t crash);

// Draws from the range, evenly.
int64_t pick(const DelayRange& range, base::Random& random);

}  // namespace core
