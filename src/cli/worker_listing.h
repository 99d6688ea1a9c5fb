// The workers that a server knows of, as a table.
#pragma once
#include <vector>

#include "cli/output.h"
#include "dray/client.h"

namespace cli {

std::vector<dray::Value> workers_of(dray::Client& client);
Listing worker_listing(const std::vector<dray::Value>& workers);

}  // namespace cli
