// The answer to a command as a flat tape of values, free of any wire format. The core writes it,
// the protocol folder turns it into RESP 2, RESP 3 or JSON in one pass. Flat, because a lease has
// thirty values and a tree of them would cost more than the job itself.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "base/byte_buffer.h"
#include "base/error.h"

namespace core {

enum class ReplyTag : char {
  kOk = 'O',       // No data: "+OK".
  kNil = 'N',      // Nothing there.
  kInteger = 'I',  // 8 bytes, host order.
  kBulk = 'B',     // 4 bytes of length, then the bytes.
  kSimple = 'S',   // Like kBulk; a short status word without CR or LF ("PONG", "QUEUED").
  kError = 'E',    // 1 byte of base::ErrorCode, 4 bytes of length, then the message.
  kArray = 'A',    // 4 bytes: how many values follow.
  kMap = 'M',      // 4 bytes: how many pairs follow; keys are kBulk.
  kPush = 'P',     // As kArray; a message that answers no command.
};

// Owner: whoever holds the request. Contract: `array(n)` is followed by n values, `map(n)` by n
// pairs of `bulk` key and value. Where the number is only known at the end, `close` fills it in.
class Reply {
 public:
  void clear() { tape_.clear(); }
  bool empty() const { return tape_.empty(); }
  std::string_view tape() const { return tape_.view(); }

  void ok() { tag(ReplyTag::kOk); }
  void nil() { tag(ReplyTag::kNil); }
  void integer(int64_t value) { number(ReplyTag::kInteger, value); }
  void bulk(std::string_view bytes) { text(ReplyTag::kBulk, bytes); }
  void simple(std::string_view word) { text(ReplyTag::kSimple, word); }
  void error(base::ErrorCode code, std::string_view message);
  void error(const base::Error& error_in) { error(error_in.code, error_in.message); }
  void array(uint32_t count) { number(ReplyTag::kArray, count); }
  void map(uint32_t pairs) { number(ReplyTag::kMap, pairs); }
  void push(uint32_t count) { number(ReplyTag::kPush, count); }

  // For arrays whose length is only known at the end: returns a mark for `close`.
  size_t array_begin() {
    array(0);
    return tape_.size() - sizeof(uint32_t);
  }
  // For maps whose optional fields are only known on the way: returns a mark for `close`.
  size_t map_begin() {
    map(0);
    return tape_.size() - sizeof(uint32_t);
  }
  void close(size_t mark, uint32_t count) {
    std::memcpy(tape_.data() + mark, &count, sizeof count);
  }

  // Puts another tape (one whole value) behind what is there.
  void append(const Reply& value) { tape_.append(value.tape()); }

  // Cuts back to an earlier length (of `tape().size()`), to take back a half-written value.
  void rewind(size_t length) { tape_.cut(length); }

 private:
  void tag(ReplyTag value) { *tape_.extend(1) = static_cast<char>(value); }
  template <typename Number>
  void number(ReplyTag tag, Number value) {
    char* at = tape_.extend(1 + sizeof value);
    *at = static_cast<char>(tag);
    std::memcpy(at + 1, &value, sizeof value);
  }
  void text(ReplyTag tag, std::string_view bytes) {
    const auto size = static_cast<uint32_t>(bytes.size());
    char* at = tape_.extend(1 + sizeof size + bytes.size());
    *at = static_cast<char>(tag);
    std::memcpy(at + 1, &size, sizeof size);
    base::copy_part(at + 1 + sizeof size, bytes);
  }

  base::ByteBuffer tape_;
};

// Reads a tape value by value. Requires a well-formed tape (it is ours; asserts otherwise).
class ReplyReader {
 public:
  explicit ReplyReader(std::string_view tape) : rest_(tape) {}

  bool done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  ReplyTag peek() const { return static_cast<ReplyTag>(rest_.front()); }

  // Consumes the tag and what belongs to it.
  ReplyTag tag() { return static_cast<ReplyTag>(take<char>()); }
  int64_t integer() { return take<int64_t>(); }  // After kInteger.
  uint32_t count() { return take<uint32_t>(); }  // After kArray, kMap, kPush.
  base::ErrorCode code() { return static_cast<base::ErrorCode>(take<uint8_t>()); }  // After kError.
  // After kBulk and kSimple, and after `code` for kError.
  std::string_view bytes() {
    const uint32_t size = take<uint32_t>();
    ASSERT(rest_.size() >= size);
    const std::string_view value(rest_.data(), size);
    rest_.remove_prefix(size);
    return value;
  }

 private:
  // Here and not in the source: a lease is thirty values, read on the way to the wire.
  template <typename T>
  T take() {
    ASSERT(rest_.size() >= sizeof(T));
    T value;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }

  std::string_view rest_;
};

}  // namespace core
