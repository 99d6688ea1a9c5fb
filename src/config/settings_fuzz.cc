// Any text as a file of settings, and each of its values as a value of each kind: an error, or
// settings with their places, whose values mean the same when they are read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "config/key.h"
#include "config/sources.h"
#include "config/value.h"

namespace {

constexpr config::Key kKeys[] = {
    {.kind = config::Kind::kText},
    {.kind = config::Kind::kPath},
    {.kind = config::Kind::kChoice, .choices = "files null"},
    {.kind = config::Kind::kAddress},
    {.kind = config::Kind::kSize},
    {.kind = config::Kind::kDuration, .takes_bare_seconds = true},
    {.kind = config::Kind::kCount},
    {.kind = config::Kind::kFlag},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // With letters beyond ASCII toml++ 3.3 has undefined behaviour of its own.
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x7f; })) {
    return 0;
  }
  const auto entries = config::parse_toml(text, "fuzzed.toml");
  if (!entries) {
    ASSERT(entries.error().code == base::ErrorCode::kBadReq);
    return 0;
  }
  for (const config::Entry& entry : *entries) {
    ASSERT(entry.where.starts_with("fuzzed.toml:"), "{}", entry.where);
    for (const config::Key& key : kKeys) {
      const auto value = config::read_value(key, entry.text);
      if (!value) continue;
      const auto again = config::read_value(key, value->text);
      ASSERT(again.has_value() && again->is_same(*value, key.kind), "{}", entry.text);
    }
  }
  return 0;
}
