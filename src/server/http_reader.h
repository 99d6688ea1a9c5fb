// Understands the requests of one HTTP connection, in whatever pieces their bytes come, within
// bounds on what it holds. It sees neither the connection nor the time.
//
// The grammar is Beast's. Its own bounds hold for one call, and it has none for the headers of
// chunks and for what follows the last one: those are kept here.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace server {

// Threading: none; one owner.
class HttpReader {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  enum class Stage : uint8_t {
    kAwaited,  // No byte of the request has been looked at.
    kHeader,
    kBody,
  };
  enum class Outcome : uint8_t {
    kNeedsBytes,
    kRequest,  // It is whole.
    kRefused,  // As `refusal` says: nothing more can be understood.
    kResp,     // A client of the other port: likewise.
  };
  struct Refusal {
    boost::beast::http::status status = boost::beast::http::status::bad_request;
    std::string text;  // For people; ends with a line feed.
  };

  HttpReader() { begin(); }

  // Waits for a request, which may be there already. The one before is forgotten.
  void begin();
  bool has_bytes() const { return input_.size() != 0; }

  // Where bytes are to be put, and how many were.
  boost::asio::mutable_buffer room();
  void filled(size_t size) { input_.commit(size); }

  // Goes on. Not to be called again after another outcome than kNeedsBytes, but for `begin`, and
  // for that only after kRequest.
  Outcome read();

  Stage stage() const { return stage_; }
  const Request& request() const { return parser_->get(); }  // As far as it is understood.
  const Refusal& refusal() const { return refusal_; }
  // Of the body, as long as nothing is read of it: the most that may come.
  uint64_t body_bytes_most() const;

 private:
  std::optional<Refusal> judge_header() const;
  boost::asio::const_buffer readable() const;
  Outcome refuse(const boost::system::error_code& error);

  boost::beast::flat_buffer input_;
  Stage stage_ = Stage::kAwaited;
  size_t header_bytes_ = 0;  // That the parser has taken.
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  Refusal refusal_;
};

}  // namespace server
