// Any bytes as a server's reply, whole and byte by byte: the same values, or the same error, within
// the limits.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "protocol/resp_encoder.h"
#include "protocol/resp_reply_parser.h"

namespace protocol {
namespace {

constexpr RespReplyLimits kLimits{
    .depth_max = 8, .items_max = 1000, .reply_bytes_max = 4096, .line_bytes_max = 256};

// The depth is that of the limits. Returns how many values there are.
size_t write_value(const RespValue& value, size_t depth, std::string& out) {
  ASSERT(depth <= kLimits.depth_max);
  out += std::to_string(static_cast<int>(value.kind)) + " " + std::to_string(value.integer) + " ";
  encode_bulk(value.text, out);
  out.append(value.format.data(), value.format.size());
  out += std::to_string(value.items.size()) + "(";
  size_t count = 1;
  for (const RespValue& item : value.items) count += write_value(item, depth + 1, out);
  out += ")";
  return count;
}

std::string values_of(std::string_view bytes, size_t piece) {
  RespReplyParser parser(kLimits);
  std::string unread;
  std::string text;
  while (true) {
    const ReplyStatus status = parser.parse(unread);
    if (status == ReplyStatus::kError) return text + "error";
    ASSERT(parser.consumed() <= unread.size());
    unread.erase(0, parser.consumed());
    if (status == ReplyStatus::kValue) {
      ASSERT(write_value(parser.value(), 0, text) <= kLimits.items_max);
      continue;
    }
    if (bytes.empty()) return text;
    unread.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

}  // namespace
}  // namespace protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 8192) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ASSERT(protocol::values_of(bytes, size) == protocol::values_of(bytes, 1));
  return 0;
}
