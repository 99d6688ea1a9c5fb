// The queues as a table: for `dray status`, `dray queue ls` and their kin.
#pragma once
#include <vector>

#include "cli/output.h"
#include "dray/client.h"

namespace cli {

// Asks for the statistics of these queues; of all without a name.
std::vector<dray::QueueStats> stats_of(dray::Client& client, const std::vector<std::string>& names);

Listing queue_listing(const std::vector<dray::QueueStats>& queues);

// What to do when there is no queue.
extern const char* const kNoQueueYet;

}  // namespace cli
