// Whatever the bytes, a log line is one line, without control characters, and its text ends where
// its quotes do.
#include "base/log.h"

#include <array>

#include "base/assert.h"

namespace {

// Returns whether `text` is one quoted string and nothing behind it.
bool is_one_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"') return false;
  size_t i = 1;
  while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
  return i == text.size() - 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string json = base::log_text(base::LogFormat::kJson, input, {});
  ASSERT(is_one_string(std::string_view(json).substr(std::string_view("\"msg\":").size())));
  const std::array<base::LogField, 1> fields = {base::LogField("k", input)};
  for (const char c : base::log_text(base::LogFormat::kLogfmt, "m", fields) + json) {
    const auto byte = static_cast<uint8_t>(c);
    ASSERT(byte >= 0x20 && byte != 0x7f, "byte {}", byte);
  }
  return 0;
}
