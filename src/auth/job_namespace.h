// The names of namespaces, and which of them a token is for.
//
// Threading: none; free functions.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace auth {

// The namespace that is always there.
inline constexpr std::string_view kDefaultNamespace = "default";
// Of a token: all of them.
inline constexpr std::string_view kEveryNamespace = "*";
// A name is that of a directory as well.
inline constexpr size_t kNamespaceBytesMax = 64;

// Errors: BADREQ says what is wrong with the name.
base::Status check_namespace(std::string_view name);

}  // namespace auth
