// Any text as a file of tokens, and as a scope: an error, or tokens that stay the same when they
// are written and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "auth/token_file.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // With letters beyond ASCII toml++ 3.3 has undefined behaviour of its own.
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x7f; })) {
    return 0;
  }
  if (const auto scope = auth::parse_scope(text)) {
    const auto again = auth::parse_scope(auth::scope_text(*scope));
    ASSERT(again.has_value() && *again == *scope, "a scope that is read differently");
  }
  const auto tokens = auth::parse_tokens(text);
  if (!tokens) return 0;
  const std::string written = auth::format_tokens(*tokens);
  const auto again = auth::parse_tokens(written);
  ASSERT(again.has_value(), "what was written can't be read again");
  ASSERT(auth::format_tokens(*again) == written, "tokens that are read differently");
  return 0;
}
