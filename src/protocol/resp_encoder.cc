#include "protocol/resp_encoder.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/reply.h"

namespace protocol {
namespace {

// A type byte, the digits of any 64-bit number with its sign, CR and LF.
constexpr size_t kHeaderBytesMax = 1 + 20 + 2;
constexpr std::string_view kVerbatimFormat = "txt:";

// Copies short parts without a call: most values of a reply are.
void copy(char* to, std::string_view part) {
  const size_t size = part.size();
  const char* from = part.data();
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);  // May overlap the first.
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

// Collects small parts before they go to the string: a lease is thirty short values, and to append
// each by itself would cost more than all the rest. `flush` at the end, and before others append.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <typename Number>
  void header(char type, Number number) {
    if (kBufferBytes - used_ < kHeaderBytesMax) flush();
    char* at = buffer_ + used_;
    *at++ = type;
    if (number >= 0 && number < 10) {
      *at++ = static_cast<char>('0' + number);
    } else {
      at = std::to_chars(at, buffer_ + kBufferBytes, number).ptr;
    }
    *at++ = '\r';
    *at++ = '\n';
    used_ = static_cast<size_t>(at - buffer_);
  }
  void bytes(std::string_view part) {
    if (part.size() > kBufferBytes - used_) flush();
    if (part.size() > kBufferBytes) {
      out_.append(part);
      return;
    }
    copy(buffer_ + used_, part);
    used_ += part.size();
  }
  void bulk(std::string_view part) {
    header('$', part.size());
    bytes(part);
    bytes("\r\n");
  }
  void flush() {
    out_.append(buffer_, used_);
    used_ = 0;
  }

 private:
  static constexpr size_t kBufferBytes = 1024;

  std::string& out_;
  size_t used_ = 0;
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
