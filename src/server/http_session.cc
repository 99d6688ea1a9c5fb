#include "server/http_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "base/log.h"
#include "server/connection_limits.h"

namespace server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

constexpr const char* kPlain = "text/plain; charset=utf-8";

// Owned by the callbacks of its pending operations (hence shared): when none is left it ends.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(boost::asio::ip::tcp::socket socket, MetricsHost& host, size_t& open)
      : stream_(std::move(socket)), host_(host), open_(open) {
    ++open_;
  }
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;
  ~HttpSession() { --open_; }

  // The first bytes of a request may be long in coming; of a fresh connection, not.
  void read() {
    parser_.emplace();
    parser_->header_limit(kHttpHeaderBytesMax);
    parser_->body_limit(kHttpBodyBytesMax);
    stream_.expires_after(is_fresh_ ? std::chrono::seconds(kHttpHeaderTime) : kHttpIdleTime);
    is_fresh_ = false;
    if (buffer_.size() != 0) return read_header();
    stream_.async_read_some(buffer_.prepare(kHttpHeaderBytesMax),
                            [self = shared_from_this()](error_code error, size_t size) {
                              if (error) return self->refuse(error);
                              self->buffer_.commit(size);
                              self->read_header();
                            });
  }

 private:
  void read_header() {
    if (speaks_resp()) return refuse_resp();
    stream_.expires_after(kHttpHeaderTime);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t) {
                              if (error) return self->refuse(error);
                              self->check_header();
                            });
  }

  void check_header() {
    const auto& request = parser_->get();
    if (request.target().size() > kHttpUrlBytesMax) {
      closes_ = true;
      return answer(http::status::uri_too_long,
                    fmt::format("TOOBIG limit={} got={} bytes of a URL\n", kHttpUrlBytesMax,
                                request.target().size()));
    }
    const auto headers = static_cast<size_t>(std::distance(request.begin(), request.end()));
    if (headers > kHttpHeadersMax) {
      closes_ = true;
      return answer(http::status::request_header_fields_too_large,
                    fmt::format("TOOBIG limit={} got={} headers\n", kHttpHeadersMax, headers));
    }
    if (parser_->is_done()) return handle();
    // A body may take as long as its bytes do at the least speed.
    const uint64_t size = parser_->content_length_remaining().value_or(kHttpBodyBytesMax);
    const auto longest = std::min<uint64_t>(size, kHttpBodyBytesMax) / kHttpBodyBytesPerSecond;
    stream_.expires_after(kHttpHeaderTime + std::chrono::seconds(longest));
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->refuse(error);
                       self->handle();
                     });
  }

  // A client of the other port. No method of HTTP begins so.
  bool speaks_resp() const {
    const auto data = buffer_.data();
    return data.size() != 0 && *static_cast<const char*>(data.data()) == '*';
  }

  void refuse_resp() {
    put_out(Closure::kRespOnHttp);
    closes_ = true;
    answer(http::status::bad_request,
           fmt::format("this port speaks HTTP; RESP is spoken at {}\n", host_.resp_text()));
  }

  void put_out(Closure why) {
    host_.doorman().count(why);
    error_code error;
    const auto peer = stream_.socket().remote_endpoint(error);
    if (error || !host_.doorman().may_log(Doorman::Topic::kClosure)) return;
    LOG(kWarning, "an HTTP connection is closed", {"peer", peer.address().to_string()},
        {"reason", closure_word(why)});
  }

  // What cannot be read is answered, as far as it is HTTP, and ends the connection.
  void refuse(const error_code& error) {
    if (error == http::error::end_of_stream) return end();
    if (error == beast::error::timeout) return put_out(Closure::kHttpTime);
    if (error.category() != make_error_code(http::error::bad_method).category()) return;
    if (error == http::error::partial_message) return;
    http::status status = http::status::bad_request;
    if (error == http::error::header_limit) {
      status = http::status::request_header_fields_too_large;
    } else if (error == http::error::body_limit) {
      status = http::status::payload_too_large;
    }
    closes_ = true;
    answer(status, error.message() + "\n");
  }

  void handle() {
    const auto& request = parser_->get();
    const auto target = request.target().substr(0, request.target().find('?'));
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      return answer(http::status::method_not_allowed, "only GET is offered here\n");
    }
    if (target == "/livez") return answer(http::status::ok, "ok\n");
    if (target == "/readyz") {
      const bool ready = host_.is_ready();
      return answer(ready ? http::status::ok : http::status::service_unavailable,
                    (ready ? "ready" : "not ready") + pressure_text() + "\n");
    }
    if (target == "/metrics") {
      // The HTTP side keeps no numbers of the queues: the engine is asked.
      return host_.fetch_queue_stats([self = shared_from_this()](const core::Reply& stats) {
        self->answer(http::status::ok, metrics_text(self->host_, stats));
      });
    }
    answer(http::status::not_found, "there is /livez, /readyz and /metrics\n");
  }

  // How hard the server is pressed, if it is.
  std::string pressure_text() const {
    switch (host_.pressure()) {
      case engine::Pressure::kNone:
        return {};
      case engine::Pressure::kYellow:
        return ", overload yellow";
      case engine::Pressure::kOrange:
        return ", overload orange: new jobs are refused";
      case engine::Pressure::kRed:
        return ", overload red: new jobs and large reads are refused";
    }
    return {};
  }

  void answer(http::status status, std::string body) {
    const auto& request = parser_->get();
    response_ = {};
    response_.version(request.version());
    response_.result(status);
    if (status == http::status::method_not_allowed) response_.set(http::field::allow, "GET, HEAD");
    response_.set(http::field::content_type, kPlain);
    response_.set("X-Content-Type-Options", "nosniff");
    response_.set(http::field::cache_control, "no-store");
    response_.keep_alive(request.keep_alive() && !closes_);
    const size_t size = body.size();
    if (request.method() != http::verb::head) response_.body() = std::move(body);
    response_.content_length(size);
    stream_.expires_after(kHttpHeaderTime);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, size_t) {
      if (error || !self->response_.keep_alive()) return self->end();
      self->read();
    });
  }

  void end() {
    error_code ignored;
    stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  MetricsHost& host_;
  size_t& open_;
  bool is_fresh_ = true;  // Has asked nothing yet.
  bool closes_ = false;   // After this answer.
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

void start_http_session(boost::asio::ip::tcp::socket socket, MetricsHost& host, size_t& open) {
  std::make_shared<HttpSession>(std::move(socket), host, open)->read();
}

}  // namespace server
