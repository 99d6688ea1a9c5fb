#include "base/base32.h"

#include <limits>

namespace base {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static_assert(kAlphabet.size() == 32);

using Wide = unsigned __int128;

constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> make_digits() {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    const char c = kAlphabet[i];
    digits[static_cast<uint8_t>(c)] = static_cast<uint8_t>(i);
    if (c >= 'A') digits[static_cast<uint8_t>(c - 'A' + 'a')] = static_cast<uint8_t>(i);
  }
  return digits;
}

constexpr std::array<uint8_t, 256> kDigits = make_digits();

template <size_t N>
Base32Text<N> encode(Wide value) {
  Base32Text<N> text{};
  for (size_t i = N; i > 0; --i) {
    text.characters[i - 1] = kAlphabet[static_cast<size_t>(value & 31U)];
    value >>= 5U;
  }
  return text;
}

// Returns the number if the text is N digits and the number is at most `most`.
template <size_t N>
std::optional<Wide> decode(std::string_view text, Wide most) {
  if (text.size() != N) return std::nullopt;
  Wide value = 0;
  for (const char c : text) {
    const uint8_t digit = kDigits[static_cast<uint8_t>(c)];
    // The bound is looked at before the shift, so nothing falls out at the top unseen.
    if (digit == kNoDigit || value > (most >> 5U)) return std::nullopt;
    value = (value << 5U) | digit;
  }
  return value;
}

}  // namespace

Base32Text<kBase32U64Length> base32_encode(uint64_t value) {
  return encode<kBase32U64Length>(value);
}

Base32Text<kBase32U128Length> base32_encode(Bits128 value) {
  return encode<kBase32U128Length>((Wide{value.high} << 64U) | value.low);
}

std::optional<uint64_t> base32_decode_u64(std::string_view text) {
  const auto value = decode<kBase32U64Length>(text, std::numeric_limits<uint64_t>::max());
  if (!value) return std::nullopt;
  return static_cast<uint64_t>(*value);
}

std::optional<Bits128> base32_decode_u128(std::string_view text) {
  const auto value = decode<kBase32U128Length>(text, ~Wide{0});
  if (!value) return std::nullopt;
  return Bits128{.high = static_cast<uint64_t>(*value >> 64U),
                 .low = static_cast<uint64_t>(*value)};
}

}  // namespace base
