// The text of /metrics.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "auth/roll.h"
#include "core/reply.h"
#include "engine/engine.h"
#include "server/doorman.h"
#include "server/shard.h"

namespace server {

// The queues of a namespace: a map of name to stats.
struct NamespaceStats {
  Shard& shard;
  core::Reply queues;
};
using StatsDone = std::function<void(const std::vector<NamespaceStats>&)>;

// What the HTTP side needs of the server.
class MetricsHost {
 public:
  virtual ~MetricsHost() = default;
  virtual const Shards& shards() const = 0;
  virtual const engine::BufferGauge& gauge() const = 0;
  virtual bool is_ready() const = 0;
  virtual engine::Pressure pressure() const = 0;
  virtual size_t connections() const = 0;
  // Where RESP is spoken, for whoever speaks it to HTTP.
  virtual std::string resp_text() const = 0;
  virtual Doorman& doorman() = 0;
  // Asks for the stats of all queues in the namespaces that `asker` may enter (null: all); `done`
  // is called on the I/O thread.
  virtual void fetch_stats(const auth::PrincipalPtr& asker, StatsDone done) = 0;
};

// Everything in Prometheus' text format. What is of a namespace says of which, if the server has
// more than one.
std::string metrics_text(MetricsHost& host, const std::vector<NamespaceStats>& stats);

}  // namespace server
