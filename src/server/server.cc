#include "server/server.h"

#include <boost/asio/post.hpp>
#include <csignal>

#include "base/log.h"
#include "server/http_session.h"

namespace server {

using base::ErrorCode;
using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr size_t kConnectionsMax = 10'000;
// Acks in flight get this long at shutdown.
constexpr std::chrono::milliseconds kShutdownGrace{1'000};
constexpr int kBacklog = 1'024;

std::string text_of(const tcp::acceptor& acceptor) {
  const tcp::endpoint bound = acceptor.local_endpoint();
  const std::string host = bound.address().to_string();
  const bool v6 = bound.address().is_v6();
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(bound.port());
}

void set_socket_options(tcp::socket& socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  // A worker whose machine vanished is noticed: the lease it might wait for is not lost on it.
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  using KeepIdle = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using KeepInterval = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using UserTimeout = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  socket.set_option(KeepIdle(15), ignored);
  socket.set_option(KeepInterval(5), ignored);
  socket.set_option(UserTimeout(10'000), ignored);
}

}  // namespace

struct Server::Question : engine::Request {
  std::function<void(const core::Reply&)> done;
};

Server::Server(engine::Engine& engine, const base::Clock& clock, std::string token)
    : engine_(engine), clock_(clock), token_(std::move(token)), started_(clock.mono()) {}

Server::~Server() = default;

base::Status Server::bind(Acceptor& acceptor, const Address& address) {
  const std::string name = address.host + ":" + std::to_string(address.port);
  const auto fail = [&](const error_code& error) {
    return base::fail(ErrorCode::kUnavailable, "cannot listen on {}: {}", name, error.message());
  };
  error_code error;
  const auto host = boost::asio::ip::make_address(address.host, error);
  if (error) return base::fail(ErrorCode::kBadReq, "{} is not an IP address", address.host);
  if (!host.is_loopback() && token_.empty()) {
    return base::fail(ErrorCode::kBadReq,
                      "{} can be reached from other machines: give --token-file, or listen on "
                      "127.0.0.1",
                      name);
  }
  const tcp::endpoint endpoint(host, address.port);
  acceptor.open(endpoint.protocol(), error);
  if (error) return fail(error);
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  acceptor.bind(endpoint, error);
  if (error) return fail(error);
  acceptor.listen(kBacklog, error);
  if (error) return fail(error);
  return {};
}

base::Status Server::listen(const Address& resp, const Address& http) {
  TRY(bind(resp_acceptor_, resp));
  TRY(bind(http_acceptor_, http));
  // Before anybody is told that the server is ready: from then on a signal means a stop in order.
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  return {};
}

std::string Server::resp_address() const { return text_of(resp_acceptor_); }
std::string Server::http_address() const { return text_of(http_acceptor_); }

LocalContext Server::local_context() {
  return {engine_, clock_, token_, started_, sessions_.size()};
}

bool Server::is_ready() const {
  return !shutting_down_ && engine_.space().disk != store::DiskLevel::kFull;
}

// --- Connections.

void Server::accept_resp() {
  resp_acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted || shutting_down_) return;
    if (!error && sessions_.size() >= kConnectionsMax) {
      error_code ignored;
      const std::string refusal =
          fmt::format("-MAXCONN limit={} connections: close some, or share them\r\n", kConnectionsMax);
      socket.write_some(boost::asio::buffer(refusal), ignored);
    } else if (!error) {
      set_socket_options(socket);
      const uint64_t id = next_session_++;
      auto session = std::make_unique<Session>(std::move(socket), *this, id);
      Session& started = *session;
      sessions_.emplace(id, std::move(session));
      started.start();
    }
    accept_resp();
  });
}

void Server::accept_http() {
  http_acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted || shutting_down_) return;
    if (!error) start_http_session(std::move(socket), *this);
    accept_http();
  });
}

void Server::session_ended(Session& session) {
  boost::asio::post(io_, [this, id = session.id()] { sessions_.erase(id); });
}

// --- Answers.

// On the engine or commit thread.
void Server::released(std::vector<engine::Request*>&& requests) {
  boost::asio::post(io_, [this, held = std::move(requests)] { hand_out(held); });
}

void Server::hand_out(const std::vector<engine::Request*>& requests) {
  std::vector<Session*> touched;
  for (engine::Request* request : requests) {
    if (const auto question = questions_.find(request); question != questions_.end()) {
      const std::unique_ptr<Question> asked = std::move(question->second);
      questions_.erase(question);
      asked->done(asked->answer.reply);
      continue;
    }
    auto& slot = static_cast<Slot&>(*request);
    Session& owner = *slot.owner;
    owner.answered(slot);
    if (owner.flush_wanted) continue;
    owner.flush_wanted = true;
    touched.push_back(&owner);
  }
  for (Session* session : touched) {
    session->flush_wanted = false;
    session->flush();
  }
}

void Server::fetch_queue_stats(std::function<void(const core::Reply&)> done) {
  auto question = std::make_unique<Question>();
  question->done = std::move(done);
  question->command.body = core::QueueStatsAll{};
  question->order = &questions_order_;
  question->lane = engine::Lane::kFetch;
  engine::Request* request = question.get();
  questions_.emplace(request, std::move(question));
  if (engine_.submit(std::span(&request, 1)).empty()) return;
  request->answer.reply.error(ErrorCode::kOverloaded, "the server has more than it can take");
  hand_out({request});
}

// --- Life.

int Server::run() {
  engine_.start(
      [this](std::vector<engine::Request*>&& requests) { released(std::move(requests)); },
      [](const base::Error& error) {
        // What was in flight may or may not be on disk: nobody is told anything any more. A restart
        // reads what there is.
        LOG(kError, "the journal failed; the server ends here", {"error", error.message});
        std::_Exit(kExitIo);
      });
  wait_for_signal();
  accept_resp();
  accept_http();
  io_.run();
  return exit_code_;
}

void Server::wait_for_signal() {
  signals_.async_wait([this](error_code error, int signal) {
    if (error) return;
    LOG(kInfo, "shutting down", {"signal", signal});
    shut_down();
    signals_.async_wait([this](error_code again, int) {
      if (!again) close_all();
    });
  });
}

// No new connections and no new leases; acks in flight get a moment.
void Server::shut_down() {
  shutting_down_ = true;
  error_code ignored;
  resp_acceptor_.close(ignored);
  engine_.quiesce();
  grace_.expires_after(kShutdownGrace);
  grace_.async_wait([this](error_code error) {
    if (!error) close_all();
  });
}

void Server::close_all() {
  grace_.cancel();
  error_code ignored;
  http_acceptor_.close(ignored);
  // What is applied becomes durable and its answers go out before the connections end.
  const base::Status stopped = engine_.stop();
  if (!stopped) {
    LOG(kError, "the journal was not closed in order", {"error", stopped.error().message});
    exit_code_ = kExitIo;
  }
  boost::asio::post(io_, [this] { io_.stop(); });
}

}  // namespace server
