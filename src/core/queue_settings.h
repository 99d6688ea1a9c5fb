// What QUEUE.SET says of a queue: bounds, and defaults of the pushes that do not say otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/backoff.h"

namespace core {

// In the order in which they are stored; a new one goes to the end.
enum class QueueNumber : uint8_t {
  kMaxlen,  // Jobs that wait in it at most; a push beyond is refused.
  kAttempts,
  kLeaseMs,
  kTimeoutMs,
  kKeepMs,
  kCrashes,
  kAlertMs,  // Age of the oldest ready job from which on somebody should look.
  kAgeMs,    // A ready job's priority counts one more for each of these that it has been ready.
};
inline constexpr size_t kQueueNumberCount = 8;
// As QUEUE.STATS calls them.
inline constexpr std::array<std::string_view, kQueueNumberCount> kQueueNumberNames = {
    "maxlen", "attempts", "lease_ms", "timeout_ms", "keep_ms", "crashes", "alert_ms", "age_ms"};

struct QueueSettings {
  // Nothing: the server's own default, or no bound.
  std::array<std::optional<int64_t>, kQueueNumberCount> numbers;
  std::optional<Backoff> backoff;

  std::optional<int64_t>& of(QueueNumber number) { return numbers[static_cast<size_t>(number)]; }
  const std::optional<int64_t>& of(QueueNumber number) const {
    return numbers[static_cast<size_t>(number)];
  }
  bool operator==(const QueueSettings&) const = default;
};

}  // namespace core
