#include "protocol/resp_encoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/reply.h"

namespace protocol {
namespace {

// A type byte, the digits of any 64-bit number with its sign, CR and LF.
constexpr size_t kHeaderBytesMax = 1 + 20 + 2;

// Writes "<type><number>\r\n" at `at`, which has room for it; returns the end.
template <typename Number>
char* write_header(char type, Number number, char* at) {
  *at++ = type;
  at = std::to_chars(at, at + kHeaderBytesMax, number).ptr;
  *at++ = '\r';
  *at++ = '\n';
  return at;
}

template <typename Number>
void append_header(char type, Number number, std::string& out) {
  std::array<char, kHeaderBytesMax + 1> header;
  const char* end = write_header(type, number, header.data());
  out.append(header.data(), static_cast<size_t>(end - header.data()));
}

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
  std::array<char, kHeaderBytesMax + 1> header;
  const char* end = write_header('$', bytes.size(), header.data());
  out.append(header.data(), static_cast<size_t>(end - header.data()));
  out.append(bytes);
  out.append("\r\n", 2);
}

void encode_request_header(size_t words, std::string& out) {
  append_header('*', words, out);
}

void encode_error(base::ErrorCode code, std::string_view message, std::string& out) {
  out += '-';
  out += base::error_word(code);
  append_line(' ', message, out);
}

void encode_verbatim(std::string_view text, RespVersion version, std::string& out) {
  if (version == RespVersion::kResp2) return encode_bulk(text, out);
  append_header('=', text.size() + 4, out);
  out.append("txt:", 4);
  out.append(text);
  out.append("\r\n", 2);
}

void encode_reply(std::string_view tape, RespVersion version, std::string& out) {
  const bool flat = version == RespVersion::kResp2;
  core::ReplyReader reader(tape);
  while (!reader.done()) {
    switch (reader.tag()) {
      case core::ReplyTag::kOk:
        out.append("+OK\r\n", 5);
        break;
      case core::ReplyTag::kNil:
        out.append(flat ? "$-1\r\n" : "_\r\n");
        break;
      case core::ReplyTag::kInteger:
        append_header(':', reader.integer(), out);
        break;
      case core::ReplyTag::kBulk:
        encode_bulk(reader.bytes(), out);
        break;
      case core::ReplyTag::kSimple:
        append_line('+', reader.bytes(), out);
        break;
      case core::ReplyTag::kError: {
        const base::ErrorCode code = reader.code();
        encode_error(code, reader.bytes(), out);
        break;
      }
      case core::ReplyTag::kArray:
        append_header('*', reader.count(), out);
        break;
      case core::ReplyTag::kMap: {
        const uint64_t pairs = reader.count();
        append_header(flat ? '*' : '%', flat ? pairs * 2 : pairs, out);
        break;
      }
    }
  }
}

}  // namespace protocol
