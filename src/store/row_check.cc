#include "store/row_check.h"

#include <array>
#include <span>

#include "base/crc32c.h"

namespace store {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

template <size_t N>
uint32_t check_of(const std::array<uint64_t, N>& numbers) {
  return base::crc32c(std::as_bytes(std::span(numbers)));
}

}  // namespace

uint32_t args_check(core::JobId id, std::string_view args) {
  return base::crc32c(bytes_of(args), check_of(std::array{id.value}));
}

uint32_t row_check(const JobHeader& header, std::string_view record, uint32_t args_check) {
  const uint64_t small = (static_cast<uint64_t>(header.state) << 16U) |
                         (uint64_t{header.priority} << 8U) | (header.in_lane ? 1U : 0U);
  const uint64_t names = (uint64_t{header.queue} << 32U) | header.type;
  const uint32_t numbers = check_of(
      std::array<uint64_t, 5>{header.id.value, small, names, header.ready_seq, args_check});
  return base::crc32c(bytes_of(record), numbers);
}

uint32_t side_check(std::string_view key, std::string_view value) {
  const uint32_t of_key = base::crc32c(bytes_of(key), check_of(std::array{uint64_t{key.size()}}));
  return base::crc32c(bytes_of(value), of_key);
}

}  // namespace store
