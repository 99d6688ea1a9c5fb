// Reads RESP requests (multibulk and inline commands) out of received bytes, one at a time. Sans
// I/O: it knows no socket, clock or configuration.
//
// Contract: the caller keeps the unread bytes of one connection in one piece and hands over all of
// them, with whatever has been added since, until a request is complete; then it drops `consumed()`
// bytes from the front. What was read once is not read again, however small the pieces are. Memory
// grows with received bytes only: a declared length or count reserves nothing.
// After kError the connection must be closed: what follows can't be told from commands.
//
// Threading: none; one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace protocol {

// Bounds of one request.
struct RespLimits {
  size_t arguments_max;      // Words, the command's name included.
  size_t bulk_bytes_max;     // One word.
  size_t request_bytes_max;  // All of it, as it is on the wire.
  bool authenticated;        // Only chooses the words of the refusal.
};

// A stranger may say HELLO and AUTH, no more.
inline constexpr RespLimits kRespLimitsStranger{8, size_t{4} << 10, size_t{4} << 10, false};
// The count is that of Redis. A batch of 16 MiB in small words is up to twice that on the wire.
inline constexpr RespLimits kRespLimitsClient{size_t{1} << 20, size_t{16} << 20, size_t{40} << 20,
                                              true};
// Of an inline command, whatever the limits say. As in Redis.
inline constexpr size_t kInlineBytesMax = size_t{64} << 10;

enum class ParseStatus : uint8_t { kRequest, kNeedMore, kError };

// Why reading stopped. kHttp, kTls: the peer speaks to another kind of server; worth a log line.
enum class RespFault : uint8_t { kNone, kSyntax, kTooBig, kHttp, kTls };

class RespParser {
 public:
  explicit RespParser(const RespLimits& limits) : limits_(limits) {}

  // Between two requests only.
  void set_limits(const RespLimits& limits) { limits_ = limits; }

  // Reads the next request. `unread` begins at the first byte that has not been consumed.
  ParseStatus parse(std::string_view unread);

  // After kRequest: the words, as views into `unread` (of an inline command with quotes: into the
  // parser), valid until the next call. Empty for a request without words, which is to be ignored.
  std::span<const std::string_view> arguments() const { return arguments_; }
  // After kRequest: the length of the request at the front of `unread`.
  size_t consumed() const { return position_; }

  // What this parser holds by itself, for the server's budget of buffers.
  size_t memory_bytes() const {
    return arguments_.capacity() * sizeof(std::string_view) + inline_bytes_.capacity();
  }

  // Lets go of memory that the next request may not need. Between two requests only.
  void trim();

  // After kError. `error_text` is the message behind the code ERR.
  RespFault fault() const { return fault_; }
  const std::string& error_text() const { return error_text_; }

 private:
  enum class Phase : uint8_t { kStart, kInline, kBulkHeader, kBulkBody };
  enum class Line : uint8_t { kRead, kNeedMore, kMalformed };

  ParseStatus start(std::string_view unread);
  ParseStatus read_words(std::string_view unread);
  ParseStatus read_bulk_header(std::string_view unread);
  ParseStatus read_inline(std::string_view unread);
  ParseStatus split_inline(std::string_view line);
  bool split_word(std::string_view line, size_t& at);
  bool looks_like_http() const;
  void move_views(const char* base);
  Line read_number(std::string_view unread, int64_t& value);
  Line read_any_number(std::string_view unread, int64_t& value);
  ParseStatus number_fault(Line line, const char* malformed);
  ParseStatus fail(RespFault fault, std::string text);
  ParseStatus fail_at(std::string_view byte);
  ParseStatus fail_above(const char* what, uint64_t value, size_t limit);

  RespLimits limits_;
  Phase phase_ = Phase::kStart;
  bool done_ = true;  // The next call begins a new request.
  RespFault fault_ = RespFault::kNone;
  int64_t words_left_ = 0;
  int64_t bulk_bytes_ = 0;
  size_t position_ = 0;         // Of the first byte not yet understood.
  size_t scanned_ = 0;          // Inline: no line feed before this.
  const char* base_ = nullptr;  // Where `unread` lay when the views were made.
  std::vector<std::string_view> arguments_;
  std::string inline_bytes_;  // Words of an inline command with quotes.
  std::string error_text_;
};

}  // namespace protocol
