#include "core/backoff.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "core/limits.h"

namespace core {
namespace {

constexpr int64_t kSecond = limits::kSecondMs;
constexpr int64_t kWeekMs = 7 * limits::kDayMs;

struct NamedKind {
  std::string_view name;
  BackoffKind kind;
};

// The names as clients write them; the first of a kind is the one that is printed.
constexpr NamedKind kNamed[] = {
    {"sidekiq", BackoffKind::kSidekiq},
    {"faktory", BackoffKind::kFaktory},
    {"asynq", BackoffKind::kFaktory},
    {"river", BackoffKind::kRiver},
    {"oban", BackoffKind::kOban},
    {"bullmq-exp", BackoffKind::kBullmqExponential},
    {"bull-exp", BackoffKind::kBullExponential},
    {"celery", BackoffKind::kCelery},
    {"dramatiq", BackoffKind::kDramatiq},
    {"graphile", BackoffKind::kGraphile},
    {"seed", BackoffKind::kSeed},
};

base::Error bad(std::string_view spec, std::string_view what) {
  std::string message = "field=BACKOFF '";
  message.append(spec.substr(0, 64));
  message += "': ";
  message += what;
  return base::Error{base::ErrorCode::kBadReq, std::move(message)};
}

bool parse_number(std::string_view text, int64_t low, int64_t high, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= low && value <= high;
}

// "2", "1.5", "2.125": thousandths, from 1 to the limit.
bool parse_factor(std::string_view text, uint32_t& factor_milli) {
  const size_t dot = text.find('.');
  int64_t whole = 0;
  if (!parse_number(text.substr(0, dot), 0, limits::kBackoffFactorMilliMax / 1000, whole)) {
    return false;
  }
  int64_t milli = 0;
  if (dot != std::string_view::npos) {
    std::string digits(text.substr(dot + 1));
    if (digits.empty() || digits.size() > 3) return false;
    digits.resize(3, '0');
    if (!parse_number(digits, 0, 999, milli)) return false;
  }
  const int64_t all = whole * 1000 + milli;
  if (all < 1000 || all > limits::kBackoffFactorMilliMax) return false;
  factor_milli = static_cast<uint32_t>(all);
  return true;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

// base * factor^(attempt-1), never above `cap`; exact in integers where it can be.
int64_t exponential(int64_t base_ms, double factor, uint32_t attempt, int64_t cap_ms) {
  const double delay = static_cast<double>(base_ms) * std::pow(factor, attempt - 1);
  if (!(delay < static_cast<double>(cap_ms))) return cap_ms;
  return static_cast<int64_t>(std::llround(delay));
}

// n^4 + 15 seconds, and up to `spread` seconds for each (n + 1): how Sidekiq and Faktory retry.
DelayRange quartic(uint32_t retries, int64_t spread) {
  const int64_t n = std::min<int64_t>(retries, 10'000);
  const int64_t low = std::min((n * n * n * n + 15) * kSecond, limits::kDurationMsMax / 2);
  const int64_t high = low + (spread - 1) * (n + 1) * kSecond;
  return {low, high};
}

DelayRange named_delay(const Backoff& policy, uint32_t attempt) {
  const uint32_t retries = attempt - 1;  // What peers count from zero.
  const int64_t base = policy.base_ms;
  switch (policy.kind) {
    case BackoffKind::kSidekiq:
      return quartic(retries, 10);
    case BackoffKind::kFaktory:
      return quartic(retries, 30);
    case BackoffKind::kRiver: {
      const int64_t n = std::min<int64_t>(attempt, 10'000);
      const int64_t delay = std::min(n * n * n * n * kSecond, limits::kDurationMsMax / 2);
      return {delay - delay / 10, delay + delay / 10};
    }
    case BackoffKind::kOban: {
      const int64_t delay = (15 + (int64_t{1} << std::min<uint32_t>(attempt, 10))) * kSecond;
      return {delay, delay + delay / 10};
    }
    case BackoffKind::kBullmqExponential: {
      const int64_t delay = exponential(base, 2.0, attempt, policy.cap_ms);
      return {delay, delay};
    }
    case BackoffKind::kBullExponential: {
      const int64_t full = exponential(base, 2.0, attempt + 1, policy.cap_ms + base);
      return {full - base, full - base};
    }
    case BackoffKind::kCelery:
      return {0, exponential(kSecond, 2.0, attempt, 600 * kSecond)};
    case BackoffKind::kDramatiq: {
      const int64_t delay = exponential(15 * kSecond, 2.0, attempt, kWeekMs);
      return {delay, delay};
    }
    case BackoffKind::kGraphile: {
      const double seconds = std::exp(std::min<uint32_t>(attempt, 10));
      const auto delay = static_cast<int64_t>(std::llround(seconds * 1000.0));
      return {delay, delay};
    }
    case BackoffKind::kSeed: {
      const int64_t delay = exponential(60 * kSecond, 2.0, attempt, limits::kHourMs);
      return {delay, delay + delay / 10};
    }
    default:
      break;
  }
  ASSERT(false, "a kind without a formula");
  return {};
}

DelayRange with_jitter(int64_t delay_ms, int percent) {
  return {delay_ms, delay_ms + delay_ms * percent / 100};
}

}  // namespace

base::Result<Backoff> parse_backoff(std::string_view spec) {
  Backoff policy;
  std::string_view body = spec;
  if (const size_t tilde = spec.find('~'); tilde != std::string_view::npos) {
    int64_t percent = 0;
    if (!parse_number(spec.substr(tilde + 1), 0, 100, percent)) {
      return tl::unexpected(bad(spec, "the jitter behind ~ is a percentage from 0 to 100"));
    }
    policy.jitter_percent = static_cast<int16_t>(percent);
    body = spec.substr(0, tilde);
  }
  const size_t colon = body.find(':');
  const std::string_view kind = body.substr(0, colon);
  const bool has_args = colon != std::string_view::npos;
  for (const NamedKind& named : kNamed) {
    if (kind != named.name) continue;
    policy.kind = named.kind;
    policy.cap_ms = limits::kDurationMsMax / 2;
    if (has_args && !parse_number(body.substr(colon + 1), 0, kWeekMs, policy.base_ms)) {
      return tl::unexpected(bad(spec, "milliseconds from 0 to a week stand behind the colon"));
    }
    return policy;
  }
  if (!has_args) {
    return tl::unexpected(bad(
        spec, "give fixed:MS, linear:MS[,CAP], exponential:MS[,FACTOR[,CAP]], list:MS,MS or a name"));
  }
  const std::vector<std::string_view> parts = split(body.substr(colon + 1));
  const auto number = [&](size_t index, int64_t& value) {
    return parse_number(parts[index], 0, limits::kDurationMsMax / 1000, value);
  };
  const auto wrong = [&] { return tl::unexpected(bad(spec, "not the numbers this kind takes")); };
  policy.cap_ms = limits::kHourMs;
  if (kind == "fixed") {
    policy.kind = BackoffKind::kFixed;
    if (parts.size() != 1 || !number(0, policy.base_ms)) return wrong();
    policy.cap_ms = policy.base_ms;
  } else if (kind == "linear") {
    policy.kind = BackoffKind::kLinear;
    if (parts.size() > 2 || !number(0, policy.base_ms)) return wrong();
    if (parts.size() == 2 && !number(1, policy.cap_ms)) return wrong();
  } else if (kind == "exponential") {
    policy.kind = BackoffKind::kExponential;
    if (parts.size() > 3 || !number(0, policy.base_ms)) return wrong();
    if (parts.size() >= 2 && !parse_factor(parts[1], policy.factor_milli)) return wrong();
    if (parts.size() == 3 && !number(2, policy.cap_ms)) return wrong();
  } else if (kind == "list") {
    policy.kind = BackoffKind::kList;
    if (parts.size() > limits::kBackoffListMax) return wrong();
    policy.list_ms.resize(parts.size());
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!number(i, policy.list_ms[i])) return wrong();
    }
  } else {
    return tl::unexpected(bad(spec, "no such kind"));
  }
  return policy;
}

std::string backoff_text(const Backoff& policy) {
  std::string text;
  switch (policy.kind) {
    case BackoffKind::kFixed:
      text = "fixed:" + std::to_string(policy.base_ms);
      break;
    case BackoffKind::kLinear:
      text = "linear:" + std::to_string(policy.base_ms) + "," + std::to_string(policy.cap_ms);
      break;
    case BackoffKind::kExponential: {
      text = "exponential:" + std::to_string(policy.base_ms) + ",";
      text += std::to_string(policy.factor_milli / 1000);
      if (const uint32_t milli = policy.factor_milli % 1000; milli != 0) {
        text += "." + std::to_string(1000 + milli).substr(1);
      }
      text += "," + std::to_string(policy.cap_ms);
      break;
    }
    case BackoffKind::kList:
      text = "list:";
      for (const int64_t delay : policy.list_ms) text += std::to_string(delay) + ",";
      text.pop_back();
      break;
    default:
      for (const NamedKind& named : kNamed) {
        if (named.kind != policy.kind) continue;
        text = std::string(named.name) + ":" + std::to_string(policy.base_ms);
        break;
      }
  }
  if (policy.jitter_percent != kJitterOfKind) text += "~" + std::to_string(policy.jitter_percent);
  return text;
}

DelayRange retry_delay(const Backoff& policy, uint32_t attempt) {
  ASSERT(attempt >= 1);
  constexpr int kJitterDefault = 10;
  const bool own = policy.jitter_percent == kJitterOfKind;
  const int percent = own ? kJitterDefault : policy.jitter_percent;
  switch (policy.kind) {
    case BackoffKind::kFixed:
      return with_jitter(policy.base_ms, percent);
    case BackoffKind::kLinear: {
      const int64_t steps = std::min<int64_t>(attempt, 1'000);
      return with_jitter(std::min(policy.base_ms * steps, policy.cap_ms), percent);
    }
    case BackoffKind::kExponential: {
      const double factor = policy.factor_milli / 1000.0;
      return with_jitter(exponential(policy.base_ms, factor, attempt, policy.cap_ms), percent);
    }
    case BackoffKind::kList: {
      const size_t index = std::min<size_t>(attempt, policy.list_ms.size()) - 1;
      return with_jitter(policy.list_ms[index], percent);
    }
    default: {
      const DelayRange range = named_delay(policy, attempt);
      return own ? range : with_jitter(range.low_ms, percent);
    }
  }
}

DelayRange crash_delay(const Backoff& policy, uint32_t attempt, uint32_t crash) {
  ASSERT(crash >= 1);
  const int64_t delay =
      crash == 1 ? limits::kCrashDelayMs : retry_delay(policy, attempt).low_ms;
  return with_jitter(delay, limits::kCrashJitterPercent);
}

int64_t pick(const DelayRange& range, base::Random& random) {
  ASSERT(range.low_ms <= range.high_ms, "low {} high {}", range.low_ms, range.high_ms);
  const auto width = static_cast<uint64_t>(range.high_ms - range.low_ms);
  return range.low_ms + static_cast<int64_t>(random.below(width + 1));
}

}  // namespace core
