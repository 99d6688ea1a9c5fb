// Patterns as Redis has them: `*`, `?`, `[abc]`, `[^abc]`, ranges `[a-c]` in either order, `\`
// before a byte taken as it is. A class that is not closed ends with the pattern.
#pragma once

#include <cstddef>
#include <string_view>

namespace core {

// Whether the pattern fits the whole text. No recursion: at most the product of their lengths in
// steps, which are added to `steps`.
bool glob_matches(std::string_view pattern, std::string_view text, size_t& steps);

}  // namespace core
