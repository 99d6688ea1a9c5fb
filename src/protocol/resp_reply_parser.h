// Reads replies of RESP 2 and 3 into values, for clients. Sans I/O, incremental, bounded: a reply
// that is larger, deeper or has more parts than the limits say is an error, and a declared length
// or count reserves nothing. Threading: none; one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace protocol {

enum class ValueKind : uint8_t {
  kNil,
  kSimple,
  kError,  // `text` begins with the code.
  kInteger,
  kBoolean,  // In `integer`, 0 or 1.
  kDouble,
  kBigNumber,
  kBulk,
  kVerbatim,  // `text` without the three letters of the format.
  kArray,
  kSet,
  kMap,   // `items` are field, value, field, value, ...
  kPush,  // Out of band: no answer to a request. Not inside another value.
};

struct RespValue {
  ValueKind kind = ValueKind::kNil;
  std::array<char, 3> format{};  // Of kVerbatim.
  int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<RespValue> items;

  bool is_nil() const { return kind == ValueKind::kNil; }
  bool is_error() const { return kind == ValueKind::kError; }
  // Of an error: its first word, and what follows it.
  std::string_view error_code() const;
  std::string_view error_message() const;
  // The value of a field of a record: a map (RESP 3), or an array of fields and values (RESP 2).
  // Nothing when it is absent, or this is no record.
  const RespValue* find(std::string_view field) const;
};

struct RespReplyLimits {
  size_t depth_max = 32;
  size_t items_max = 1'000'000;               // Values of one reply, at all depths.
  size_t reply_bytes_max = size_t{64} << 20;  // On the wire.
  size_t line_bytes_max = size_t{64} << 10;   // Simple strings, errors, numbers.
};

enum class ReplyStatus : uint8_t { kValue, kNeedMore, kError };

class RespReplyParser {
 public:
  explicit RespReplyParser(const RespReplyLimits& limits = {}) : limits_(limits) {}

  // Reads on. `unread` begins at the first byte not consumed. After kError the connection must be
  // closed.
  ReplyStatus parse(std::string_view unread);
  // After each call, whatever it returned: the bytes to drop from the front. What is incomplete is
  // kept here, so only the beginning of a line ever has to be handed over again.
  size_t consumed() const { return position_; }
  // After kValue; may be moved from.
  RespValue& value() { return value_; }
  // After kError.
  const std::string& error_text() const { return error_text_; }

 private:
  enum class Step : uint8_t { kNext, kValue, kNeedMore, kError };
  // A value whose parts are still coming.
  struct Open {
    RespValue value;
    uint64_t items_left;
    bool is_attribute;  // Read and dropped.
  };

  Step step(std::string_view unread);
  Step read_body(std::string_view unread);
  Step take_line(char type, std::string_view line);
  Step open_body(ValueKind kind, std::string_view line);
  Step open_items(char type, std::string_view line);
  Step take_text(ValueKind kind, std::string_view line);
  Step take_integer(std::string_view line);
  Step take_double(std::string_view line);
  Step take_big_number(std::string_view line);
  Step finish(RespValue value);
  Step finish_body();
  Step fail(std::string text);

  const RespReplyLimits limits_;
  std::vector<Open> open_;
  RespValue body_;        // A bulk whose bytes are still coming.
  size_t body_left_ = 0;  // With its CR and LF.
  bool in_body_ = false;
  size_t position_ = 0;
  size_t scanned_ = 0;  // Bytes of the present line without a line feed.
  size_t bytes_ = 0;    // Of this reply, consumed by earlier calls.
  size_t items_ = 0;
  RespValue value_;
  std::string error_text_;
};

}  // namespace protocol
