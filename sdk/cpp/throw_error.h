// Throws the class of Error that a code belongs to.
#pragma once
#include <string>
#include <string_view>

#include "dray/errors.h"

namespace dray::detail {

[[noreturn]] void throw_error(ErrorCode code, const std::string& message);
// With a word as the server sent it.
[[noreturn]] void throw_error(std::string_view word, const std::string& message);

}  // namespace dray::detail
