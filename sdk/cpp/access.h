// How parts of the SDK reach what the public classes keep to themselves.
#pragma once
#include <memory>
#include <vector>

#include "dray/client.h"
#include "dray/worker.h"
#include "sdk/cpp/request.h"
#include "sdk/cpp/stand_in.h"

namespace dray::detail {

class ClientCore;
class Handlers;

struct Access {
  static ClientCore& core(Client& client);
  static const ClientCore& core(const Client& client);
  static const Handlers& handlers(const Worker& worker);
  // `stand_in` must outlive the client.
  static std::unique_ptr<Client> client_of(StandIn& stand_in);
  // Commits with one more command in front of the others.
  static std::vector<Pushed> commit(Transaction& transaction, const Request& first);
};

}  // namespace dray::detail
