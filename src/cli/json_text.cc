#include "cli/json_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstdint>
#include <iterator>

namespace cli {
namespace {

void append_base64(std::string_view bytes, std::string& out) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void append_json_text(std::string_view bytes, std::string& out) {
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) return append_quoted(bytes, out);
  out += "{\"base64\":\"";
  append_base64(bytes, out);
  out += "\"}";
}

// The depth of an answer is bounded by the SDK's parser.
// NOLINTNEXTLINE(misc-no-recursion)
void append_json(const dray::Value& value, std::string& out) {
  using Kind = dray::Value::Kind;
  const bool is_map = value.kind == Kind::kMap;
  switch (value.kind) {
    case Kind::kNil:
      out += "null";
      return;
    case Kind::kText:
      return append_json_text(value.text, out);
    case Kind::kError:
      out += "{\"error\":";
      append_json_text(value.text, out);
      out += '}';
      return;
    case Kind::kInteger:
      out += std::to_string(value.integer);
      return;
    case Kind::kDouble:
      out += fmt::format("{}", value.number);
      return;
    case Kind::kArray:
    case Kind::kMap:
      break;
  }
  out += is_map ? '{' : '[';
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) out += is_map && i % 2 == 1 ? ':' : ',';
    append_json(value.items[i], out);
  }
  out += is_map ? '}' : ']';
}

}  // namespace cli
