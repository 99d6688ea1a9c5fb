// The commands on keys, as in command.h.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace core {

struct KeySet {
  enum class Life : uint8_t { kForever, kKept, kFor, kUntil };
  enum class Only : uint8_t { kAlways, kAbsent, kPresent };

  std::string_view key;
  std::string_view value;
  Life life = Life::kForever;
  int64_t life_ms = 0;  // kFor: a duration. kUntil: Unix milliseconds.
  Only only = Only::kAlways;
  bool get = false;
};
struct KeyGet {
  std::string_view key;
};
struct KeysGet {
  std::vector<std::string_view> keys;
};
struct KeysDelete {
  std::vector<std::string_view> keys;
};
struct KeysExist {
  std::vector<std::string_view> keys;
};
struct KeyExpire {
  std::string_view key = {};
  int64_t after_ms = 0;
  bool in_seconds = false;  // As it was sent: EXPIRE rather than PEXPIRE.
};
struct KeyTimeLeft {
  std::string_view key;
  bool in_seconds = false;
};
struct KeyPersist {
  std::string_view key;
};
struct KeyAdd {
  std::string_view key = {};
  int64_t by = 1;
  bool down = false;  // DECR, DECRBY.
};
struct KeyScan {
  uint64_t cursor = 0;
  std::optional<std::string_view> pattern = {};
  std::optional<int64_t> count = {};
};
struct KeyCount {};
struct KeyType {
  std::string_view key;
};

// Seconds in milliseconds; what has no room in 64 bits becomes the largest or least number, which
// every limit refuses.
constexpr int64_t ms_of_seconds(int64_t seconds) {
  constexpr int64_t kMsMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMsMin = std::numeric_limits<int64_t>::min();
  if (seconds > kMsMax / 1'000) return kMsMax;
  return seconds < kMsMin / 1'000 ? kMsMin : seconds * 1'000;
}

}  // namespace core
