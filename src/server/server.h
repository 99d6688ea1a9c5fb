// The running server: listeners, sessions, and the way of answers back from the engine.
//
// Threading: all on the I/O thread, which is the one that calls `run`; the engine and commit threads
// only post to it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "engine/engine.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/session.h"

namespace server {

class Server final : public SessionHost, public MetricsHost {
 public:
  // All must outlive the server. The engine is recovered, not started.
  Server(engine::Engine& engine, const base::Clock& clock, std::string token);
  ~Server() override;

  // Binds both addresses. Errors: UNAVAILABLE names the address.
  base::Status listen(const Address& resp, const Address& http);
  // "host:port" as bound.
  std::string resp_address() const;
  std::string http_address() const;

  // Starts the engine, serves until a signal or a failed journal. Returns the exit code.
  int run();

  engine::Engine& engine() override { return engine_; }
  LocalContext local_context() override;
  void session_ended(Session& session) override;

  bool is_ready() const override;
  size_t connections() const override { return sessions_.size(); }
  void fetch_queue_stats(std::function<void(const core::Reply&)> done) override;

 private:
  using Acceptor = boost::asio::ip::tcp::acceptor;

  base::Status bind(Acceptor& acceptor, const Address& address);
  void accept_resp();
  void accept_http();
  void released(std::vector<engine::Request*>&& requests);
  void hand_out(const std::vector<engine::Request*>& requests);
  void wait_for_signal();
  void shut_down();
  void close_all();

  engine::Engine& engine_;
  const base::Clock& clock_;
  const std::string token_;
  const base::MonoTime started_;

  boost::asio::io_context io_{1};
  Acceptor resp_acceptor_{io_};
  Acceptor http_acceptor_{io_};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer grace_{io_};
  std::unordered_map<uint64_t, std::unique_ptr<Session>> sessions_;
  uint64_t next_session_ = 1;
  bool shutting_down_ = false;
  int exit_code_ = kExitOk;

  // Questions of the server itself to the engine.
  struct Question;
  std::unordered_map<engine::Request*, std::unique_ptr<Question>> questions_;
  engine::SessionOrder questions_order_;
};

}  // namespace server
