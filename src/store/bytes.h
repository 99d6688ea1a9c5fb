// Writing and reading the small numbers and texts of stored records. Integers are LEB128 varints,
// signed ones zigzag first; texts are length and bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace store {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void byte(uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void number(uint64_t value) {
    char buffer[10];
    size_t size = 0;
    while (value >= 0x80) {
      buffer[size++] = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    buffer[size++] = static_cast<char>(value);
    out_.append(buffer, size);
  }
  void signed_number(int64_t value) {
    number((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void raw(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }

 private:
  std::string& out_;
};

// Reads what ByteWriter wrote. After a read beyond the end, or of an overlong number, `ok` is false
// and all further reads give zero or nothing: check once, at the end. Views point into the input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes), size_(bytes.size()) {}

  bool ok() const { return ok_; }
  bool done() const { return rest_.empty(); }
  size_t offset() const { return size_ - rest_.size(); }

  uint8_t byte();
  uint64_t number();
  int64_t signed_number() {
    const uint64_t value = number();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  std::string_view text();
  void raw(void* data, size_t size);
  // A number that must not be above `most`.
  uint64_t bounded(uint64_t most);
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::string_view rest_;
  size_t size_;
  bool ok_ = true;
};

}  // namespace store
