#include "server/http_session.h"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>

namespace server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

constexpr std::chrono::seconds kHeaderTime{10};
constexpr size_t kHeaderBytesMax = size_t{16} << 10;
constexpr size_t kBodyBytesMax = size_t{16} << 10;

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

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(kBodyBytesMax);
    stream_.expires_after(kHeaderTime);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->refuse(error);
                       self->handle();
                     });
  }

 private:
  // What cannot be read is answered, as far as it is HTTP, and ends the connection.
  void refuse(const error_code& error) {
    if (error == http::error::end_of_stream) return end();
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
                    ready ? "ready\n" : "not ready\n");
    }
    if (target == "/metrics") {
      // The HTTP side keeps no numbers of the queues: the engine is asked.
      return host_.fetch_queue_stats([self = shared_from_this()](const core::Reply& stats) {
        self->answer(http::status::ok, metrics_text(self->host_, stats));
      });
    }
    answer(http::status::not_found, "there is /livez, /readyz and /metrics\n");
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
    stream_.expires_after(kHeaderTime);
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
  bool closes_ = false;  // After this answer.
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

void start_http_session(boost::asio::ip::tcp::socket socket, MetricsHost& host, size_t& open) {
  std::make_shared<HttpSession>(std::move(socket), host, open)->read();
}

}  // namespace server
