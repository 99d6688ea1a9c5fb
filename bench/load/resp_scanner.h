// Walks RESP2 replies in place. Sans I/O: it sees bytes, and copies none.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace load {

enum class RespType : uint8_t { kSimple, kError, kInteger, kBulk, kNil, kArray };

// One header with its text. An array's elements are the items that follow it.
struct RespItem {
  RespType type = RespType::kNil;
  std::string_view text;  // Simple, error, bulk.
  int64_t number = 0;     // Integer, or the count of an array.
};

// Reads forward over one buffer. When the bytes end inside an item, `next` and `skip_value` return
// false; the caller starts again at its last whole reply once more bytes came. Replies are small
// against a read, so that this costs less than keeping the state of half a reply.
// Malformed bytes throw ProtocolError. Threading: none, a value on the stack.
class RespScanner {
 public:
  explicit RespScanner(std::string_view input)
      : begin_(input.data()), at_(begin_), end_(begin_ + input.size()) {}

  // Reads one item. Returns false when the input ends first.
  bool next(RespItem& item);

  // Skips one value with all that it holds. Returns false when the input ends first.
  bool skip_value();

  // Returns the number of bytes read so far.
  size_t position() const { return static_cast<size_t>(at_ - begin_); }

 private:
  bool read_number(int64_t& number);
  bool read_line(std::string_view& line);
  bool read_bulk(RespItem& item);

  const char* begin_;
  const char* at_;
  const char* end_;
};

}  // namespace load
