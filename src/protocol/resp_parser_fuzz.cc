// Any bytes, under the limits of a stranger or of a client: every word lies in the bytes (or in the
// parser), the limits hold, and what was read comes out again when it is written and read anew.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "protocol/resp_encoder.h"
#include "protocol/resp_parser.h"

namespace protocol {
namespace {

void check_request(const RespParser& parser, const RespLimits& limits, std::string_view unread) {
  ASSERT(parser.consumed() > 0 && parser.consumed() <= unread.size());
  ASSERT(parser.consumed() <= limits.request_bytes_max + 2 || unread.starts_with('*'));
  ASSERT(parser.arguments().size() <= limits.arguments_max);
  if (parser.arguments().empty()) return;
  std::string again;
  encode_request_header(parser.arguments().size(), again);
  for (const std::string_view word : parser.arguments()) encode_bulk(word, again);
  RespParser second(kRespLimitsClient);
  ASSERT(second.parse(again) == ParseStatus::kRequest);
  ASSERT(second.consumed() == again.size());
  ASSERT(second.arguments().size() == parser.arguments().size());
  for (size_t i = 0; i < second.arguments().size(); ++i) {
    ASSERT(second.arguments()[i] == parser.arguments()[i]);
  }
}

void run(std::string_view unread, const RespLimits& limits) {
  RespParser parser(limits);
  while (true) {
    const ParseStatus status = parser.parse(unread);
    if (status == ParseStatus::kNeedMore) return;
    if (status == ParseStatus::kError) {
      ASSERT(parser.fault() != RespFault::kNone && !parser.error_text().empty());
      return;
    }
    check_request(parser, limits, unread);
    unread.remove_prefix(parser.consumed());
  }
}

}  // namespace
}  // namespace protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  protocol::run(bytes, protocol::kRespLimitsStranger);
  protocol::run(bytes, protocol::kRespLimitsClient);
  return 0;
}
