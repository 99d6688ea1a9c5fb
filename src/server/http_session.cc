#include "server/http_session.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <memory>
#include <optional>
#include <sstream>

#include "base/log.h"
#include "server/connection_limits.h"

namespace server {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr const char* kPlain = "text/plain; charset=utf-8";

// Beast parses and writes messages; it does not see the connection. Its own reads and writes are
// templates over streams that take as long to compile as the rest of this folder.
//
// Owned by the callbacks of its pending operations (hence shared): when none is left it ends. The
// deadline does not own it.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(Connection connection, const HttpDoor& door, std::shared_ptr<HttpPlace> place)
      : connection_(std::move(connection)),
        peer_(connection_.remote_endpoint()),
        deadline_(connection_.loop()),
        door_(door),
        place_(std::move(place)) {}

  void start() { begin(kHttpHeaderTime); }

 private:
  // Of the one request that is being read or answered.
  enum class Stage : uint8_t {
    kAwaited,  // No byte of it has come.
    kHeader,
    kBody,
    kAnswered,  // Nothing is read meanwhile.
    kLingering,
  };

  // The first bytes of a request may be long in coming; of a fresh connection, not.
  void begin(std::chrono::seconds time) {
    stage_ = Stage::kAwaited;
    header_bytes_ = 0;
    parser_.emplace();
    parser_->header_limit(kHttpHeaderBytesMax);
    parser_->body_limit(kHttpBodyBytesMax);
    expires_after(time);
    if (input_.size() == 0) return wait_for_bytes();
    // Others have their turn between two requests that came at once.
    boost::asio::post(connection_.loop(), [self = shared_from_this()] { self->parse(); });
  }

  void wait_for_bytes() {
    connection_.wait_for_bytes([self = shared_from_this()](error_code error) {
      if (!error) self->read();
    });
  }

  void read() {
    error_code error;
    const size_t size = connection_.read_some(input_.prepare(kHttpHeaderBytesMax), error);
    if (error == boost::asio::error::would_block) return wait_for_bytes();
    if (stage_ == Stage::kLingering) return linger(size, error);
    if (error) {
      // What is cut off is not answered.
      if (error == boost::asio::error::eof && stage_ == Stage::kAwaited) end();
      return;
    }
    input_.commit(size);
    parse();
  }

  void parse() {
    if (stage_ == Stage::kAwaited) {
      stage_ = Stage::kHeader;
      if (speaks_resp()) return refuse_resp();
      expires_after(kHttpHeaderTime);
    }
    while (!parser_->is_done()) {
      // Given nothing of a body, the parser would say that all is well, and again, and again.
      if (input_.size() == 0) return wait_for_bytes();
      error_code error;
      const size_t used = parser_->put(input_.data(), error);
      input_.consume(used);
      if (stage_ == Stage::kHeader) header_bytes_ += used;
      if (error == http::error::need_more) {
        // The parser's own bound is that of one call; and it has none for the headers of chunks and
        // what follows the last one.
        const size_t held = input_.size() + (stage_ == Stage::kHeader ? header_bytes_ : 0);
        if (held >= kHttpHeaderBytesMax) return refuse(http::error::header_limit);
        return wait_for_bytes();
      }
      if (error) return refuse(error);
      if (stage_ == Stage::kHeader && parser_->is_header_done()) {
        if (!check_header()) return;
        stage_ = Stage::kBody;
        parser_->eager(true);
      }
    }
    handle();
  }

  // Answers a header that is too long, or that it cannot follow, by itself.
  bool check_header() {
    const auto& request = parser_->get();
    const bool has_unknown_coding =
        request.count(http::field::transfer_encoding) != 0 && !parser_->chunked();
    if (header_bytes_ > kHttpHeaderBytesMax || has_unknown_coding) {
      refuse(has_unknown_coding ? http::error::bad_transfer_encoding : http::error::header_limit);
      return false;
    }
    if (request.target().size() > kHttpUrlBytesMax) {
      closes_ = true;
      answer(http::status::uri_too_long, fmt::format("TOOBIG limit={} got={} bytes of a URL\n",
                                                     kHttpUrlBytesMax, request.target().size()));
      return false;
    }
    const auto headers = static_cast<size_t>(std::distance(request.begin(), request.end()));
    if (headers > kHttpHeadersMax) {
      closes_ = true;
      answer(http::status::request_header_fields_too_large,
             fmt::format("TOOBIG limit={} got={} headers\n", kHttpHeadersMax, headers));
      return false;
    }
    // A body may take as long as its bytes do at the least speed.
    const uint64_t size = parser_->content_length_remaining().value_or(kHttpBodyBytesMax);
    const auto longest = std::min<uint64_t>(size, kHttpBodyBytesMax) / kHttpBodyBytesPerSecond;
    expires_after(kHttpHeaderTime + std::chrono::seconds(longest));
    return true;
  }

  // A client of the other port. No method of HTTP begins so.
  bool speaks_resp() const { return *static_cast<const char*>(input_.data().data()) == '*'; }

  void refuse_resp() {
    put_out(Closure::kRespOnHttp);
    closes_ = true;
    answer(http::status::bad_request,
           fmt::format("this port speaks HTTP; RESP is spoken at {}\n", door_.host.resp_text()));
  }

  void put_out(Closure why) {
    doorman().count(why);
    if (!doorman().may_log(Doorman::Topic::kClosure)) return;
    LOG(kWarning, "an HTTP connection is closed", {"peer", peer_.address().to_string()},
        {"reason", closure_word(why)});
  }

  // What cannot be read is answered, and ends the connection.
  void refuse(error_code error) {
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
    stop_deadline();
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
      return door_.host.fetch_stats(*reader, [self = shared_from_this()](const auto& stats) {
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
    constexpr std::string_view kScheme = "Bearer ";
    const auto header = parser_->get()[http::field::authorization];
    const std::string_view given(header.data(), header.size());
    auth::PrincipalPtr principal;
    if (given.starts_with(kScheme)) {
      if (is_barred()) return std::nullopt;
      principal = door_.roll.find("", given.substr(kScheme.size()), door_.clock.wall());
      if (!principal) doorman().login_failed(peer_.address(), door_.clock.mono());
    }
    if (principal && principal->rights.allow_all(set_of(core::Right::kRead))) return principal;
    // Without credentials it is a question, which anybody may ask any number of times.
    if (!given.empty()) note_refusal(principal.get());
    if (principal) {
      answer(http::status::forbidden, "NOPERM need=read queue=* this token may not read all\n");
    } else {
      answer(http::status::unauthorized,
             "NOAUTH give a token with the scope read:*, as Authorization: Bearer id.secret\n");
    }
    return std::nullopt;
  }

  // Answers a token from an address that has given too many wrong ones.
  bool is_barred() {
    const auto barred = doorman().barred_for(peer_.address(), door_.clock.mono());
    if (!barred) return false;
    doorman().count(Closure::kFailedLogins);
    closes_ = true;
    answer(http::status::too_many_requests,
           fmt::format("RATELIMITED retry_ms={} too many logins from this address failed\n",
                       barred->count()));
    return true;
  }

  void note_refusal(const auth::Principal* principal) {
    const std::string peer = peer_.address().to_string() + ":" + std::to_string(peer_.port());
    const auto code = principal != nullptr ? base::ErrorCode::kNoPerm : base::ErrorCode::kNoAuth;
    door_.audit_log.note_refusal(
        {.what = "GET /metrics",
         .token = principal != nullptr ? std::string_view(principal->id) : "",
         .peer = peer,
         .names = "",
         .outcome = base::error_word(code)});
  }

  Doorman& doorman() const { return door_.host.doorman(); }

  void answer(http::status status, std::string body) {
    const auto& request = parser_->get();
    http::response<http::string_body> response;
    response.version(request.version());
    response.result(status);
    if (status == http::status::unauthorized) {
      response.set(http::field::www_authenticate, "Bearer");
    }
    if (status == http::status::method_not_allowed) response.set(http::field::allow, "GET, HEAD");
    response.set(http::field::content_type, kPlain);
    response.set("X-Content-Type-Options", "nosniff");
    response.set(http::field::cache_control, "no-store");
    closes_ = closes_ || !request.keep_alive();
    response.keep_alive(!closes_);
    const size_t size = body.size();
    if (request.method() != http::verb::head) response.body() = std::move(body);
    response.content_length(size);
    std::ostringstream bytes;
    bytes << response;
    output_ = std::move(bytes).str();
    written_ = 0;
    stage_ = Stage::kAnswered;
    expires_after(kHttpHeaderTime);
    write();
  }

  void write() {
    while (written_ < output_.size()) {
      error_code error;
      const auto left = boost::asio::buffer(output_) + written_;
      written_ += connection_.write_some(left, error);
      if (error == boost::asio::error::would_block) {
        return connection_.wait_for_room([self = shared_from_this()](error_code gone) {
          if (!gone) self->write();
        });
      }
      if (error) return;
    }
    output_.clear();
    output_.shrink_to_fit();  // It may be idle for long.
    if (closes_) return end();
    begin(kHttpIdleTime);
  }

  // What has come and was not read would make the end a reset, and the answer could be lost in it.
  void end() {
    connection_.end_sending();
    stage_ = Stage::kLingering;
    expires_after(kHttpLingerTime);
    wait_for_bytes();
  }

  void linger(size_t size, const error_code& error) {
    lingered_ += size;
    if (!error && lingered_ < kLingerBytesMax) wait_for_bytes();
  }

  void expires_after(std::chrono::seconds time) {
    deadline_.expires_after(time);
    deadline_.async_wait([weak = weak_from_this(), set = ++deadlines_set_](error_code error) {
      const auto self = error ? nullptr : weak.lock();
      // It may have been moved while this call was on its way.
      if (self && self->deadlines_set_ == set) self->give_up();
    });
  }

  // The answer takes as long as the engines take for it.
  void stop_deadline() {
    ++deadlines_set_;
    deadline_.cancel();
  }

  void give_up() {
    if (stage_ < Stage::kAnswered) put_out(Closure::kHttpTime);
    connection_.close();
  }

  Connection connection_;
  const boost::asio::ip::tcp::endpoint peer_;
  boost::asio::steady_timer deadline_;
  uint64_t deadlines_set_ = 0;
  const HttpDoor door_;
  const std::shared_ptr<HttpPlace> place_;
  Stage stage_ = Stage::kAwaited;
  bool closes_ = false;  // After this answer.
  boost::beast::flat_buffer input_;
  size_t header_bytes_ = 0;  // That the parser has taken.
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string output_;
  size_t written_ = 0;   // Bytes of it.
  size_t lingered_ = 0;  // Bytes that nobody wanted.
};

}  // namespace

void start_http_session(Connection connection, const HttpDoor& door,
                        std::shared_ptr<HttpPlace> place) {
  std::make_shared<HttpSession>(std::move(connection), door, std::move(place))->start();
}

}  // namespace server
