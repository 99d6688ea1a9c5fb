#include "core/rights.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace core {
namespace {

constexpr std::array<std::string_view, kRightCount> kNames = {"enqueue", "work", "read", "admin"};
constexpr RightSet kAll = (1U << kRightCount) - 1;

}  // namespace

std::string_view right_name(Right right) {
  const auto index = static_cast<size_t>(right);
  ASSERT(index < kNames.size(), "right {}", index);
  return kNames[index];
}

void Rights::grant(Right right, std::string_view name, bool is_prefix) {
  const RightSet rights = right == Right::kAdmin ? kAll : set_of(right);
  grants_.push_back({rights, is_prefix, std::string(name)});
}

bool Rights::allow(RightSet need, std::string_view name) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    if ((grant.rights & need) == 0) return false;
    return grant.is_prefix ? name.starts_with(grant.name) : name == grant.name;
  });
}

bool Rights::allow_some(RightSet need) const {
  return std::ranges::any_of(grants_,
                             [&](const Grant& grant) { return (grant.rights & need) != 0; });
}

bool Rights::allow_all(RightSet need) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    return (grant.rights & need) != 0 && grant.is_prefix && grant.name.empty();
  });
}

}  // namespace core
