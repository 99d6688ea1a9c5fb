// CRC-32C (Castagnoli): finds damaged bytes on disk. Not a secret, not a defence against intent.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace base {

// Returns the checksum of what `crc` covers followed by `bytes`; start with 0. So
// crc32c(b, crc32c(a)) is the checksum of a and b joined. Uses SSE 4.2 where the machine has it.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t crc = 0);

namespace detail {
// The two ways to compute it, apart, so that a test can hold them against each other.
uint32_t crc32c_table(std::span<const std::byte> bytes, uint32_t crc);
bool crc32c_has_hardware();
// Requires: crc32c_has_hardware().
uint32_t crc32c_hardware(std::span<const std::byte> bytes, uint32_t crc);
}  // namespace detail

}  // namespace base
