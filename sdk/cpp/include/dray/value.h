// An answer of the server as it came, for commands that the SDK has no method for.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dray {

// Threading: a plain value.
struct Value {
  enum class Kind : uint8_t { kNil, kText, kError, kInteger, kDouble, kArray, kMap };

  Kind kind = Kind::kNil;
  int64_t integer = 0;
  double number = 0;
  std::string text = {};          // Of kError: the code's word and the message.
  std::vector<Value> items = {};  // Of kMap: field, value, field, value, …

  // Returns the value of a field of a record; null when it is absent.
  const Value* find(std::string_view field) const;
  // Return a field's value, or what it is when absent or of another kind.
  std::string text_of(std::string_view field) const;
  int64_t integer_of(std::string_view field, int64_t otherwise = 0) const;
};

}  // namespace dray
