#include "protocol/resp_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "protocol/text.h"

namespace protocol {
namespace {

// Digits of a number: what fits into 63 bits, and is far above all limits.
constexpr ptrdiff_t kDigitsMax = 18;
// Room for more words than these is given back after the request: batches are rare, connections
// many.
constexpr size_t kWordsKept = 4096;
constexpr unsigned char kTlsHandshake = 0x16;

constexpr std::array<std::string_view, 9> kHttpWords = {
    "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT", "PRI", "HOST:"};

bool is_space(char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

char unescaped(char byte) {
  switch (byte) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return byte;
  }
}

}  // namespace

ParseStatus RespParser::parse(std::string_view unread) {
  if (fault_ != RespFault::kNone) return ParseStatus::kError;
  if (done_) {
    done_ = false;
    phase_ = Phase::kStart;
    position_ = 0;
    if (arguments_.capacity() > kWordsKept) std::vector<std::string_view>().swap(arguments_);
    arguments_.clear();
  } else if (unread.data() != base_) {
    move_views(unread.data());
  }
  base_ = unread.data();
  if (phase_ == Phase::kStart) {
    const ParseStatus status = start(unread);
    if (status != ParseStatus::kRequest || phase_ == Phase::kStart) return status;
  }
  return phase_ == Phase::kInline ? read_inline(unread) : read_words(unread);
}

void RespParser::trim() {
  if (!done_) return;
  std::vector<std::string_view>().swap(arguments_);
  std::string().swap(inline_bytes_);
}

// Returns kRequest with a new phase, or with kStart kept when the request is complete.
ParseStatus RespParser::start(std::string_view unread) {
  if (unread.empty()) return ParseStatus::kNeedMore;
  if (unread[0] != '*') {
    if (static_cast<unsigned char>(unread[0]) == kTlsHandshake) {
      return fail(RespFault::kTls,
                  "Protocol error: this port speaks RESP without TLS: connect without it");
    }
    phase_ = Phase::kInline;
    scanned_ = 0;
    return ParseStatus::kRequest;
  }
  position_ = 1;
  int64_t count = 0;
  const Line line = read_number(unread, count);
  if (line != Line::kRead) {
    if (line == Line::kNeedMore) position_ = 0;
    return number_fault(line, "Protocol error: invalid multibulk length");
  }
  if (count <= 0) {
    done_ = true;
    return ParseStatus::kRequest;
  }
  if (static_cast<uint64_t>(count) > limits_.arguments_max) {
    return fail_above(
        limits_.authenticated ? "invalid multibulk length" : "unauthenticated multibulk length",
        static_cast<uint64_t>(count), limits_.arguments_max);
  }
  words_left_ = count;
  phase_ = Phase::kBulkHeader;
  return ParseStatus::kRequest;
}

ParseStatus RespParser::read_words(std::string_view unread) {
  while (true) {
    if (phase_ == Phase::kBulkHeader) {
      const ParseStatus status = read_bulk_header(unread);
      if (status != ParseStatus::kRequest) return status;
    }
    const auto size = static_cast<size_t>(bulk_bytes_);
    if (unread.size() - position_ < size + 2) return ParseStatus::kNeedMore;
    const char* word = unread.data() + position_;
    if (word[size] != '\r' || word[size + 1] != '\n') {
      return fail(RespFault::kSyntax, "Protocol error: expected CRLF behind a bulk string");
    }
    arguments_.emplace_back(word, size);
    position_ += size + 2;
    if (--words_left_ == 0) {
      done_ = true;
      return ParseStatus::kRequest;
    }
    phase_ = Phase::kBulkHeader;
  }
}

ParseStatus RespParser::read_bulk_header(std::string_view unread) {
  if (position_ == unread.size()) return ParseStatus::kNeedMore;
  if (unread[position_] != '$') return fail_at(unread.substr(position_, 1));
  const size_t header = position_++;
  const Line line = read_number(unread, bulk_bytes_);
  if (line != Line::kRead) {
    if (line == Line::kNeedMore) position_ = header;
    return number_fault(line, "Protocol error: invalid bulk length");
  }
  if (bulk_bytes_ < 0) {
    return fail(RespFault::kSyntax, "Protocol error: invalid bulk length");
  }
  const auto size = static_cast<uint64_t>(bulk_bytes_);
  if (size > limits_.bulk_bytes_max) {
    return fail_above(limits_.authenticated ? "invalid bulk length" : "unauthenticated bulk length",
                      size, limits_.bulk_bytes_max);
  }
  if (position_ + size + 2 > limits_.request_bytes_max) {
    return fail_above("too big request", position_ + size + 2, limits_.request_bytes_max);
  }
  phase_ = Phase::kBulkBody;
  return ParseStatus::kRequest;
}

// Reads "<number>\r\n" at `position_` and steps behind it. Most are lengths of few digits.
RespParser::Line RespParser::read_number(std::string_view unread, int64_t& value) {
  constexpr size_t kFewDigits = 3;
  if (unread.size() - position_ < kFewDigits + 2) return read_any_number(unread, value);
  const char* const at = unread.data() + position_;
  if (at[0] < '1' || at[0] > '9') return read_any_number(unread, value);
  int64_t number = at[0] - '0';
  size_t digits = 1;
  for (; digits < kFewDigits && at[digits] >= '0' && at[digits] <= '9'; ++digits) {
    number = number * 10 + (at[digits] - '0');
  }
  if (at[digits] != '\r' || at[digits + 1] != '\n') return read_any_number(unread, value);
  value = number;
  position_ += digits + 2;
  return Line::kRead;
}

// Strict: no plus, no spaces, no zeros in front.
RespParser::Line RespParser::read_any_number(std::string_view unread, int64_t& value) {
  const char* const begin = unread.data() + position_;
  const char* const end = unread.data() + unread.size();
  const char* at = begin;
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  const char* const digits = at;
  const char* const digits_end = digits + std::min(end - digits, kDigitsMax);
  int64_t number = 0;
  while (at != digits_end) {
    const auto digit = static_cast<unsigned>(*at - '0');
    if (digit > 9) break;
    number = number * 10 + static_cast<int64_t>(digit);
    ++at;
  }
  if (end - at < 2) {
    const bool open = at == end || *at == '\r';
    return open ? Line::kNeedMore : Line::kMalformed;
  }
  if (at[0] != '\r' || at[1] != '\n') return Line::kMalformed;
  if (at == digits || (*digits == '0' && (at - digits > 1 || negative))) return Line::kMalformed;
  value = negative ? -number : number;
  position_ = static_cast<size_t>(at + 2 - unread.data());
  return Line::kRead;
}

ParseStatus RespParser::number_fault(Line line, const char* malformed) {
  if (line == Line::kNeedMore) return ParseStatus::kNeedMore;
  return fail(RespFault::kSyntax, malformed);
}

ParseStatus RespParser::read_inline(std::string_view unread) {
  const size_t limit = std::min(kInlineBytesMax, limits_.request_bytes_max);
  const size_t feed = unread.find('\n', scanned_);
  if (feed == std::string_view::npos || feed > limit) {
    scanned_ = unread.size();
    if (unread.size() <= limit) return ParseStatus::kNeedMore;
    return fail(RespFault::kTooBig, "Protocol error: too big inline request");
  }
  position_ = feed + 1;
  std::string_view line = unread.substr(0, feed);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return split_inline(line);
}

// Splits like Redis: words in double quotes with escapes, or in single quotes.
ParseStatus RespParser::split_inline(std::string_view line) {
  inline_bytes_.clear();
  inline_bytes_.reserve(line.size());  // The views into it must not move.
  for (size_t at = 0;;) {
    while (at < line.size() && is_space(line[at])) ++at;
    if (at == line.size()) break;
    if (arguments_.size() == limits_.arguments_max) {
      return fail_above("too many words in an inline request", arguments_.size() + 1,
                        limits_.arguments_max);
    }
    if (!split_word(line, at)) {
      return fail(RespFault::kSyntax, "Protocol error: unbalanced quotes in request");
    }
  }
  if (looks_like_http()) {
    return fail(RespFault::kHttp,
                "Protocol error: this port speaks RESP, not HTTP, which has a port of its own");
  }
  done_ = true;
  return ParseStatus::kRequest;
}

// Takes one word from `line` at `at`. Returns false when a quote is not closed, or closed inside a
// word.
bool RespParser::split_word(std::string_view line, size_t& at) {
  const size_t begin = inline_bytes_.size();
  char quote = 0;
  for (; at < line.size(); ++at) {
    const char byte = line[at];
    if (quote == 0) {
      if (is_space(byte)) break;
      if (byte == '"' || byte == '\'') {
        quote = byte;
      } else {
        inline_bytes_.push_back(byte);
      }
      continue;
    }
    if (byte == quote) {
      if (at + 1 < line.size() && !is_space(line[at + 1])) return false;
      quote = 0;
    } else if (byte == '\\' && at + 1 < line.size() && (quote == '"' || line[at + 1] == '\'')) {
      const bool hex = quote == '"' && line[at + 1] == 'x' && at + 3 < line.size() &&
                       hex_digit(line[at + 2]) >= 0 && hex_digit(line[at + 3]) >= 0;
      const int code = hex ? hex_digit(line[at + 2]) * 16 + hex_digit(line[at + 3]) : 0;
      const char plain = quote == '"' ? unescaped(line[at + 1]) : '\'';
      inline_bytes_.push_back(hex ? static_cast<char>(code) : plain);
      at += hex ? 3 : 1;
    } else {
      inline_bytes_.push_back(byte);
    }
  }
  arguments_.emplace_back(inline_bytes_.data() + begin, inline_bytes_.size() - begin);
  return quote == 0;
}

// A browser can be made to send any text to any port; no request of HTTP may get as far as a
// second line. GET is a command of Redis too: only a path or a version makes it HTTP.
bool RespParser::looks_like_http() const {
  if (arguments_.empty()) return false;
  const auto is_verb = [this](std::string_view word) {
    return equals_ignoring_case(arguments_[0], word);
  };
  if (std::any_of(kHttpWords.begin(), kHttpWords.end(), is_verb)) return true;
  if (!is_verb("GET") && !is_verb("TRACE")) return false;
  return (arguments_.size() > 1 && arguments_[1].starts_with('/')) ||
         (arguments_.size() > 2 && arguments_[2].starts_with("HTTP/"));
}

// The caller's buffer has moved: so do the views into it. The old bytes are not touched.
void RespParser::move_views(const char* base) {
  const auto old_base = reinterpret_cast<uintptr_t>(base_);
  for (std::string_view& view : arguments_) {
    const uintptr_t offset = reinterpret_cast<uintptr_t>(view.data()) - old_base;
    view = {base + offset, view.size()};
  }
}

ParseStatus RespParser::fail(RespFault fault, std::string text) {
  fault_ = fault;
  error_text_ = std::move(text);
  arguments_.clear();
  return ParseStatus::kError;
}

ParseStatus RespParser::fail_at(std::string_view byte) {
  return fail(RespFault::kSyntax, "Protocol error: expected '$', got '" + printable(byte) + "'");
}

ParseStatus RespParser::fail_above(const char* what, uint64_t value, size_t limit) {
  return fail(RespFault::kTooBig, std::string("Protocol error: ") + what + ": " +
                                      std::to_string(value) + ", at most " + std::to_string(limit));
}

}  // namespace protocol
