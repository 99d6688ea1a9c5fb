#include "store/bytes.h"

#include <cstring>

namespace store {

uint8_t ByteReader::byte() {
  if (rest_.empty()) {
    fail();
    return 0;
  }
  const auto value = static_cast<uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return value;
}

uint64_t ByteReader::number() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const uint8_t part = byte();
    value |= uint64_t{part & 0x7fU} << shift;
    if (part < 0x80) {
      if (shift == 63 && part > 1) fail();  // More than 64 bits.
      return ok_ ? value : 0;
    }
  }
  fail();
  return 0;
}

std::string_view ByteReader::text() {
  const uint64_t size = number();
  if (!ok_ || size > rest_.size()) {
    fail();
    return {};
  }
  const std::string_view value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

void ByteReader::raw(void* data, size_t size) {
  if (size > rest_.size()) {
    fail();
    std::memset(data, 0, size);
    return;
  }
  std::memcpy(data, rest_.data(), size);
  rest_.remove_prefix(size);
}

uint64_t ByteReader::bounded(uint64_t most) {
  const uint64_t value = number();
  if (value > most) fail();
  return ok_ ? value : 0;
}

}  // namespace store
