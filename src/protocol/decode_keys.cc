// SET and its kin, SCAN. Numbers that are none are refused in Redis' words, which its clients know.
#include <array>

#include "protocol/decode_families.h"
#include "protocol/option_reader.h"

namespace protocol {
namespace {

enum class KeySetOption : uint8_t { kEx, kPx, kExAt, kPxAt, kKeepTtl, kNx, kXx, kGet };
constexpr std::array<std::string_view, 8> kKeySetOptions = {"EX",      "PX", "EXAT", "PXAT",
                                                            "KEEPTTL", "NX", "XX",   "GET"};
enum class ScanOption : uint8_t { kMatch, kCount };
constexpr std::array<std::string_view, 2> kScanOptions = {"MATCH", "COUNT"};

base::Result<int64_t> number_behind(Words& words, std::string_view option) {
  return read_number(TRY(words.value(option)));
}

base::Status read_key_set_option(KeySetOption option, Words& words, core::KeySet& set) {
  using Life = core::KeySet::Life;
  switch (option) {
    case KeySetOption::kEx:
    case KeySetOption::kPx:
      set.life = Life::kFor;
      set.life_ms = TRY(number_behind(words, kKeySetOptions[static_cast<size_t>(option)]));
      if (option == KeySetOption::kEx) set.life_ms = core::ms_of_seconds(set.life_ms);
      break;
    case KeySetOption::kExAt:
    case KeySetOption::kPxAt:
      set.life = Life::kUntil;
      set.life_ms = TRY(number_behind(words, kKeySetOptions[static_cast<size_t>(option)]));
      if (option == KeySetOption::kExAt) set.life_ms = core::ms_of_seconds(set.life_ms);
      break;
    case KeySetOption::kKeepTtl:
      set.life = Life::kKept;
      break;
    case KeySetOption::kNx:
      set.only = core::KeySet::Only::kAbsent;
      break;
    case KeySetOption::kXx:
      set.only = core::KeySet::Only::kPresent;
      break;
    case KeySetOption::kGet:
      set.get = true;
      break;
  }
  return {};
}

}  // namespace

base::Result<int64_t> read_number(std::string_view word) {
  const base::Result<int64_t> read = parse_integer("", word);
  if (read) return *read;
  return base::fail(base::ErrorCode::kErr, "value is not an integer or out of range");
}

base::Status read_key_set(Words& words, core::KeySet& set) {
  set.key = words.take();
  set.value = words.take();
  OptionReader options(kKeySetOptions);
  while (!words.empty()) {
    const auto option = static_cast<KeySetOption>(TRY(options.next(words)));
    TRY(read_key_set_option(option, words, set));
  }
  constexpr std::array kLives = {KeySetOption::kEx, KeySetOption::kPx, KeySetOption::kExAt,
                                 KeySetOption::kPxAt, KeySetOption::kKeepTtl};
  for (size_t i = 0; i < kLives.size(); ++i) {
    for (size_t j = 0; j < i; ++j) TRY(options.exclude(kLives[j], kLives[i]));
  }
  return options.exclude(KeySetOption::kNx, KeySetOption::kXx);
}

base::Status read_keys(Words& words, std::vector<std::string_view>& keys) {
  keys.reserve(words.left());
  while (!words.empty()) keys.push_back(words.take());
  return {};
}

base::Status read_key_expire(Words& words, core::KeyExpire& expire) {
  expire.key = words.take();
  const int64_t after = TRY(read_number(words.take()));
  expire.after_ms = expire.in_seconds ? core::ms_of_seconds(after) : after;
  return {};
}

base::Status read_key_add(Words& words, core::KeyAdd& add) {
  add.key = words.take();
  add.by = TRY(read_number(words.take()));
  return {};
}

base::Status read_key_scan(Words& words, core::KeyScan& scan) {
  const base::Result<uint64_t> cursor = parse_unsigned("", words.take());
  if (!cursor) return base::fail(base::ErrorCode::kErr, "invalid cursor");
  scan.cursor = *cursor;
  OptionReader options(kScanOptions);
  while (!words.empty()) {
    const auto option = static_cast<ScanOption>(TRY(options.next(words)));
    if (option == ScanOption::kMatch) scan.pattern = TRY(words.value("MATCH"));
    if (option == ScanOption::kCount) scan.count = TRY(number_behind(words, "COUNT"));
  }
  return {};
}

}  // namespace protocol
