#include "config/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace config {
namespace {

struct Unit {
  std::string_view name;
  int64_t ms;
};
// "ms" before "m", as the first that fits is taken.
constexpr std::array<Unit, 5> kUnits = {
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

base::ErrorCode bad() {
  return base::ErrorCode::kBadReq;
}

const Unit* unit_at(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) return &unit;
  }
  return nullptr;
}

}  // namespace

base::Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kHow = "write it as 250ms, 30s, 5m, 2h, 1d or 1h30m";
  if (text == "0") return std::chrono::milliseconds{0};
  std::string_view rest = text;
  int64_t total = 0;
  unsigned seen = 0;
  while (!rest.empty()) {
    int64_t number = 0;
    const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (fault != std::errc{} || rest.front() == '-') {
      return base::fail(bad(), "'{}' is no duration: {}", text, kHow);
    }
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const Unit* unit = unit_at(rest);
    if (unit == nullptr) return base::fail(bad(), "'{}' has no unit: {}", text, kHow);
    const unsigned bit = 1U << static_cast<unsigned>(unit - kUnits.data());
    if ((seen & bit) != 0) return base::fail(bad(), "'{}' names a unit twice: {}", text, kHow);
    seen |= bit;
    if (number > (std::numeric_limits<int64_t>::max() - total) / unit->ms) {
      return base::fail(bad(), "'{}' is too long", text);
    }
    total += number * unit->ms;
    rest.remove_prefix(unit->name.size());
  }
  if (text.empty()) return base::fail(bad(), "a duration is empty: {}", kHow);
  return std::chrono::milliseconds{total};
}

std::string duration_text(std::chrono::milliseconds duration) {
  const int64_t ms = duration.count();
  if (ms < 0) return "-" + duration_text(-duration);
  if (ms < 1'000) return fmt::format("{}ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f}s", static_cast<double>(ms) / 1e3);
  const int64_t minutes = ms / 60'000;
  if (minutes < 60) return fmt::format("{}m {}s", minutes, ms / 1'000 % 60);
  if (minutes < 24 * 60) return fmt::format("{}h {}m", minutes / 60, minutes % 60);
  return fmt::format("{}d {}h", minutes / (24 * 60), minutes / 60 % 24);
}

}  // namespace config
