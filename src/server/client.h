// What the server knows of one connection, apart from its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/roll.h"
#include "base/time.h"
#include "protocol/resp_encoder.h"

namespace server {

struct Shard;

struct Client {
  uint64_t id = 0;
  std::string peer;  // host:port
  std::string name;
  std::string library;
  std::string library_version;
  protocol::RespVersion version = protocol::RespVersion::kResp2;
  bool authenticated = false;
  auth::PrincipalPtr principal;  // As whom; null on a server that asks nobody.
  Shard* shard = nullptr;        // In which namespace what comes next is asked.
  bool stays = false;            // It is subscribed there, and so can't leave.
  bool quits = false;            // Closed as soon as its replies are out.
  base::WallTime connected;
  uint64_t commands = 0;

  // Null: everything is allowed.
  const core::Rights* rights() const { return principal ? &principal->rights : nullptr; }
  std::string_view token_id() const { return principal ? std::string_view(principal->id) : ""; }
};

}  // namespace server
