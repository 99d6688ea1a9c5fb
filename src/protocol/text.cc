#include "protocol/text.h"

#include <algorithm>
#include <array>

namespace protocol {
namespace {

constexpr size_t kWordMax = 32;

char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i] && lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

std::string printable(std::string_view bytes, size_t bytes_max) {
  std::string text(bytes.substr(0, bytes_max));
  for (char& byte : text) {
    if (byte < ' ' || byte > '~') byte = '?';
  }
  if (bytes.size() > bytes_max) text += "...";
  return text;
}

std::string lower_case(std::string_view word) {
  std::string text(word);
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return text;
}

size_t edit_distance(std::string_view left, std::string_view right) {
  left = left.substr(0, kWordMax);
  right = right.substr(0, kWordMax);
  using Row = std::array<size_t, kWordMax + 1>;
  Row two_above{};
  Row above{};
  Row row{};
  for (size_t j = 0; j <= right.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= left.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const bool same = lower(left[i - 1]) == lower(right[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(left[i - 1]) == lower(right[j - 2]) &&
                           lower(left[i - 2]) == lower(right[j - 1]);
      if (swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
    two_above = above;
    above = row;
  }
  return above[right.size()];
}

}  // namespace protocol
