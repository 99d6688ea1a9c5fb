#include "cli/calendar.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>

namespace cli {
namespace {

// Takes exactly `digits` digits from the front; nothing when they are not there.
std::optional<int> take_digits(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// "HH<colon>MM" within its bounds, as minutes.
std::optional<int> take_clock(std::string_view& text) {
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return *hours * 60 + *minutes;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// ":SS" and a fraction, as milliseconds. Finer parts are cut off.
std::optional<int> take_seconds(std::string_view& text) {
  if (!take(text, ":")) return std::nullopt;
  const auto seconds = take_digits(text, 2);
  if (!seconds || *seconds > 60) return std::nullopt;
  int fraction_ms = 0;
  if (take(text, ".")) {
    int scale = 100;
    if (text.empty() || text.front() < '0' || text.front() > '9') {
      return std::nullopt;
    }
    while (const auto digit = take_digits(text, 1)) {
      fraction_ms += *digit * scale;
      scale /= 10;
    }
  }
  return *seconds * 1'000 + fraction_ms;
}

// "Z" or "+01:00", as minutes east.
std::optional<int> take_zone(std::string_view& text) {
  if (take(text, "Zz")) return 0;
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto minutes = take_clock(text);
  if (!minutes) return std::nullopt;
  return west ? -*minutes : *minutes;
}

std::optional<base::WallTime> read_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, "Tt ")) return std::nullopt;
  const auto minutes = take_clock(text);
  if (!minutes) return std::nullopt;
  const auto seconds_ms = take_seconds(text);
  if (!seconds_ms) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  const int64_t days_ms = int64_t{date->time_since_epoch().count()} * 86'400'000;
  return base::WallTime{days_ms + int64_t{*minutes - *zone} * 60'000 + *seconds_ms};
}

}  // namespace

base::Result<base::WallTime> parse_time(std::string_view text) {
  int64_t ms = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (fault == std::errc{} && end == text.data() + text.size() && ms >= 0) {
    return base::WallTime{ms};
  }
  if (const auto time = read_rfc3339(text)) return *time;
  return base::fail(base::ErrorCode::kBadReq,
                    "'{}' is no time: write 2026-03-01T09:00:00+01:00, 2026-03-01T08:00:00Z, or "
                    "milliseconds since 1970",
                    text);
}

}  // namespace cli
