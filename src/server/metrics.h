// The text of /metrics.
#pragma once

#include <functional>
#include <string>

#include "core/reply.h"
#include "engine/engine.h"
#include "server/doorman.h"

namespace server {

// What the HTTP side needs of the server.
class MetricsHost {
 public:
  virtual ~MetricsHost() = default;
  virtual engine::Engine& engine() = 0;
  virtual bool is_ready() const = 0;
  virtual engine::Pressure pressure() const = 0;
  virtual size_t connections() const = 0;
  // Where RESP is spoken, for whoever speaks it to HTTP.
  virtual std::string resp_text() const = 0;
  virtual Doorman& doorman() = 0;
  // Asks the engine for the stats of all queues; `done` is called on the I/O thread with a map of
  // name to stats.
  virtual void fetch_queue_stats(std::function<void(const core::Reply&)> done) = 0;
};

// Everything in Prometheus' text format.
std::string metrics_text(MetricsHost& host, const core::Reply& queue_stats);

}  // namespace server
