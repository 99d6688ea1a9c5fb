#include "bench/load/beanstalk_scanner.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "bench/load/reply.h"

namespace load {
namespace {

// The daemon's own bound of a line is 224 bytes, and that of a job 64 KiB by default.
constexpr size_t kLineBytesMax = 512;
constexpr size_t kBodyBytesMax = size_t{64} << 20;

[[noreturn]] void malformed_line(const char* what) {
  throw ProtocolError(std::string("beanstalkd reply: ") + what);
}

// Cuts the first word off `rest`.
std::string_view take_word(std::string_view& rest) {
  const size_t space = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(std::min(space + 1, rest.size()));
  return word;
}

size_t body_bytes(std::string_view digits) {
  size_t bytes = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, bytes);
  if (code != std::errc() || stop != end) malformed_line("body length expected");
  if (bytes > kBodyBytesMax) malformed_line("body length out of range");
  return bytes;
}

}  // namespace

size_t scan_beanstalk(std::string_view input, BeanstalkReply& reply) {
  const size_t feed = input.substr(0, kLineBytesMax).find('\n');
  if (feed == std::string_view::npos) {
    if (input.size() >= kLineBytesMax) malformed_line("line too long");
    return 0;
  }
  if (feed == 0 || input[feed - 1] != '\r') malformed_line("line does not end in CRLF");
  std::string_view line = input.substr(0, feed - 1);
  reply.word = take_word(line);
  reply.id = take_word(line);
  reply.body = {};
  if (reply.word.empty()) malformed_line("empty line");
  if (reply.word != "RESERVED") return feed + 1;

  const size_t bytes = body_bytes(line);
  const size_t whole = feed + 1 + bytes + 2;
  if (input.size() < whole) return 0;
  reply.body = input.substr(feed + 1, bytes);
  if (input[whole - 2] != '\r' || input[whole - 1] != '\n')
    malformed_line("body does not end in CRLF");
  return whole;
}

}  // namespace load
