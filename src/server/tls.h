// The server's side of TLS: its certificate, and how connections begin.
//
// Threading: the I/O thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/connection.h"
#include "server/options.h"

namespace server {

// How long a client may take for its handshake.
inline constexpr std::chrono::seconds kHandshakeTime{5};

class Tls {
 public:
  using Context = boost::asio::ssl::context;

  explicit Tls(TlsOptions options) : options_(std::move(options)) {}

  // Reads the files anew. New connections get what is in them; those that are there go on with what
  // they have. Errors: BADREQ names the file; then everything stays as it was.
  base::Status load();
  // Requires: load() succeeded once.
  Context& context() { return *context_; }

 private:
  TlsOptions options_;
  std::unique_ptr<Context> context_;  // Connections hold OpenSSL's part of it by themselves.
};

struct HandshakeEnd {
  std::string_view plain_answer;         // To who speaks without TLS. Of static duration.
  std::function<void(Connection)> done;  // It succeeded.
  std::function<void(const boost::asio::ip::address& peer, std::string_view why)> failed;
  std::function<void()> over;  // It ended, in whatever way; after `done`.
};

// Shakes hands on a fresh socket. A client that does not manage it in time is let go.
void start_handshake(Connection::Socket socket, Tls& tls, HandshakeEnd end);

}  // namespace server
