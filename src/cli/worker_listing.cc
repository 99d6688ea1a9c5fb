#include "cli/worker_listing.h"

namespace cli {

std::vector<dray::Value> workers_of(dray::Client& client) {
  return client.call({"WORKER.LIST"}, dray::Repeat::kSafe).items;
}

Listing worker_listing(const std::vector<dray::Value>& workers) {
  return listing_of("workers", workers, {"worker", "state", "leases", "last_seen_ms"});
}

}  // namespace cli
