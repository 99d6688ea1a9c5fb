#include "protocol/resp_encoder.h"

#include <algorithm>
#include <charconv>

#include "base/byte_buffer.h"
#include "core/reply.h"

namespace protocol {
namespace {

constexpr size_t kNumberBytesMax = 20;  // Digits of any 64-bit number, with its sign.
constexpr size_t kHeaderBytesMax = 1 + kNumberBytesMax + 2;  // With a type byte, CR and LF.
constexpr std::string_view kVerbatimFormat = "txt:";

// Writes a number in decimal. Returns where it ends. Most have one digit or two: lengths and
// counts.
template <typename Number>
char* write_number(char* at, Number number) {
  if (number < 0 || number >= 100) return std::to_chars(at, at + kNumberBytesMax, number).ptr;
  if (number >= 10) *at++ = static_cast<char>('0' + number / 10);
  *at++ = static_cast<char>('0' + number % 10);
  return at;
}

// Collects small parts before they go to the string: a lease is thirty short values, and to append
// each by itself would cost more than all the rest. `flush` at the end, and before others append.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <typename Number>
  void header(char type, Number number) {
    at_ = write_header(room(kHeaderBytesMax), type, number);
  }
  void bytes(std::string_view part) {
    if (part.size() > kBufferBytes) return long_part(part);
    at_ = base::copy_part(room(part.size()), part);
  }
  void bulk(std::string_view part) {
    constexpr size_t kAround = kHeaderBytesMax + 2;
    if (part.size() > kBufferBytes - kAround) {
      header('$', part.size());
      long_part(part);
      return bytes("\r\n");
    }
    char* at = write_header(room(kAround + part.size()), '$', part.size());
    at = base::copy_part(at, part);
    *at++ = '\r';
    *at++ = '\n';
    at_ = at;
  }
  void flush() {
    out_.append(buffer_, static_cast<size_t>(at_ - buffer_));
    at_ = buffer_;
  }

 private:
  static constexpr size_t kBufferBytes = 1024;

  template <typename Number>
  static char* write_header(char* at, char type, Number number) {
    *at++ = type;
    at = write_number(at, number);
    *at++ = '\r';
    *at++ = '\n';
    return at;
  }
  // Where `size` bytes, at most all of the buffer, can be written.
  char* room(size_t size) {
    if (static_cast<size_t>(buffer_ + kBufferBytes - at_) < size) flush();
    return at_;
  }
  void long_part(std::string_view part) {
    flush();
    out_.append(part);
  }

  std::string& out_;
  char* at_ = buffer_;  // Behind what is collected.
  char buffer_[kBufferBytes];
};

bool breaks_line(char byte) {
  return byte == '\r' || byte == '\n' || byte == '\0';
}

void append_line(char type, std::string_view text, std::string& out) {
  out += type;
  const size_t begin = out.size();
  out.append(text);
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), breaks_line, ' ');
  out.append("\r\n", 2);
}

}  // namespace

void encode_bulk(std::string_view bytes, std::string& out) {
  Writer writer(out);
  writer.bulk(bytes);
  writer.flush();
}

void encode_request_header(size_t words, std::string& out) {
  Writer writer(out);
  writer.header('*', words);
  writer.flush();
}

void encode_error(base::ErrorCode code, std::string_view message, std::string& out) {
  out += '-';
  out += base::error_word(code);
  append_line(' ', message, out);
}

void encode_verbatim(std::string_view text, RespVersion version, std::string& out) {
  if (version == RespVersion::kResp2) return encode_bulk(text, out);
  Writer writer(out);
  writer.header('=', text.size() + kVerbatimFormat.size());
  writer.bytes(kVerbatimFormat);
  writer.bytes(text);
  writer.bytes("\r\n");
  writer.flush();
}

void encode_reply(std::string_view tape, RespVersion version, std::string& out) {
  const bool flat = version == RespVersion::kResp2;
  core::ReplyReader reader(tape);
  Writer writer(out);
  while (!reader.done()) {
    switch (reader.tag()) {
      case core::ReplyTag::kOk:
        writer.bytes("+OK\r\n");
        break;
      case core::ReplyTag::kNil:
        writer.bytes(flat ? "$-1\r\n" : "_\r\n");
        break;
      case core::ReplyTag::kInteger:
        writer.header(':', reader.integer());
        break;
      case core::ReplyTag::kBulk:
        writer.bulk(reader.bytes());
        break;
      case core::ReplyTag::kSimple:
        writer.flush();
        append_line('+', reader.bytes(), out);
        break;
      case core::ReplyTag::kError: {
        const base::ErrorCode code = reader.code();
        writer.flush();
        encode_error(code, reader.bytes(), out);
        break;
      }
      case core::ReplyTag::kArray:
        writer.header('*', reader.count());
        break;
      case core::ReplyTag::kPush:
        writer.header(flat ? '*' : '>', reader.count());
        break;
      case core::ReplyTag::kMap: {
        const uint64_t pairs = reader.count();
        writer.header(flat ? '*' : '%', flat ? pairs * 2 : pairs);
        break;
      }
    }
  }
  writer.flush();
}

}  // namespace protocol
