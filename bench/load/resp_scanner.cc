#include "bench/load/resp_scanner.h"

#include <cstring>
#include <string>

#include "bench/load/reply.h"

namespace load {
namespace {

// Far above what any driver asks for; more means that the stream is out of step.
constexpr int64_t kBulkBytesMax = int64_t{64} << 20;
constexpr int64_t kArrayItemsMax = 1'000'000;
constexpr int64_t kNumberMax = int64_t{1} << 58;

[[noreturn]] void malformed(const char* what) {
  throw ProtocolError(std::string("RESP reply: ") + what);
}

}  // namespace

bool RespScanner::read_number(int64_t& number) {
  const char* at = at_;
  bool negative = false;
  if (at != end_ && *at == '-') {
    negative = true;
    ++at;
  }
  const char* const digits = at;
  int64_t value = 0;
  while (at != end_ && *at >= '0' && *at <= '9') {
    if (value > kNumberMax / 10) malformed("number too large");
    value = value * 10 + (*at - '0');
    ++at;
  }
  if (at != end_ && (at == digits || *at != '\r')) malformed("number expected");
  if (end_ - at < 2) return false;
  if (at[1] != '\n') malformed("line does not end in CRLF");
  number = negative ? -value : value;
  at_ = at + 2;
  return true;
}

bool RespScanner::read_line(std::string_view& line) {
  const size_t left = static_cast<size_t>(end_ - at_);
  const char* const feed = static_cast<const char*>(std::memchr(at_, '\n', left));
  if (feed == nullptr) return false;
  if (feed == at_ || feed[-1] != '\r') malformed("line does not end in CRLF");
  line = std::string_view(at_, static_cast<size_t>(feed - 1 - at_));
  at_ = feed + 1;
  return true;
}

bool RespScanner::read_bulk(RespItem& item) {
  int64_t length = 0;
  if (!read_number(length)) return false;
  if (length == -1) {
    item.type = RespType::kNil;
    item.text = {};
    return true;
  }
  if (length < 0 || length > kBulkBytesMax) malformed("bulk length out of range");
  if (end_ - at_ < length + 2) return false;
  item.type = RespType::kBulk;
  item.text = std::string_view(at_, static_cast<size_t>(length));
  at_ += length;
  if (at_[0] != '\r' || at_[1] != '\n') malformed("bulk does not end in CRLF");
  at_ += 2;
  return true;
}

bool RespScanner::next(RespItem& item) {
  if (at_ == end_) return false;
  switch (*at_++) {
    case '+':
      item.type = RespType::kSimple;
      return read_line(item.text);
    case '-':
      item.type = RespType::kError;
      return read_line(item.text);
    case ':':
      item.type = RespType::kInteger;
      return read_number(item.number);
    case '$':
      return read_bulk(item);
    case '*':
      if (!read_number(item.number)) return false;
      if (item.number < -1 || item.number > kArrayItemsMax) malformed("array count out of range");
      item.type = item.number < 0 ? RespType::kNil : RespType::kArray;
      return true;
    default:
      malformed("unknown type byte");
  }
}

bool RespScanner::skip_value() {
  RespItem item;
  for (int64_t values_left = 1; values_left > 0; --values_left) {
    if (!next(item)) return false;
    if (item.type == RespType::kArray) values_left += item.number;
  }
  return true;
}

}  // namespace load
