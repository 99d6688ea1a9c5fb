#include "cli/json_text.h"

#include <fmt/format.h>

namespace cli {

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
