// The HTTP door: /livez, /readyz and /metrics so far.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>

#include "server/metrics.h"

namespace server {

// Serves one connection until it ends; `open` counts those that are there. Both `host` and `open`
// must outlive it. Threading: the I/O thread.
void start_http_session(boost::asio::ip::tcp::socket socket, MetricsHost& host, size_t& open);

}  // namespace server
