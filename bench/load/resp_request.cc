#include "bench/load/resp_request.h"

#include <charconv>
#include <cstddef>

namespace load {
namespace {

void append_header(std::string& out, char type, size_t number) {
  char digits[24];
  const auto [end, code] = std::to_chars(digits, digits + sizeof digits, number);
  static_cast<void>(code);  // Any size_t fits.
  out.push_back(type);
  out.append(digits, static_cast<size_t>(end - digits));
  out.append("\r\n", 2);
}

}  // namespace

void append_bulk(std::string& out, std::string_view text) {
  append_header(out, '$', text.size());
  out.append(text);
  out.append("\r\n", 2);
}

void append_request(std::string& out, std::span<const std::string_view> words) {
  append_header(out, '*', words.size());
  for (const std::string_view word : words) append_bulk(out, word);
}

void append_request(std::string& out, std::initializer_list<std::string_view> words) {
  append_request(out, std::span<const std::string_view>(words.begin(), words.size()));
}

}  // namespace load
