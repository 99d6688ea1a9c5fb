#include "store/fault_plan.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace store {
namespace {

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return {};
  return value;
}

std::optional<FaultKind> kind_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, FaultKind>, 4> kNames{{
      {"EIO", FaultKind::kIoError},
      {"ENOSPC", FaultKind::kNoSpace},
      {"EINTR", FaultKind::kInterrupted},
      {"short", FaultKind::kShortWrite},
  }};
  for (const auto& [name, kind] : kNames) {
    if (name == text) return kind;
  }
  return {};
}

// Reads "57:EIO" or "57+:EIO".
bool parse_failure(std::string_view text, FaultPlan& plan) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view call = text.substr(0, colon);
  plan.fail_sticky = call.ends_with('+');
  if (plan.fail_sticky) call.remove_suffix(1);
  const auto number = number_of(call);
  const auto kind = kind_of(text.substr(colon + 1));
  if (!number.has_value() || !kind.has_value()) return false;
  plan.fail_at = *number;
  plan.fail_kind = *kind;
  return true;
}

bool parse_part(std::string_view part, FaultPlan& plan) {
  const size_t equals = part.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = part.substr(0, equals);
  const std::string_view value = part.substr(equals + 1);
  if (key == "fail") return parse_failure(value, plan);
  uint64_t* const target = key == "cut"    ? &plan.cut_at
                           : key == "disk" ? &plan.disk_bytes
                           : key == "seed" ? &plan.seed
                                           : nullptr;
  const auto number = number_of(value);
  if (target == nullptr || !number.has_value()) return false;
  *target = *number;
  return true;
}

}  // namespace

base::Result<FaultPlan> parse_fault_plan(std::string_view text) {
  FaultPlan plan;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    if (!parse_part(part, plan)) {
      return base::fail(base::ErrorCode::kBadReq,
                        "faults: '{}' is none of cut=n, fail=n:kind, disk=bytes, seed=n", part);
    }
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  return plan;
}

}  // namespace store
