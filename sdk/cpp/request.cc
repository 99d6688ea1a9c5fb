#include "sdk/cpp/request.h"

#include <fmt/format.h>

#include "protocol/resp_encoder.h"
#include "protocol/resp_parser.h"
#include "sdk/cpp/throw_error.h"

namespace dray::detail {

void Request::append_word(std::string_view word, std::string& out) {
  constexpr size_t kMost = protocol::kRespLimitsClient.bulk_bytes_max;
  if (word.size() > kMost) {
    throw_error(ErrorCode::kTooBig, fmt::format("limit={} got={} bytes in one word: store large "
                                                "things elsewhere, and name the place",
                                                kMost, word.size()));
  }
  protocol::encode_bulk(word, out);
}

std::string Request::bytes() const {
  std::string out;
  out.reserve(body_.size() + 16);
  protocol::encode_request_header(count_, out);
  out += body_;
  return out;
}

std::string request(std::initializer_list<std::string_view> words) {
  return Request(words).bytes();
}

std::string request(const std::vector<std::string>& words) {
  Request made;
  for (const std::string& word : words) made.add(word);
  return made.bytes();
}

}  // namespace dray::detail
