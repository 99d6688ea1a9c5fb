// The HTTP door: /livez, /readyz and /metrics so far.
#pragma once

#include <cstddef>
#include <memory>

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
};

// One of the connections that there may be; counted in `taken`, which must outlive it.
class HttpPlace {
 public:
  explicit HttpPlace(size_t& taken) : taken_(taken) { ++taken_; }
  HttpPlace(const HttpPlace&) = delete;
  HttpPlace& operator=(const HttpPlace&) = delete;
  ~HttpPlace() { --taken_; }

 private:
  size_t& taken_;
};

// Serves one connection, which does not block, until it ends. Threading: the I/O thread.
void start_http_session(Connection connection, const HttpDoor& door,
                        std::shared_ptr<HttpPlace> place);

}  // namespace server
