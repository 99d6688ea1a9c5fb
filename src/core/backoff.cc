#include "core/backoff.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/assert.h"
#include "core/limits.h"

namespace core {
namespace {

constexpr int64_t kSecond = limits::kSecondMs;

struct NamedKind {
  std::string_view name;
  BackoffKind kind;
  bool takes_base = false;
};

// The names as clients write them; the first of a kind is the one that is printed.
constexpr NamedKind kNamed[] = {
    {"sidekiq", BackoffKind::kSidekiq},
    {"faktory", BackoffKind::kFaktory},
    {"asynq", BackoffKind::kFaktory},
    {"river", BackoffKind::kRiver},
    {"oban", BackoffKind::kOban},
    {"bullmq-exp", BackoffKind::kBullmqExponential, true},
    {"bull-exp", BackoffKind::kBullExponential, true},
    {"celery", BackoffKind::kCelery, true},
    {"dramatiq", BackoffKind::kDramatiq},
    {"graphile", BackoffKind::kGraphile},
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

// base * factor^(attempt-1), never above `cap`, rounded down.
int64_t exponential(int64_t base_ms, double factor, uint32_t attempt, int64_t cap_ms) {
  const double delay = static_cast<double>(base_ms) * std::pow(factor, attempt - 1);
  if (!(delay < static_cast<double>(cap_ms))) return cap_ms;
  return static_cast<int64_t>(delay);
}

int64_t fourth_power_seconds(uint32_t number, int64_t plus_seconds) {
  const int64_t n = std::min<int64_t>(number, 10'000);  // Far above the longest duration.
  return std::min((n * n * n * n + plus_seconds) * kSecond, limits::kDurationMsMax);
}

DelayRange upward(int64_t delay_ms, int percent) {
  return {delay_ms, delay_ms + delay_ms * percent / 100};
}

DelayRange both_ways(int64_t delay_ms, int percent) {
  const int64_t part = delay_ms * percent / 100;
  return {delay_ms - part, delay_ms + part};
}

// A policy's delay without jitter, and the range that its own jitter makes of it.
struct Delay {
  int64_t exact_ms;
  DelayRange own;
};

// The formulae of the peers, from their sources. What they count from zero is `attempt` - 1.
Delay named_delay(const Backoff& policy, uint32_t attempt) {
  constexpr int64_t kDay = limits::kDayMs;
  const int64_t base = policy.base_ms;
  switch (policy.kind) {
    case BackoffKind::kSidekiq:
    case BackoffKind::kFaktory: {
      const int64_t delay = fourth_power_seconds(attempt - 1, 15);
      const int64_t spread = policy.kind == BackoffKind::kSidekiq ? 10 : 30;
      return {delay, {delay, delay + spread * attempt * kSecond}};
    }
    case BackoffKind::kRiver: {
      const int64_t delay = fourth_power_seconds(attempt, 0);
      return {delay, both_ways(delay, 10)};
    }
    case BackoffKind::kOban: {
      const int64_t delay = (15 + (int64_t{1} << std::min<uint32_t>(attempt, 10))) * kSecond;
      return {delay, both_ways(delay, 10)};
    }
    case BackoffKind::kBullmqExponential: {
      const int64_t delay = exponential(base, 2.0, attempt, limits::kDurationMsMax);
      return {delay, {delay, delay}};
    }
    case BackoffKind::kBullExponential: {
      const int64_t cap = limits::kDurationMsMax + base;
      const int64_t delay = exponential(base, 2.0, attempt + 1, cap) - base;
      return {delay, {delay, delay}};
    }
    case BackoffKind::kCelery: {
      const int64_t delay = exponential(base, 2.0, attempt, 600 * kSecond);
      return {delay, {std::min<int64_t>(delay, 1), delay}};  // Full jitter, but never at once.
    }
    case BackoffKind::kDramatiq: {
      const int64_t delay = exponential(15 * kSecond, 2.0, attempt, 7 * kDay);
      return {delay, {delay / 2, delay}};
    }
    case BackoffKind::kGraphile: {
      const double seconds = std::exp(std::min<uint32_t>(attempt, 10));
      const auto delay = static_cast<int64_t>(seconds * 1000.0);
      return {delay, {delay, delay}};
    }
    default:
      break;
  }
  ASSERT(false, "a kind without a formula");
  return {};
}

Delay delay_of(const Backoff& policy, uint32_t attempt) {
  constexpr int kJitterPercentDefault = 10;
  const auto plain = [](int64_t delay_ms) {
    const int64_t cut = std::min(delay_ms, limits::kDurationMsMax);
    return Delay{cut, upward(cut, kJitterPercentDefault)};
  };
  switch (policy.kind) {
    case BackoffKind::kFixed:
      return plain(policy.base_ms);
    case BackoffKind::kLinear:
      return plain(std::min(policy.base_ms * attempt, policy.cap_ms));
    case BackoffKind::kExponential:
      return plain(
          exponential(policy.base_ms, policy.factor_milli / 1000.0, attempt, policy.cap_ms));
    case BackoffKind::kList: {
      const size_t index = std::min<size_t>(attempt, policy.list_ms.size()) - 1;
      return plain(policy.list_ms[index]);
    }
    default:
      return named_delay(policy, attempt);
  }
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
    if (!has_args) return policy;
    if (!named.takes_base) return tl::unexpected(bad(spec, "this name takes no number"));
    if (!parse_number(body.substr(colon + 1), 0, limits::kDurationMsMax, policy.base_ms)) {
      return tl::unexpected(bad(spec, "milliseconds, up to ten years, stand behind the colon"));
    }
    return policy;
  }
  if (!has_args) {
    return tl::unexpected(
        bad(spec,
            "give fixed:MS, linear:MS[,CAP], exponential:MS[,FACTOR[,CAP]], list:MS,MS or a name"));
  }
  const std::vector<std::string_view> parts = split(body.substr(colon + 1));
  const auto number = [&](size_t index, int64_t& value) {
    return parse_number(parts[index], 0, limits::kDurationMsMax, value);
  };
  const auto wrong = [&] { return tl::unexpected(bad(spec, "not the numbers this kind takes")); };
  if (kind == "fixed") {
    policy.kind = BackoffKind::kFixed;
    if (parts.size() != 1 || !number(0, policy.base_ms)) return wrong();
  } else if (kind == "linear") {
    policy.kind = BackoffKind::kLinear;
    if (parts.size() > 2 || !number(0, policy.base_ms)) return wrong();
    policy.cap_ms = std::max(limits::kHourMs, policy.base_ms);
    if (parts.size() == 2 && !number(1, policy.cap_ms)) return wrong();
  } else if (kind == "exponential") {
    policy.kind = BackoffKind::kExponential;
    if (parts.size() > 3 || !number(0, policy.base_ms)) return wrong();
    policy.cap_ms = std::max(limits::kHourMs, policy.base_ms);
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
        text = named.name;
        if (named.takes_base) text += ":" + std::to_string(policy.base_ms);
        break;
      }
  }
  if (policy.jitter_percent != kJitterOfKind) text += "~" + std::to_string(policy.jitter_percent);
  return text;
}

DelayRange retry_delay(const Backoff& policy, uint32_t attempt) {
  ASSERT(attempt >= 1);
  const Delay delay = delay_of(policy, attempt);
  if (policy.jitter_percent == kJitterOfKind) return delay.own;
  return upward(delay.exact_ms, policy.jitter_percent);
}

DelayRange crash_delay(const Backoff& policy, uint32_t attempt, uint32_t crash) {
  ASSERT(crash >= 1);
  const int64_t delay = crash == 1 ? limits::kCrashDelayMs : delay_of(policy, attempt).exact_ms;
  return upward(delay, limits::kCrashJitterPercent);
}

int64_t pick(const DelayRange& range, base::Random& random) {
  ASSERT(range.low_ms <= range.high_ms, "low {} high {}", range.low_ms, range.high_ms);
  const auto width = static_cast<uint64_t>(range.high_ms - range.low_ms);
  return range.low_ms + static_cast<int64_t>(random.below(width + 1));
}

}  // namespace core
