// The HTTP door: /livez, /readyz and /metrics so far.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>

#include "auth/roll.h"
#include "base/clock.h"
#include "server/audit_log.h"
#include "server/metrics.h"
#include "server/tls.h"

namespace server {

// What a connection needs; all must outlive it.
struct HttpDoor {
  MetricsHost& host;
  const base::Clock& clock;
  const auth::Roll& roll;  // Who may see more than the server's health.
  AuditLog& audit_log;
  Tls* tls;      // Null: plain.
  size_t& open;  // Counts those that are there.
};

// Serves one connection until it ends. Threading: the I/O thread.
void start_http_session(boost::asio::ip::tcp::socket socket, const HttpDoor& door);

}  // namespace server
