// A value of a key: read from text, the same way wherever the text came from.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/key.h"

namespace config {

struct Value {
  std::string text = {};  // As it was written; empty: none.
  int64_t number = 0;     // Bytes, milliseconds, a count, or 0 and 1.

  // Two spellings of the same thing are the same: 60s and 1m.
  bool is_same(const Value& other, Kind kind) const;
};

// Errors: BADREQ says what is wrong with the text and how to write it; not which key it was.
base::Result<Value> read_value(const Key& key, std::string_view text);

}  // namespace config
