// The HTTP door: /livez, /readyz and /metrics so far.
#pragma once

#include <cstddef>

#include "auth/roll.h"
#include "base/clock.h"
#include "server/audit_log.h"
#include "server/connection.h"
#include "server/metrics.h"

namespace server {

// What a connection needs; all must outlive it.
struct HttpDoor {
  MetricsHost& host;
  const base::Clock& clock;
  const auth::Roll& roll;  // Who may see more than the server's health.
  AuditLog& audit_log;
  size_t& open;  // Counts those that are there.
};

// Serves one connection, which does not block, until it ends. Threading: the I/O thread.
void start_http_session(Connection connection, const HttpDoor& door);

}  // namespace server
