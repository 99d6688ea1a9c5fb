#include "sdk/cpp/request.h"

#include "protocol/resp_encoder.h"

namespace dray::detail {

void Request::append_word(std::string_view word, std::string& out) {
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
