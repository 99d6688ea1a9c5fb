// What a server tells of itself at one moment: its INFO, its queues, its workers.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "dray/client.h"

namespace cli {

using Info = std::map<std::string, std::string, std::less<>>;

// Reads the lines "name:value" of INFO; sections and all else are passed over.
Info parse_info(std::string_view text);

// A number of INFO; `otherwise` when it is not there, or none.
int64_t number_of(const Info& info, std::string_view name, int64_t otherwise = 0);
std::string text_of(const Info& info, std::string_view name);

struct Snapshot {
  base::MonoTime at = {};
  Info info = {};
  std::vector<dray::QueueStats> queues = {};
  // Nothing: this server does not tell.
  std::optional<std::vector<dray::Value>> workers = {};
};

Snapshot take_snapshot(dray::Client& client, const base::Clock& clock);

}  // namespace cli
