#include "config/size.h"

#include <array>
#include <charconv>
#include <limits>

#include "protocol/text.h"

namespace config {
namespace {

constexpr std::array<std::string_view, 5> kPrefixes = {"", "k", "m", "g", "t"};

// Returns by how many bits the unit moves a number to the left; -1 for what is no unit.
int shift_of(std::string_view unit) {
  for (size_t i = 0; i < kPrefixes.size(); ++i) {
    if (!unit.starts_with(kPrefixes[i])) continue;
    const std::string_view rest = unit.substr(kPrefixes[i].size());
    const bool is_unit = rest.empty() || rest == "b" || (i > 0 && rest == "ib");
    if (is_unit) return static_cast<int>(10 * i);
  }
  return -1;
}

}  // namespace

base::Result<int64_t> parse_size(std::string_view text) {
  constexpr auto kBad = base::ErrorCode::kBadReq;
  constexpr std::string_view kHow = "write it as 16384, 512KiB, 64MB or 4GiB";
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || number < 0) {
    return base::fail(kBad, "'{}' is no size: {}", text, kHow);
  }
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  const int shift = shift_of(protocol::lower_case(unit));
  if (shift < 0) return base::fail(kBad, "'{}' has an unknown unit: {}", text, kHow);
  if (number > std::numeric_limits<int64_t>::max() >> shift) {
    return base::fail(kBad, "'{}' is too large", text);
  }
  return number << shift;
}

std::string size_text(int64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes != 0 && bytes % 1'024 == 0 && unit + 1 < kUnits.size()) {
    bytes /= 1'024;
    ++unit;
  }
  return fmt::format("{}{}", bytes, kUnits[unit]);
}

}  // namespace config
