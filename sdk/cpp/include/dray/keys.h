// Keys: names with values, as durable as jobs. For idempotency and checkpoints, not a cache.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dray/job.h"

namespace dray {

class Client;

struct SetOptions {
  enum class When : uint8_t { kAlways, kIfAbsent, kIfPresent };

  std::optional<milliseconds> ttl = {};  // The key ends after it. Default: it stays.
  std::optional<WallTime> until = {};    // The key ends then; excludes `ttl`.
  When when = When::kAlways;
};

// Made by Client::keys(); must not outlive the client.
// Threading: any thread may call any method.
// Errors: as those of Client. What could come out differently if it were sent twice (a conditional
// set(), add()) never is: it throws UnknownError when its answer got lost.
class Keys {
 public:
  explicit Keys(Client& client) : client_(client) {}

  // Returns false, and changes nothing, when `when` does not hold. `name` has up to 512 bytes,
  // `value` up to 1 MiB. Throws kQuota when the keys of the server would take more than their
  // limit.
  bool set(std::string_view name, std::string_view value, const SetOptions& options = {});
  std::optional<std::string> get(std::string_view name);
  void remove(std::string_view name);
  // Adds to a value that is a number (absent: 0) and returns the sum.
  int64_t add(std::string_view name, int64_t by = 1);
  // Sets the time after which a key ends; false when there is no such key.
  bool expire_in(std::string_view name, milliseconds ttl);
  // nullopt: there is no such key, or it has no end.
  std::optional<milliseconds> time_left(std::string_view name);

 private:
  Client& client_;
};

}  // namespace dray
