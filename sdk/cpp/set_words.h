// The words of SET.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "dray/keys.h"

namespace dray::detail {

std::vector<std::string> set_words(std::string_view name, std::string_view value,
                                   const SetOptions& options);
// Whether setting it twice comes to the same.
bool may_be_repeated(const SetOptions& options);

}  // namespace dray::detail
