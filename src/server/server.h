// The running server: listeners, sessions, and the way of answers back from the engine.
//
// Threading: all on the I/O thread, which is the one that calls `run`; the engine and commit
// threads only post to it. `request_stop` may be called by any.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/roll.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "server/buffer_keeper.h"
#include "server/connection_limits.h"
#include "server/doorman.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/session.h"
#include "server/shard.h"
#include "server/signals.h"
#include "server/tls.h"

namespace server {

// What stands between strangers and the doors. All must outlive the server.
struct Guards {
  auth::Roll& roll;
  AuditLog& audit_log;
  Tls* tls = nullptr;         // Null: everything is plain.
  bool accepts_risk = false;  // --insecure-i-know: strangers may reach what is not guarded.
};

class Server final : public SessionHost, public MetricsHost {
 public:
  // All must outlive the server. The engines are recovered, not started; `buffers` is theirs.
  // Requires: the default namespace, and it comes first.
  Server(const std::vector<Served>& namespaces, engine::BufferGauge& buffers,
         const base::Clock& clock, Guards guards);
  ~Server() override;

  // What SIGHUP does before tokens and certificates are read anew, on the I/O thread. Call before
  // listen().
  void on_reload(std::function<void()> reload) { reload_ = std::move(reload); }
  // Before `listen`.
  void set_limits(const ConnectionLimits& limits);

  // Binds both addresses; from now on SIGTERM and SIGINT are requests to stop, and SIGHUP is one to
  // read tokens and certificates anew (signals.h says for which threads). Errors: UNAVAILABLE names
  // the address, BADREQ one that strangers can reach while it is not guarded, IO.
  base::Status listen(const Address& resp, const Address& http);
  // "host:port" as bound.
  std::string resp_address() const;
  std::string http_address() const;

  // Starts the engines, serves until a signal or a failed journal. Returns the exit code.
  int run();
  // What a signal does: an orderly end, and when called again an end at once.
  void request_stop();

  void lend(Shard& shard, std::span<engine::Request* const> requests) override;
  base::Status reset(Shard& shard, uint64_t asker) override;
  const Shards& shards() const override { return shards_; }
  const engine::BufferGauge& gauge() const override { return gauge_; }
  LocalContext local_context() override;
  const ConnectionLimits& limits() const override { return limits_; }
  Doorman& doorman() override { return doorman_; }
  BufferKeeper& buffers() override { return keeper_; }
  AuditLog& audit_log() override { return guards_.audit_log; }
  bool is_stopping() const override { return stopping_; }
  void session_ended(Session& session) override;

  bool is_ready() const override;
  engine::Pressure pressure() const override;
  size_t connections() const override { return sessions_.size(); }
  std::string resp_text() const override { return resp_address(); }
  void fetch_stats(const auth::PrincipalPtr& asker, StatsDone done) override;

 private:
  using Acceptor = boost::asio::ip::tcp::acceptor;
  using Socket = boost::asio::ip::tcp::socket;

  // One address, and what is done with its connections.
  struct Door {
    explicit Door(boost::asio::io_context& io) : acceptor(io), pause(io) {}

    Acceptor acceptor;
    boost::asio::steady_timer pause;
    std::function<void(Socket)> admit;
  };

  base::Status bind(Acceptor& acceptor, const Address& address);
  void accept(Door& door);
  void admit_resp(Socket socket);
  void start_session(Connection connection);
  void admit_http(Socket socket);
  void handshake_failed(const boost::asio::ip::address& address, std::string_view why);
  void turn_away(Socket socket, Refusal refusal);
  void wait_for_tick();
  void tick();
  void watch_buffers();
  void close_largest();
  void submit_lent(Shard& shard);
  void released(std::vector<engine::Request*>&& requests);
  void hand_out_released();
  // `on_the_way`: the bytes of their replies that the gauge counts as the engine's until now.
  void hand_out(const std::vector<engine::Request*>& requests, uint64_t on_the_way);
  void start(Shard& shard);
  void renew_if_quiet(Shard& shard);
  void renewed(Shard& shard);
  void end_shard(Shard& shard);
  void wait_for_signal();
  void watch_tokens();
  void read_tokens();
  void read_certificates();
  void send_away();
  void stop();
  void begin_stop();
  void wait_for_answers();
  void end();

  engine::BufferGauge& gauge_;
  const base::Clock& clock_;
  const Guards guards_;
  const base::MonoTime started_;
  ConnectionLimits limits_;      // Constant once it listens.
  size_t http_connections_ = 0;  // Before io_: those that are left end with it.
  size_t handshakes_ = 0;        // Likewise.
  Doorman doorman_{limits_};     // Likewise.
  BufferKeeper keeper_;

  boost::asio::io_context io_{1};
  Door resp_{io_};
  Door http_{io_};
  Signals signals_{io_};
  boost::asio::steady_timer tick_{io_};   // Of the shutdown.
  boost::asio::steady_timer watch_{io_};  // Of the connections.
  boost::asio::steady_timer tokens_watch_{io_};
  // Were told why they are not taken, and are closed when they had time to read it.
  std::deque<Socket> turned_away_;
  size_t turned_away_before_ = 0;  // Of them, since before the tick that is running.
  std::unordered_map<uint64_t, std::unique_ptr<Session>> sessions_;
  uint64_t next_session_ = 1;
  bool stopping_ = false;
  bool ended_ = false;
  base::MonoTime stop_deadline_;
  int exit_code_ = kExitOk;
  std::function<void()> reload_;
  std::string bound_;  // The address for clients, once there is one.

  std::mutex released_mutex_;
  std::vector<engine::Request*> released_;  // Guarded by released_mutex_; to be handed out.

  // Questions of the server itself to an engine.
  struct Question;
  // `session`: whose it is, as the engine tells sessions apart: one does not wait for another's.
  void ask(Shard& shard, uint64_t session, core::CommandBody command, engine::Lane lane,
           std::function<void(const core::Reply&)> done);
  std::unordered_map<engine::Request*, std::unique_ptr<Question>> questions_;
  Shards shards_;
};

}  // namespace server
