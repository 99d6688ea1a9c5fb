#include "server/http_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>

#include "base/log.h"
#include "server/connection_limits.h"

namespace server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

constexpr const char* kPlain = "text/plain; charset=utf-8";

using PlainStream = beast::tcp_stream;
using TlsStream = boost::asio::ssl::stream<beast::tcp_stream>;

// Owned by the callbacks of its pending operations (hence shared): when none is left it ends.
template <typename Stream>
class HttpSession : public std::enable_shared_from_this<HttpSession<Stream>> {
 public:
  HttpSession(Stream stream, const HttpDoor& door) : stream_(std::move(stream)), door_(door) {
    ++door_.open;
  }
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;
  ~HttpSession() { --door_.open; }

  void start() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      expires_after(kHandshakeTime);
      stream_.async_handshake(TlsStream::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (!error) return self->read();
                                self->doorman().count(Closure::kHandshake);
                              });
    } else {
      read();
    }
  }

 private:
  // The first bytes of a request may be long in coming; of a fresh connection, not.
  void read() {
    parser_.emplace();
    parser_->header_limit(kHttpHeaderBytesMax);
    parser_->body_limit(kHttpBodyBytesMax);
    expires_after(is_fresh_ ? std::chrono::seconds(kHttpHeaderTime) : kHttpIdleTime);
    is_fresh_ = false;
    if (buffer_.size() != 0) return read_header();
    stream_.async_read_some(buffer_.prepare(kHttpHeaderBytesMax),
                            [self = this->shared_from_this()](error_code error, size_t size) {
                              if (error) return self->refuse(error);
                              self->buffer_.commit(size);
                              self->read_header();
                            });
  }

  void read_header() {
    if (speaks_resp()) return refuse_resp();
    expires_after(kHttpHeaderTime);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](error_code error, size_t) {
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
    expires_after(kHttpHeaderTime + std::chrono::seconds(longest));
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](error_code error, size_t) {
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
           fmt::format("this port speaks HTTP; RESP is spoken at {}\n", door_.host.resp_text()));
  }

  void put_out(Closure why) {
    doorman().count(why);
    const auto from = peer();
    if (!from || !doorman().may_log(Doorman::Topic::kClosure)) return;
    LOG(kWarning, "an HTTP connection is closed", {"peer", from->address().to_string()},
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
      const bool ready = door_.host.is_ready();
      return answer(ready ? http::status::ok : http::status::service_unavailable,
                    (ready ? "ready" : "not ready") + pressure_text() + "\n");
    }
    if (target == "/metrics") {
      const std::optional<auth::PrincipalPtr> reader = reader_of_all();
      if (!reader) return;
      // The HTTP side keeps no numbers of the queues: the engines are asked.
      return door_.host.fetch_stats(*reader, [self = this->shared_from_this()](const auto& stats) {
        self->answer(http::status::ok, metrics_text(self->door_.host, stats));
      });
    }
    answer(http::status::not_found, "there is /livez, /readyz and /metrics\n");
  }

  // How hard the server is pressed, if it is.
  std::string pressure_text() const {
    switch (door_.host.pressure()) {
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

  // Who proves the right to read everything (null: on a server that asks nobody); answers the
  // request if nobody does. Health is told to everybody, names of queues are not.
  std::optional<auth::PrincipalPtr> reader_of_all() {
    if (door_.roll.is_public()) return auth::PrincipalPtr();
    const auto from = peer();
    if (!from) return std::nullopt;  // It is gone already.
    constexpr std::string_view kScheme = "Bearer ";
    const auto header = parser_->get()[http::field::authorization];
    const std::string_view given(header.data(), header.size());
    auth::PrincipalPtr principal;
    if (given.starts_with(kScheme)) {
      if (is_barred(*from)) return std::nullopt;
      principal = door_.roll.find("", given.substr(kScheme.size()), door_.clock.wall());
      if (!principal) doorman().login_failed(from->address(), door_.clock.mono());
    }
    if (principal && principal->rights.allow_all(set_of(core::Right::kRead))) return principal;
    // Without credentials it is a question, which anybody may ask any number of times.
    if (!given.empty()) note_refusal(*from, principal.get());
    if (principal) {
      answer(http::status::forbidden, "NOPERM need=read queue=* this token may not read all\n");
    } else {
      answer(http::status::unauthorized,
             "NOAUTH give a token with the scope read:*, as Authorization: Bearer id.secret\n");
    }
    return std::nullopt;
  }

  // Answers a token from an address that has given too many wrong ones.
  bool is_barred(const boost::asio::ip::tcp::endpoint& from) {
    const auto barred = doorman().barred_for(from.address(), door_.clock.mono());
    if (!barred) return false;
    doorman().count(Closure::kFailedLogins);
    closes_ = true;
    answer(http::status::too_many_requests,
           fmt::format("RATELIMITED retry_ms={} too many logins from this address failed\n",
                       barred->count()));
    return true;
  }

  void note_refusal(const boost::asio::ip::tcp::endpoint& from, const auth::Principal* principal) {
    const std::string peer = from.address().to_string() + ":" + std::to_string(from.port());
    const auto code = principal != nullptr ? base::ErrorCode::kNoPerm : base::ErrorCode::kNoAuth;
    door_.audit_log.note_refusal(
        {.what = "GET /metrics",
         .token = principal != nullptr ? std::string_view(principal->id) : "",
         .peer = peer,
         .names = "",
         .outcome = base::error_word(code)});
  }

  Doorman& doorman() const { return door_.host.doorman(); }

  std::optional<boost::asio::ip::tcp::endpoint> peer() {
    error_code error;
    const auto peer = beast::get_lowest_layer(stream_).socket().remote_endpoint(error);
    return error ? std::nullopt : std::optional(peer);
  }

  void answer(http::status status, std::string body) {
    const auto& request = parser_->get();
    response_ = {};
    response_.version(request.version());
    response_.result(status);
    if (status == http::status::unauthorized) {
      response_.set(http::field::www_authenticate, "Bearer");
    }
    if (status == http::status::method_not_allowed) response_.set(http::field::allow, "GET, HEAD");
    response_.set(http::field::content_type, kPlain);
    response_.set("X-Content-Type-Options", "nosniff");
    response_.set(http::field::cache_control, "no-store");
    response_.keep_alive(request.keep_alive() && !closes_);
    const size_t size = body.size();
    if (request.method() != http::verb::head) response_.body() = std::move(body);
    response_.content_length(size);
    expires_after(kHttpHeaderTime);
    http::async_write(stream_, response_,
                      [self = this->shared_from_this()](error_code error, size_t) {
                        if (error || !self->response_.keep_alive()) return self->end();
                        self->read();
                      });
  }

  void end() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      expires_after(kHttpHeaderTime);
      stream_.async_shutdown([self = this->shared_from_this()](error_code) {});
    } else {
      error_code ignored;
      stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
    }
  }

  void expires_after(std::chrono::seconds time) {
    beast::get_lowest_layer(stream_).expires_after(time);
  }

  Stream stream_;
  const HttpDoor door_;
  bool is_fresh_ = true;  // Has asked nothing yet.
  bool closes_ = false;   // After this answer.
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

void start_http_session(boost::asio::ip::tcp::socket socket, const HttpDoor& door) {
  PlainStream plain(std::move(socket));
  if (door.tls == nullptr) {
    std::make_shared<HttpSession<PlainStream>>(std::move(plain), door)->start();
  } else {
    TlsStream stream(std::move(plain), door.tls->context());
    std::make_shared<HttpSession<TlsStream>>(std::move(stream), door)->start();
  }
}

}  // namespace server
