// What decodes has one text only: its own, give or take the case.
#include "base/base32.h"

#include <algorithm>

#include "base/assert.h"

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto value = base::base32_decode_u64(text)) {
    ASSERT(base::base32_encode(*value).view() == upper(text), "value {}", *value);
  }
  if (const auto value = base::base32_decode_u128(text)) {
    ASSERT(base::base32_encode(*value).view() == upper(text), "{} {}", value->high, value->low);
  }
  return 0;
}
