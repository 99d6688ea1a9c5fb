#include "base/base32.h"

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

template <size_t N, typename Number>
Base32Text<N> encode(Number value) {
  Base32Text<N> text{};
  for (size_t i = N; i > 0; --i) {
    text.characters[i - 1] = kAlphabet[static_cast<size_t>(value & 31U)];
    value >>= 5U;
  }
  return text;
}

// Returns the number if the text is N digits and the number fits.
template <typename Number, size_t N>
std::optional<Number> decode(std::string_view text) {
  constexpr size_t kBits = 8 * sizeof(Number);
  static_assert(5 * N >= kBits && 5 * (N - 1) < kBits, "only the first digit could have too much");
  constexpr uint8_t kFirstMost = (1U << (kBits - 5 * (N - 1))) - 1;
  if (text.size() != N) return std::nullopt;
  const uint8_t first = kDigits[static_cast<uint8_t>(text[0])];
  if (first > kFirstMost) return std::nullopt;
  Number value = first;
  uint8_t seen = 0;  // All digits' bits: of no digit, there are more than 5.
  for (size_t i = 1; i < N; ++i) {
    const uint8_t digit = kDigits[static_cast<uint8_t>(text[i])];
    seen |= digit;
    value = (value << 5U) | (digit & 31U);
  }
  if (seen > 31U) return std::nullopt;
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
  return decode<uint64_t, kBase32U64Length>(text);
}

std::optional<Bits128> base32_decode_u128(std::string_view text) {
  const auto value = decode<Wide, kBase32U128Length>(text);
  if (!value) return std::nullopt;
  return Bits128{.high = static_cast<uint64_t>(*value >> 64U),
                 .low = static_cast<uint64_t>(*value)};
}

}  // namespace base
