#include "server/http_session.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <memory>
#include <optional>
#include <sstream>

#include "base/log.h"
#include "server/connection_limits.h"
#include "server/http_reader.h"

namespace server {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr const char* kPlain = "text/plain; charset=utf-8";

// Beast writes messages, and HttpReader has it parse them; it does not see the connection. Its own
// reads and writes are templates over streams that take as long to compile as the rest of this
// folder.
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
  enum class Stage : uint8_t {
    kReading,   // A request.
    kAnswered,  // Nothing is read meanwhile.
    kLingering,
  };

  // The first bytes of a request may be long in coming; of a fresh connection, not.
  void begin(std::chrono::seconds time) {
    stage_ = Stage::kReading;
    reader_.begin();
    expires_after(time);
    if (!reader_.has_bytes()) return wait_for_bytes();
    // Others have their turn between two requests that came at once.
    boost::asio::post(connection_.loop(), [self = shared_from_this()] { self->understand(); });
  }

  void wait_for_bytes() {
    connection_.wait_for_bytes([self = shared_from_this()](error_code error) {
      if (!error) self->read();
    });
  }

  void read() {
    error_code error;
    const size_t size = connection_.read_some(reader_.room(), error);
    if (error == boost::asio::error::would_block) return wait_for_bytes();
    if (stage_ == Stage::kLingering) return linger(size, error);
    if (error) {
      // What is cut off is not answered.
      const bool is_between = reader_.stage() == HttpReader::Stage::kAwaited;
      if (error == boost::asio::error::eof && is_between) end();
      return;
    }
    reader_.filled(size);
    understand();
  }

  void understand() {
    const HttpReader::Stage stage_before = reader_.stage();
    const HttpReader::Outcome outcome = reader_.read();
    if (reader_.stage() != stage_before) expires_after(time_for_rest());
    switch (outcome) {
      case HttpReader::Outcome::kNeedsBytes:
        return wait_for_bytes();
      case HttpReader::Outcome::kRequest:
        return handle();
      case HttpReader::Outcome::kRefused:
        closes_ = true;
        return answer(reader_.refusal().status, reader_.refusal().text);
      case HttpReader::Outcome::kResp:
        put_out(Closure::kRespOnHttp);
        closes_ = true;
        return answer(
            http::status::bad_request,
            fmt::format("this port speaks HTTP; RESP is spoken at {}\n", door_.host.resp_text()));
    }
  }

  // A body may take as long as its bytes do at the least speed.
  std::chrono::seconds time_for_rest() const {
    if (reader_.stage() != HttpReader::Stage::kBody) return kHttpHeaderTime;
    const uint64_t longest = reader_.body_bytes_most() / kHttpBodyBytesPerSecond;
    return kHttpHeaderTime + std::chrono::seconds(longest);
  }

  void put_out(Closure why) {
    doorman().count(why);
    if (!doorman().may_log(Doorman::Topic::kClosure)) return;
    LOG(kWarning, "an HTTP connection is closed", {"peer", peer_.address().to_string()},
        {"reason", closure_word(why)});
  }

  void handle() {
    stop_deadline();
    const auto& request = reader_.request();
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
    const auto header = reader_.request()[http::field::authorization];
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
    const auto& request = reader_.request();
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
    if (stage_ == Stage::kReading) put_out(Closure::kHttpTime);
    connection_.close();
  }

  Connection connection_;
  const boost::asio::ip::tcp::endpoint peer_;
  boost::asio::steady_timer deadline_;
  uint64_t deadlines_set_ = 0;
  const HttpDoor door_;
  const std::shared_ptr<HttpPlace> place_;
  Stage stage_ = Stage::kReading;
  bool closes_ = false;  // After this answer.
  HttpReader reader_;
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
