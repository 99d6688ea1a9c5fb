// Crockford's base32: 5 bits a character, no I, L, O, U; sorts as the number does. Fixed widths
// only, because a text has to have one form: "0" and "00" would be two names for one job.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

// N characters, without an allocation.
template <size_t N>
struct Base32Text {
  std::array<char, N> characters;

  std::string_view view() const { return {characters.data(), N}; }
  std::string str() const { return std::string(view()); }
  friend bool operator==(const Base32Text&, const Base32Text&) = default;
};

// 128 bits, as lease tokens have them.
struct Bits128 {
  uint64_t high = 0;
  uint64_t low = 0;

  friend auto operator<=>(const Bits128&, const Bits128&) = default;
};

inline constexpr size_t kBase32U64Length = 13;   // 65 bits of room for 64.
inline constexpr size_t kBase32U128Length = 26;  // 130 bits of room for 128.

Base32Text<kBase32U64Length> base32_encode(uint64_t value);
Base32Text<kBase32U128Length> base32_encode(Bits128 value);

// Return the number; nothing unless the text has exactly the full length, only the 32 characters
// (either case, no look-alikes such as O for 0) and a number that fits.
std::optional<uint64_t> base32_decode_u64(std::string_view text);
std::optional<Bits128> base32_decode_u128(std::string_view text);

}  // namespace base
