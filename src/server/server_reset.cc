// NAMESPACE.RESET: a namespace gets another engine while all others go on.
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "server/server.h"

namespace server {

using base::ErrorCode;

// From now on the engine gets nothing new, and nothing that it has waits for long.
base::Status Server::reset(Shard& shard, uint64_t asker) {
  if (shard.renewal == nullptr) {
    return base::fail(ErrorCode::kBadReq,
                      "name={} its directory holds all the others too, and can't be emptied",
                      shard.name);
  }
  if (stopping_) return base::fail(ErrorCode::kUnavailable, "the server ends");
  if (shard.is_held) return base::fail(ErrorCode::kUnavailable, "{} is being reset", shard.name);
  LOG(kWarning, "a namespace is being reset", {"namespace", shard.name});
  shard.is_held = true;
  shard.asker = asker;
  shard.engine->quiesce();
  renew_if_quiet(shard);
  return {};
}

void Server::renew_if_quiet(Shard& shard) {
  if (shard.out != 0 || shard.renewer.joinable() || ended_) return;
  shard.engine = &shard.renewal->replace();
  shard.renewer = std::thread([this, &shard] {
    shard.renewed = shard.renewal->renew();
    boost::asio::post(io_, [this, &shard] { renewed(shard); });
  });
}

void Server::renewed(Shard& shard) {
  if (!shard.renewer.joinable()) return;  // The server has ended meanwhile.
  shard.renewer.join();
  if (!shard.renewed.recovered) {
    LOG(kError, "a namespace could not begin anew; the server ends here", {"namespace", shard.name},
        {"error", shard.renewed.recovered.error().message});
    std::_Exit(kExitIo);
  }
  start(shard);
  if (stopping_) shard.engine->quiesce();
  shard.is_held = false;
  submit_lent(shard);
  const auto asker = sessions_.find(shard.asker);
  if (asker != sessions_.end()) asker->second->was_reset(std::move(shard.renewed.emptied));
}

// The end of the server: all that the engine has becomes durable.
void Server::end_shard(Shard& shard) {
  if (shard.renewer.joinable()) {
    shard.renewer.join();
    if (!shard.renewed.recovered) {
      exit_code_ = kExitIo;
      return;
    }
  }
  shard.is_held = false;
  submit_lent(shard);
  const base::Status stopped = shard.engine->stop();
  if (stopped) return;
  LOG(kError, "the journal was not closed in order", {"namespace", shard.name},
      {"error", stopped.error().message});
  exit_code_ = kExitIo;
}

}  // namespace server
