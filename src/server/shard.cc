#include "server/shard.h"

#include <algorithm>

namespace server {

Shard* find_shard(const Shards& shards, std::string_view name) {
  const auto found =
      std::ranges::find_if(shards, [&](const auto& shard) { return shard->name == name; });
  return found == shards.end() ? nullptr : found->get();
}

}  // namespace server
