#include "server/http_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "server/connection_limits.h"

namespace server {

namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

HttpReader::Refusal refusal_for(const error_code& error) {
  http::status status = http::status::bad_request;
  if (error == http::error::header_limit) {
    status = http::status::request_header_fields_too_large;
  } else if (error == http::error::body_limit) {
    status = http::status::payload_too_large;
  }
  return {status, error.message() + "\n"};
}

}  // namespace

void HttpReader::begin() {
  stage_ = Stage::kAwaited;
  header_bytes_ = 0;
  parser_.emplace();
  parser_->header_limit(kHttpHeaderBytesMax);
  parser_->body_limit(kHttpBodyBytesMax);
}

boost::asio::mutable_buffer HttpReader::room() {
  return input_.prepare(kHttpHeaderBytesMax);
}

HttpReader::Outcome HttpReader::read() {
  if (stage_ == Stage::kAwaited && has_bytes()) {
    stage_ = Stage::kHeader;
    // No method of HTTP begins so.
    if (*static_cast<const char*>(input_.data().data()) == '*') return Outcome::kResp;
  }
  while (!parser_->is_done()) {
    const boost::asio::const_buffer bytes = readable();
    // Given nothing of a body, the parser would say that all is well, and again, and again.
    if (bytes.size() == 0) return Outcome::kNeedsBytes;
    error_code error;
    const size_t used = parser_->put(bytes, error);
    input_.consume(used);
    if (stage_ == Stage::kHeader) header_bytes_ += used;
    if (error == http::error::need_more) {
      const size_t held = input_.size() + (stage_ == Stage::kHeader ? header_bytes_ : 0);
      if (held >= kHttpHeaderBytesMax) return refuse(http::error::header_limit);
      return Outcome::kNeedsBytes;
    }
    if (error) return refuse(error);
    if (stage_ == Stage::kHeader && parser_->is_header_done()) {
      if (std::optional<Refusal> refusal = judge_header()) {
        refusal_ = *std::move(refusal);
        return Outcome::kRefused;
      }
      stage_ = Stage::kBody;
      parser_->eager(true);
    }
  }
  return Outcome::kRequest;
}

// What the parser may be given. Of a chunked body that is not over at least `0 CRLF CRLF` has to
// come, and Beast 1.81 asserts that it sees so much of it when it looks again.
boost::asio::const_buffer HttpReader::readable() const {
  constexpr size_t kLastChunkBytes = 5;
  const bool waits =
      stage_ == Stage::kBody && parser_->chunked() && input_.size() < kLastChunkBytes;
  return waits ? boost::asio::const_buffer() : input_.data();
}

// What is wrong with a header that is too long, or that cannot be followed.
std::optional<HttpReader::Refusal> HttpReader::judge_header() const {
  const Request& request = parser_->get();
  if (request.count(http::field::transfer_encoding) != 0 && !parser_->chunked()) {
    return refusal_for(http::error::bad_transfer_encoding);
  }
  if (header_bytes_ > kHttpHeaderBytesMax) return refusal_for(http::error::header_limit);
  if (request.target().size() > kHttpUrlBytesMax) {
    return Refusal{http::status::uri_too_long,
                   fmt::format("TOOBIG limit={} got={} bytes of a URL\n", kHttpUrlBytesMax,
                               request.target().size())};
  }
  const auto headers = static_cast<size_t>(std::distance(request.begin(), request.end()));
  if (headers > kHttpHeadersMax) {
    return Refusal{http::status::request_header_fields_too_large,
                   fmt::format("TOOBIG limit={} got={} headers\n", kHttpHeadersMax, headers)};
  }
  return std::nullopt;
}

HttpReader::Outcome HttpReader::refuse(const error_code& error) {
  refusal_ = refusal_for(error);
  return Outcome::kRefused;
}

uint64_t HttpReader::body_bytes_most() const {
  const uint64_t said = parser_->content_length_remaining().value_or(kHttpBodyBytesMax);
  return std::min<uint64_t>(said, kHttpBodyBytesMax);
}

}  // namespace server
