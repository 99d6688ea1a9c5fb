#include "model/backoff.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace model {
namespace {

constexpr int64_t kSecondMs = 1'000;
constexpr size_t kListEntriesMax = 64;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text) {
    if (c == separator) {
      parts.push_back(part);
      part.clear();
    } else {
      part += c;
    }
  }
  parts.push_back(part);
  return parts;
}

bool all_digits(const std::string& text) {
  return !text.empty() && text.size() <= 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<int64_t> parse_number(const std::string& text, int64_t max) {
  if (!all_digits(text)) return std::nullopt;
  const int64_t value = std::stoll(text);
  if (value > max) return std::nullopt;
  return value;
}

// "2", "1.5", "1.125": thousandths of it.
std::optional<int64_t> parse_factor(const std::string& text) {
  const std::vector<std::string> parts = split(text, '.');
  if (parts.size() > 2) return std::nullopt;
  const std::optional<int64_t> whole = parse_number(parts[0], 1'000);
  if (!whole) return std::nullopt;
  int64_t milli = *whole * 1'000;
  if (parts.size() == 2) {
    std::string fraction = parts[1];
    if (!all_digits(fraction) || fraction.size() > 3) return std::nullopt;
    fraction.append(3 - fraction.size(), '0');
    milli += std::stoll(fraction);
  }
  if (milli < 1'000 || milli > 1'000'000) return std::nullopt;
  return milli;
}

// Bounds of how many numbers stand behind the colon; both 0: no colon allowed.
struct Arity {
  size_t min = 0;
  size_t max = 0;
};

std::optional<Arity> arity_of(const std::string& name) {
  if (name == "fixed") return Arity{1, 1};
  if (name == "linear") return Arity{1, 2};
  if (name == "exponential") return Arity{1, 3};
  if (name == "list") return Arity{1, kListEntriesMax};
  if (name == "bullmq-exp" || name == "bull-exp" || name == "celery") return Arity{0, 1};
  static const std::set<std::string> kBare = {"sidekiq", "faktory",  "asynq",   "river",
                                              "oban",    "dramatiq", "graphile"};
  if (kBare.count(name) > 0) return Arity{0, 0};
  return std::nullopt;
}

// value * 2^power, not above `cap`.
int64_t doubled(int64_t value, int64_t power, int64_t cap) {
  for (int64_t i = 0; i < power && value < cap && value > 0; ++i) value *= 2;
  return std::min(value, cap);
}

int64_t fourth_power(int64_t n) {
  return n * n * n * n;
}

struct Base {
  Range value;                  // Without jitter; one number, but for fractional factors and e^n.
  Range own;                    // With the spec's own jitter.
  bool has_percentage = false;  // The four plain specs: own jitter is 10 %.
};

Base exact(int64_t value, int64_t own_low, int64_t own_high) {
  return Base{{value, value}, {own_low, own_high}, false};
}

Base exponential_base(const Backoff& backoff, int64_t attempt) {
  const int64_t ms = backoff.numbers_ms[0];
  const int64_t cap = backoff.numbers_ms.size() > 1 ? backoff.numbers_ms[1] : std::max(kHourMs, ms);
  if (backoff.factor_milli % 1'000 == 0) {
    int64_t value = ms;
    for (int64_t i = 1; i < attempt && value < cap && value > 0; ++i) {
      value *= backoff.factor_milli / 1'000;
    }
    return Base{{std::min(value, cap), std::min(value, cap)}, {}, true};
  }
  // A fraction: real arithmetic, so the last millisecond is left open.
  const long double factor = static_cast<long double>(backoff.factor_milli) / 1'000.0L;
  const long double real =
      static_cast<long double>(ms) * std::pow(factor, static_cast<long double>(attempt - 1));
  if (real >= static_cast<long double>(cap)) return Base{{cap, cap}, {}, true};
  const auto value = static_cast<int64_t>(real);
  return Base{{std::max<int64_t>(0, value - 1), value + 1}, {}, true};
}

Base plain_base(const Backoff& backoff, int64_t attempt) {
  const std::vector<int64_t>& numbers = backoff.numbers_ms;
  if (backoff.name == "exponential") return exponential_base(backoff, attempt);
  int64_t value = numbers[0];
  if (backoff.name == "linear") {
    const int64_t cap = numbers.size() > 1 ? numbers[1] : std::max(kHourMs, numbers[0]);
    value = std::min(numbers[0] * attempt, cap);
  } else if (backoff.name == "list") {
    value = numbers[std::min(numbers.size(), static_cast<size_t>(attempt)) - 1];
  }
  return Base{{value, value}, {}, true};
}

Base named_base(const Backoff& backoff, int64_t attempt) {
  const std::string& name = backoff.name;
  const int64_t count = attempt - 1;
  const int64_t ms = backoff.numbers_ms.empty() ? kSecondMs : backoff.numbers_ms[0];
  if (name == "sidekiq" || name == "faktory" || name == "asynq") {
    const int64_t value = std::min((fourth_power(count) + 15) * kSecondMs, kDurationMsMax);
    const int64_t spread = (name == "sidekiq" ? 10 : 30) * (count + 1) * kSecondMs;
    return exact(value, value, value + spread);
  }
  if (name == "river" || name == "oban") {
    const int64_t seconds = name == "river" ? fourth_power(attempt)
                                            : 15 + doubled(1, std::min<int64_t>(attempt, 10), 1024);
    const int64_t value = std::min(seconds * kSecondMs, kDurationMsMax);
    return exact(value, value - value / 10, value + value / 10);
  }
  if (name == "bullmq-exp") {
    const int64_t value = doubled(ms, count, kDurationMsMax);
    return exact(value, value, value);
  }
  if (name == "bull-exp") {
    // MS * (2^a - 1), cut at the end.
    const int64_t power = doubled(1, attempt, kDurationMsMax + 1);
    const __int128 product = static_cast<__int128>(ms) * (power - 1);
    const int64_t value = product > kDurationMsMax ? kDurationMsMax : static_cast<int64_t>(product);
    return exact(value, value, value);
  }
  if (name == "celery") {
    const int64_t value = doubled(ms, count, 600 * kSecondMs);
    return exact(value, std::min<int64_t>(1, value), value);
  }
  if (name == "dramatiq") {
    const int64_t value = doubled(15 * kSecondMs, count, 7 * 24 * kHourMs);
    return exact(value, value / 2, value);
  }
  // graphile
  const auto power = static_cast<double>(std::min<int64_t>(attempt, 10));
  const auto value = static_cast<int64_t>(std::exp(power) * 1'000.0);
  return Base{{value - 1, value + 1}, {value - 1, value + 1}, false};
}

Base base_of(const Backoff& backoff, int64_t attempt) {
  const bool plain = backoff.name == "fixed" || backoff.name == "linear" ||
                     backoff.name == "exponential" || backoff.name == "list";
  Base base = plain ? plain_base(backoff, attempt) : named_base(backoff, attempt);
  base.value.low = std::min(base.value.low, kDurationMsMax);
  base.value.high = std::min(base.value.high, kDurationMsMax);
  return base;
}

Range with_percent(Range value, int64_t percent) {
  Range range{value.low, value.high + value.high * percent / 100};
  if (range.low == 0 && range.high > 0) range.low = 1;
  return range;
}

}  // namespace

std::optional<Backoff> parse_backoff(const std::string& spec) {
  Backoff backoff;
  std::string body = spec;
  const size_t tilde = body.find('~');
  if (tilde != std::string::npos) {
    backoff.jitter_pc = parse_number(body.substr(tilde + 1), 100);
    if (!backoff.jitter_pc) return std::nullopt;
    body.resize(tilde);
  }
  const size_t colon = body.find(':');
  backoff.name = body.substr(0, colon);
  const std::optional<Arity> arity = arity_of(backoff.name);
  if (!arity) return std::nullopt;
  std::vector<std::string> parts;
  if (colon != std::string::npos) parts = split(body.substr(colon + 1), ',');
  if (parts.size() < arity->min || parts.size() > arity->max) return std::nullopt;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (backoff.name == "exponential" && i == 1) {
      const std::optional<int64_t> factor = parse_factor(parts[i]);
      if (!factor) return std::nullopt;
      backoff.factor_milli = *factor;
      continue;
    }
    const std::optional<int64_t> number = parse_number(parts[i], kDurationMsMax);
    if (!number) return std::nullopt;
    backoff.numbers_ms.push_back(*number);
  }
  return backoff;
}

Range backoff_delay(const Backoff& backoff, int64_t attempt) {
  const Base base = base_of(backoff, std::max<int64_t>(1, attempt));
  if (backoff.jitter_pc) return with_percent(base.value, *backoff.jitter_pc);
  return base.has_percentage ? with_percent(base.value, 10) : base.own;
}

Range crash_delay(const Backoff& backoff, int64_t attempt, int64_t crashes) {
  constexpr int64_t kCrashJitterPercent = 50;
  if (crashes <= 1) return with_percent({kSecondMs, kSecondMs}, kCrashJitterPercent);
  return with_percent(base_of(backoff, std::max<int64_t>(1, attempt)).value, kCrashJitterPercent);
}

}  // namespace model
