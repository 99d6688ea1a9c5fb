#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/assert.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace base {
namespace {

// kTables[k][b] is the checksum state after byte b and k zero bytes: eight bytes in one step.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  constexpr uint32_t kPolynomialReflected = 0x82f63b78U;
  Tables tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t state = b;
    for (int bit = 0; bit < 8; ++bit) {
      state = (state >> 1U) ^ ((state & 1U) != 0 ? kPolynomialReflected : 0);
    }
    tables[0][b] = state;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t b = 0; b < 256; ++b) {
      const uint32_t state = tables[k - 1][b];
      tables[k][b] = (state >> 8U) ^ tables[0][state & 0xffU];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

uint64_t load_u64(const std::byte* from) {
  static_assert(std::endian::native == std::endian::little, "the step below reads low bytes first");
  uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

namespace detail {

uint32_t crc32c_table(std::span<const std::byte> bytes, uint32_t crc) {
  uint32_t state = ~crc;
  while (bytes.size() >= sizeof(uint64_t)) {
    const uint64_t word = load_u64(bytes.data()) ^ state;
    state = 0;
    for (size_t i = 0; i < sizeof word; ++i) state ^= kTables[7 - i][(word >> (8 * i)) & 0xffU];
    bytes = bytes.subspan(sizeof word);
  }
  for (const std::byte b : bytes) {
    state = (state >> 8U) ^ kTables[0][(state ^ static_cast<uint32_t>(b)) & 0xffU];
  }
  return ~state;
}

#if defined(__x86_64__)

bool crc32c_has_hardware() {
  static const bool kHas = __builtin_cpu_supports("sse4.2") != 0;
  return kHas;
}

__attribute__((target("sse4.2"))) uint32_t crc32c_hardware(std::span<const std::byte> bytes,
                                                           uint32_t crc) {
  uint64_t state = ~crc;
  while (bytes.size() >= sizeof(uint64_t)) {
    state = _mm_crc32_u64(state, load_u64(bytes.data()));
    bytes = bytes.subspan(sizeof(uint64_t));
  }
  auto tail = static_cast<uint32_t>(state);
  for (const std::byte b : bytes) tail = _mm_crc32_u8(tail, static_cast<uint8_t>(b));
  return ~tail;
}

#else

bool crc32c_has_hardware() {
  return false;
}

uint32_t crc32c_hardware(std::span<const std::byte> bytes, uint32_t crc) {
  ASSERT(crc32c_has_hardware());
  return crc32c_table(bytes, crc);
}

#endif

}  // namespace detail

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t crc) {
  if (detail::crc32c_has_hardware()) return detail::crc32c_hardware(bytes, crc);
  return detail::crc32c_table(bytes, crc);
}

}  // namespace base
