// Small questions about words that came from a client.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace protocol {

// Compares ASCII letters without their case; all other bytes exactly.
bool equals_ignoring_case(std::string_view left, std::string_view right);

// A client's bytes for use in a message: cut after `bytes_max`, what is not printable ASCII
// replaced by '?'.
std::string printable(std::string_view bytes, size_t bytes_max = 64);

std::string lower_case(std::string_view word);

// The number of insertions, deletions, replacements and swaps of neighbours between two words,
// without regard to case. Words are cut to 32 bytes: it is for option names.
size_t edit_distance(std::string_view left, std::string_view right);

}  // namespace protocol
