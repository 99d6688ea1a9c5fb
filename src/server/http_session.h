// The HTTP door: /livez, /readyz and /metrics so far.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "server/metrics.h"

namespace server {

// Serves one connection until it ends. `host` must outlive it. Threading: the I/O thread.
void start_http_session(boost::asio::ip::tcp::socket socket, MetricsHost& host);

}  // namespace server
