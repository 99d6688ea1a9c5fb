// What a push, and a change of a job, may say of how it runs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/backoff.h"

namespace core {

struct JobOptions {
  std::optional<int64_t> delay_ms;
  std::optional<int64_t> at_ms;  // Unix milliseconds.
  std::optional<int64_t> attempts;
  std::optional<int64_t> crashes;
  std::optional<int64_t> timeout_ms;
  std::optional<int64_t> soft_timeout_ms;
  std::optional<int64_t> lease_ms;
  std::optional<int64_t> expire_ms;
  std::optional<int64_t> keep_ms;
  std::optional<Backoff> backoff;
};

// Those that are numbers. In the order in which they are stored; a new one goes to the end.
struct NumberOption {
  std::string_view name;
  std::optional<int64_t> JobOptions::*field;
};
inline constexpr std::array<NumberOption, 9> kNumberOptions = {{
    {"DELAY", &JobOptions::delay_ms},
    {"AT", &JobOptions::at_ms},
    {"ATTEMPTS", &JobOptions::attempts},
    {"TIMEOUT", &JobOptions::timeout_ms},
    {"SOFTTIMEOUT", &JobOptions::soft_timeout_ms},
    {"LEASE", &JobOptions::lease_ms},
    {"EXPIRE", &JobOptions::expire_ms},
    {"CRASHES", &JobOptions::crashes},
    {"KEEP", &JobOptions::keep_ms},
}};

// What JOB.EDIT changes, of one job or of those that a query picks. It has its own texts, since an
// operation outlives the request.
struct JobChanges {
  std::optional<std::string> queue = {};
  std::optional<std::string> type = {};
  std::optional<std::string> args = {};
  std::optional<int64_t> priority = {};
  JobOptions options = {};

  bool empty() const;
};

// "QUEUE bulk PRIORITY 9 ARGS": as it was sent, but for the args themselves.
std::string changes_text(const JobChanges& changes);

}  // namespace core
