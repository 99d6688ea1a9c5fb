#include "bench/load/json_line.h"

#include <cmath>
#include <cstdio>

namespace load {

void JsonLine::add_name(std::string_view name) {
  if (body_.size() > 1) body_.push_back(',');
  body_.append("\"").append(name).append("\":");
}

void JsonLine::add(std::string_view name, std::string_view value) {
  add_name(name);
  body_.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') body_.push_back('\\');
    // Control bytes occur only in a server's broken error text, where a space says enough.
    body_.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
  body_.push_back('"');
}

void JsonLine::add(std::string_view name, double value) {
  add_name(name);
  if (!std::isfinite(value)) {
    body_.append("null");
    return;
  }
  char digits[40];
  const int size = std::snprintf(digits, sizeof digits, "%.6g", value);
  body_.append(digits, static_cast<size_t>(size));
}

void JsonLine::add(std::string_view name, uint64_t value) {
  add_name(name);
  body_.append(std::to_string(value));
}

}  // namespace load
