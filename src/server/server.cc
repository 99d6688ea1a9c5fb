#include "server/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <ranges>

#include "base/assert.h"
#include "base/log.h"
#include "server/http_session.h"

namespace server {

using base::ErrorCode;
using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

// Files that the journal and the process itself need: connections leave them free, since a journal
// that cannot open its next file ends the server.
constexpr size_t kFilesReserved = 128;
static_assert(kTurnedAwayMax < kFilesReserved);
// Acks in flight get at most this long at shutdown; looked after at each tick.
constexpr std::chrono::milliseconds kShutdownGrace{1'000};
constexpr std::chrono::milliseconds kShutdownTick{5};
// After an accept that failed, mostly for want of files: at once, it would fail again.
constexpr std::chrono::milliseconds kAcceptPause{50};
constexpr int kBacklog = 1'024;
// How soon a change of the tokens is noticed, and an expiry.
constexpr std::chrono::milliseconds kTokensLookedAt{400};

// As many of `wanted` as there are files for.
size_t connections_max(size_t wanted) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  constexpr size_t kOthers = kFilesReserved + kHttpConnectionsMax;
  const size_t most = files.rlim_cur > kOthers ? files.rlim_cur - kOthers : 1;
  return std::min(wanted, most);
}

std::string text_of(const tcp::acceptor& acceptor) {
  const tcp::endpoint bound = acceptor.local_endpoint();
  const std::string host = bound.address().to_string();
  const bool v6 = bound.address().is_v6();
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(bound.port());
}

// After which the kernel gives up a peer that acknowledges nothing.
constexpr int kUserTimeoutMs = 10'000;

// To clients that speak without TLS where it is asked for.
constexpr std::string_view kPlainRespAnswer =
    "-ERR this port speaks TLS only: use drays://, or --tls of redis-cli\r\n";
constexpr std::string_view kPlainHttpAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 44\r\nConnection: close\r\n\r\n"
    "this port speaks TLS only: use an https URL\n";

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
  socket.set_option(UserTimeout(kUserTimeoutMs), ignored);
}

}  // namespace

// Sessions count from 1.
constexpr uint64_t kSessionOfMetrics = 0;
constexpr uint64_t kSessionOfFeed = UINT64_MAX;

struct Server::Question : engine::Request {
  Shard* shard = nullptr;
  std::function<void(const core::Reply&)> done;
};

Server::Server(const std::vector<Served>& namespaces, engine::BufferGauge& buffers,
               const base::Clock& clock, Guards guards)
    : gauge_(buffers),
      clock_(clock),
      guards_(guards),
      started_(clock.mono()),
      keeper_(buffers, [this] { boost::asio::post(io_, [this] { watch_buffers(); }); }) {
  ASSERT(!namespaces.empty() && namespaces.front().name == auth::kDefaultNamespace);
  const auto ask_for_events = [this](Shard& shard, core::CommandBody command,
                                     EventFeed::Done done) {
    ask(shard, kSessionOfFeed, std::move(command), engine::Lane::kPush, std::move(done));
  };
  const auto later = [this](std::function<void()> go_on) {
    boost::asio::post(io_, std::move(go_on));
  };
  for (const Served& served : namespaces) {
    shards_.push_back(std::make_unique<Shard>(served, ask_for_events, later));
  }
  set_limits({});
  resp_.admit = [this](Socket socket) { admit_resp(std::move(socket)); };
  http_.admit = [this](Socket socket) { admit_http(std::move(socket)); };
}

Server::~Server() = default;

void Server::set_limits(const ConnectionLimits& limits) {
  limits_ = limits;
  limits_.connections_max = connections_max(limits.connections_max);
}

base::Status Server::bind(Acceptor& acceptor, const Address& address) {
  const std::string name = address.host + ":" + std::to_string(address.port);
  const auto fail = [&](const error_code& error) {
    return base::fail(ErrorCode::kUnavailable, "cannot listen on {}: {}", name, error.message());
  };
  error_code error;
  const auto host = boost::asio::ip::make_address(address.host, error);
  if (error) return base::fail(ErrorCode::kBadReq, "{} is not an IP address", address.host);
  const bool guarded = !guards_.roll.is_public() && guards_.tls != nullptr;
  if (!host.is_loopback() && !guarded && !guards_.accepts_risk) {
    return base::fail(ErrorCode::kBadReq,
                      "{} can be reached from other machines, which needs tokens ({}: dray token "
                      "create, or --token-file) and TLS ({}: --tls-cert and --tls-key). Give them, "
                      "or listen on 127.0.0.1. Where something else guards it, such as a tunnel, "
                      "say --insecure-i-know",
                      name, guards_.roll.is_public() ? "there are none" : "there are some",
                      guards_.tls == nullptr ? "it is off" : "it is on");
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
  TRY(bind(resp_.acceptor, resp));
  bound_ = text_of(resp_.acceptor);
  TRY(bind(http_.acceptor, http));
  // Before anybody is told that the server is ready: from then on a signal means a stop in order.
  TRY(signals_.open());
  wait_for_signal();
  return {};
}

std::string Server::resp_address() const {
  return text_of(resp_.acceptor);
}
std::string Server::http_address() const {
  return text_of(http_.acceptor);
}

LocalContext Server::local_context() {
  return {shards_, clock_, guards_.roll, started_, sessions_.size(), bound_};
}

bool Server::is_ready() const {
  return !stopping_ && pressure() != engine::Pressure::kRed;
}

engine::Pressure Server::pressure() const {
  engine::Pressure most = engine::Pressure::kNone;
  for (const auto& shard : shards_) {
    if (shard->engine->space().disk == store::DiskLevel::kFull) return engine::Pressure::kRed;
    const uint64_t level = shard->engine->counters().pressure.load();
    most = std::max(most, static_cast<engine::Pressure>(level));
  }
  return most;
}

// --- Connections.

void Server::accept(Door& door) {
  door.acceptor.async_accept([this, &door](error_code error, Socket socket) {
    if (!door.acceptor.is_open()) return;
    if (!error) {
      door.admit(std::move(socket));
      return accept(door);
    }
    LOG(kWarning, "a connection could not be accepted", {"error", error.message()});
    door.pause.expires_after(kAcceptPause);
    door.pause.async_wait([this, &door](error_code) {
      if (door.acceptor.is_open()) accept(door);
    });
  });
}

void Server::admit_resp(Socket socket) {
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // It is gone already.
  const auto refusal = doorman_.refusal(
      peer.address(), {.connections = sessions_.size() + handshakes_,
                       .logs_in = !guards_.roll.is_public() || guards_.tls != nullptr,
                       .pressed = gauge_.pressure() >= engine::Pressure::kOrange});
  if (refusal) return turn_away(std::move(socket), *refusal);
  set_socket_options(socket);
  if (guards_.tls == nullptr) return start_session(Connection(std::move(socket)));
  // Whoever shakes hands is a stranger, and takes up as much as a connection.
  ++handshakes_;
  doorman_.stranger_came(peer.address());
  start_handshake(std::move(socket), *guards_.tls,
                  {.plain_answer = kPlainRespAnswer,
                   .done =
                       [this](Connection connection) {
                         if (!stopping_) start_session(std::move(connection));
                       },
                   .failed = [this](const auto& address,
                                    std::string_view why) { handshake_failed(address, why); },
                   .over =
                       [this, address = peer.address()] {
                         --handshakes_;
                         doorman_.stranger_left(address);
                       }});
}

void Server::handshake_failed(const boost::asio::ip::address& address, std::string_view why) {
  doorman_.count(Closure::kHandshake);
  if (!doorman_.may_log(Doorman::Topic::kClosure)) return;
  LOG(kInfo, "a TLS handshake failed", {"peer", address.to_string()}, {"why", why});
}

void Server::start_session(Connection connection) {
  const uint64_t id = next_session_++;
  auto session = std::make_unique<Session>(std::move(connection), *this, id);
  Session& started = *session;
  sessions_.emplace(id, std::move(session));
  started.start();
}

void Server::admit_http(Socket socket) {
  error_code error;
  const bool is_near = socket.remote_endpoint(error).address().is_loopback();
  if (http_connections_ + (is_near ? 0 : kHttpConnectionsReserved) >= kHttpConnectionsMax) {
    return turn_away(std::move(socket), Refusal::kHttpConnections);
  }
  set_socket_options(socket);
  const HttpDoor door{*this, clock_, guards_.roll, guards_.audit_log};
  auto place = std::make_shared<HttpPlace>(http_connections_);
  if (guards_.tls == nullptr) {
    return start_http_session(Connection(std::move(socket)), door, std::move(place));
  }
  start_handshake(std::move(socket), *guards_.tls,
                  {.plain_answer = kPlainHttpAnswer,
                   .done =
                       [door, place = std::move(place)](Connection connection) {
                         start_http_session(std::move(connection), door, place);
                       },
                   .failed = [this](const auto& address,
                                    std::string_view why) { handshake_failed(address, why); },
                   .over = [] {}});
}

void Server::session_ended(Session& session) {
  boost::asio::post(io_, [this, id = session.id()] { sessions_.erase(id); });
}

// --- Tokens and certificates.

void Server::watch_tokens() {
  tokens_watch_.expires_after(kTokensLookedAt);
  tokens_watch_.async_wait([this](error_code error) {
    if (error || ended_) return;
    read_tokens();
    watch_tokens();
  });
}

void Server::read_tokens() {
  const auto change = guards_.roll.refresh();
  const auto note = [&](std::string_view what, std::string_view token, std::string_view outcome) {
    guards_.audit_log.note(
        {.what = what, .token = token, .peer = "", .names = "", .outcome = outcome});
  };
  if (!change) {
    LOG(kError, "the tokens could not be read; those of before go on",
        {"why", change.error().message});
    note("tokens read", "", base::error_word(change.error().code));
  } else {
    for (const std::string& id : change->added) note("token added", id, "OK");
    for (const std::string& id : change->removed) note("token removed", id, "OK");
  }
  const bool expired = guards_.roll.anything_expired(clock_.wall());
  if (expired || !change || change->changed) send_away();
}

// Those whose token is not good any more.
void Server::send_away() {
  std::vector<Session*> leaving;
  for (const auto& [id, session] : sessions_) {
    if (!session->may_stay()) leaving.push_back(session.get());
  }
  if (!leaving.empty()) LOG(kInfo, "connections of tokens that ended", {"closed", leaving.size()});
  for (Session* session : leaving) session->close();
}

void Server::read_certificates() {
  if (guards_.tls == nullptr) return;
  if (const base::Status loaded = guards_.tls->load(); !loaded) {
    LOG(kError, "the certificates could not be read; those of before go on",
        {"why", loaded.error().message});
  }
}

// --- To the engines and back.

// All that one look at the sockets found goes to an engine together: what is posted runs after the
// handlers that are ready now.
void Server::lend(Shard& shard, std::span<engine::Request* const> requests) {
  if (shard.lent.empty()) boost::asio::post(io_, [this, &shard] { submit_lent(shard); });
  shard.lent.insert(shard.lent.end(), requests.begin(), requests.end());
}

void Server::submit_lent(Shard& shard) {
  if (shard.is_held) return;
  shard.out += shard.lent.size();
  const std::vector<engine::Request*> refused = shard.engine->submit_or_run(shard.lent);
  shard.lent.clear();
  for (engine::Request* request : refused) {
    request->answer.reply.error(ErrorCode::kOverloaded,
                                "retry_ms=100 the server has more commands than it can take");
    // As the engine does for what it answers.
    if (request->heavy) request->order->reply_bytes += request->answer.reply.tape().size();
  }
  hand_out(refused, 0);
}

// On the thread that runs the turn or synced it. What several turns released while the I/O thread
// was busy is handed out together: one write to each connection.
void Server::released(std::vector<engine::Request*>&& requests) {
  bool is_first = false;
  {
    const std::lock_guard lock(released_mutex_);
    is_first = released_.empty();
    if (is_first) {
      released_ = std::move(requests);
    } else {
      released_.insert(released_.end(), requests.begin(), requests.end());
    }
  }
  if (is_first) boost::asio::post(io_, [this] { hand_out_released(); });
}

void Server::hand_out_released() {
  std::vector<engine::Request*> requests;
  {
    const std::lock_guard lock(released_mutex_);
    requests.swap(released_);
  }
  uint64_t bytes = 0;
  for (const engine::Request* request : requests) bytes += request->answer.reply.tape().size();
  hand_out(requests, bytes);
}

void Server::hand_out(const std::vector<engine::Request*>& requests, uint64_t on_the_way) {
  std::vector<Session*> touched;
  std::vector<std::unique_ptr<Question>> own;
  for (engine::Request* request : requests) {
    if (request->session == kSessionOfMetrics || request->session == kSessionOfFeed) {
      own.push_back(std::move(questions_.extract(request).mapped()));
      --own.back()->shard->out;
      continue;
    }
    auto& slot = static_cast<Slot&>(*request);
    Session& owner = *slot.owner;
    --owner.shard().out;
    owner.answered(slot);
    if (owner.flush_wanted) continue;
    owner.flush_wanted = true;
    touched.push_back(&owner);
  }
  // The last first: at the end of a turn stand the fetches that it fed, and each write that wakes
  // another client would make their workers wait longer.
  for (Session* session : std::views::reverse(touched)) {
    session->flush_wanted = false;
    session->flush();
  }
  // By now the sessions count them as theirs; what is asked next (metrics) sees each byte once.
  gauge_.replies_taken(on_the_way);
  // Events come behind the answers of their batch.
  for (const auto& question : own) question->done(question->answer.reply);
  for (const auto& shard : shards_) {
    if (shard->is_held) renew_if_quiet(*shard);
  }
}

// Of all namespaces that the asker may enter; they are asked at the same time.
void Server::fetch_stats(const auth::PrincipalPtr& asker, StatsDone done) {
  struct Gathered {
    std::vector<NamespaceStats> stats;
    size_t missing = 0;
    StatsDone done;
  };
  const auto gathered = std::make_shared<Gathered>();  // Of the questions that are under way.
  gathered->done = std::move(done);
  for (const auto& shard : shards_) {
    if (!asker || asker->may_enter(shard->name)) gathered->stats.push_back({*shard, {}});
  }
  gathered->missing = gathered->stats.size();
  if (gathered->missing == 0) return gathered->done({});
  for (size_t at = 0; at < gathered->stats.size(); ++at) {
    ask(gathered->stats[at].shard, kSessionOfMetrics, core::QueueStatsAll{}, engine::Lane::kFetch,
        [gathered, at](const core::Reply& queues) {
          gathered->stats[at].queues.append(queues);
          if (--gathered->missing == 0) gathered->done(gathered->stats);
        });
  }
}

void Server::ask(Shard& shard, uint64_t session, core::CommandBody command, engine::Lane lane,
                 std::function<void(const core::Reply&)> done) {
  auto question = std::make_unique<Question>();
  question->shard = &shard;
  question->done = std::move(done);
  question->command.body = std::move(command);
  question->session = session;
  question->order = session == kSessionOfFeed ? &shard.feed_order : &shard.own_order;
  question->lane = lane;
  engine::Request* request = question.get();
  questions_.emplace(request, std::move(question));
  lend(shard, std::span(&request, 1));
}

// --- Life.

int Server::run() {
  for (const auto& shard : shards_) start(*shard);
  accept(resp_);
  accept(http_);
  wait_for_tick();
  watch_tokens();
  io_.run();
  sessions_.clear();  // Their connections end; the engine has let go of all that was theirs.
  return exit_code_;
}

void Server::start(Shard& shard) {
  shard.engine->start(
      [this](std::vector<engine::Request*>&& requests) { released(std::move(requests)); },
      [&shard](const base::Error& error) {
        // What was in flight may or may not be on disk: nobody is told anything any more. A restart
        // reads what there is.
        LOG(kError, "the disk failed; the server ends here", {"namespace", shard.name},
            {"error", error.message});
        std::_Exit(error.code == base::ErrorCode::kCorrupt ? kExitCorrupt : kExitIo);
      });
}

void Server::request_stop() {
  boost::asio::post(io_, [this] { stop(); });
}

void Server::wait_for_signal() {
  signals_.wait([this](int signal) {
    if (signal == SIGHUP) {
      if (reload_) reload_();
      LOG(kInfo, "reading tokens and certificates anew");
      read_tokens();
      read_certificates();
    } else {
      LOG(kInfo, "shutting down", {"signal", signal});
      stop();
    }
    wait_for_signal();
  });
}

void Server::stop() {
  if (stopping_) return end();
  begin_stop();
}

// No new connections and no new leases; what is under way gets a moment. HTTP goes on, to say that
// the server is not ready.
void Server::begin_stop() {
  stopping_ = true;
  stop_deadline_ = clock_.mono() + kShutdownGrace;
  error_code ignored;
  resp_.acceptor.close(ignored);
  for (const auto& shard : shards_) {
    shard->feed.stop();
    shard->engine->quiesce();
  }
  wait_for_answers();
}

void Server::wait_for_answers() {
  tick_.expires_after(kShutdownTick);
  tick_.async_wait([this](error_code error) {
    if (error || ended_) return;
    const auto is_busy = [](const auto& entry) { return entry.second->is_busy(); };
    const bool over = std::ranges::none_of(sessions_, is_busy) || clock_.mono() >= stop_deadline_;
    if (over) return end();
    wait_for_answers();
  });
}

void Server::end() {
  if (ended_) return;
  ended_ = true;
  watch_.cancel();
  tokens_watch_.cancel();
  error_code ignored;
  resp_.acceptor.close(ignored);
  http_.acceptor.close(ignored);
  for (const auto& entry : sessions_) entry.second->end_fetches();
  // What is applied becomes durable, and its answers are posted to this thread, before the last
  // word is: that the loop may end.
  for (const auto& shard : shards_) end_shard(*shard);
  boost::asio::post(io_, [this] { io_.stop(); });
}

}  // namespace server
