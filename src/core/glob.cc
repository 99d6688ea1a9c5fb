#include "core/glob.h"

#include <algorithm>
#include <cstdint>

namespace core {
namespace {

// One element of a pattern against one byte.
struct Element {
  bool fits = false;
  size_t bytes = 1;  // Of the pattern.
};

bool in_range(char byte, char one, char other) {
  const auto code = [](char c) { return static_cast<uint8_t>(c); };
  const auto [low, high] = std::minmax({code(one), code(other)});
  return low <= code(byte) && code(byte) <= high;
}

// Behind the '['.
Element class_at(std::string_view pattern, char byte) {
  size_t at = 1;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    const size_t left = pattern.size() - at;
    if (pattern[at] == '\\' && left >= 2) {
      found = found || pattern[at + 1] == byte;
      at += 2;
    } else if (left >= 3 && pattern[at + 1] == '-') {
      found = found || in_range(byte, pattern[at], pattern[at + 2]);
      at += 3;
    } else {
      found = found || pattern[at] == byte;
      ++at;
    }
  }
  return {found != negated, std::min(at + 1, pattern.size())};
}

// Requires: the pattern does not begin with '*', and is not empty.
Element element_at(std::string_view pattern, char byte) {
  if (pattern[0] == '?') return {true, 1};
  if (pattern[0] == '[') return class_at(pattern, byte);
  if (pattern[0] == '\\' && pattern.size() >= 2) return {pattern[1] == byte, 2};
  return {pattern[0] == byte, 1};
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text, size_t& steps) {
  constexpr size_t kNone = std::string_view::npos;
  size_t p = 0;
  size_t t = 0;
  size_t star = kNone;  // The last one: what stands before it has found its part of the text.
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
      ++steps;
      continue;
    }
    const Element element = p < pattern.size() ? element_at(pattern.substr(p), text[t]) : Element{};
    steps += element.bytes;
    if (element.fits) {
      p += element.bytes;
      ++t;
    } else if (star != kNone) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace core
