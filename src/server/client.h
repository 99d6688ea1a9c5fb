// What the server knows of one connection, apart from its bytes.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "protocol/resp_encoder.h"

namespace server {

struct Client {
  uint64_t id = 0;
  std::string peer;  // host:port
  std::string name;
  std::string library;
  std::string library_version;
  protocol::RespVersion version = protocol::RespVersion::kResp2;
  bool authenticated = false;
  bool quits = false;  // Closed as soon as its replies are out.
  base::WallTime connected;
  uint64_t commands = 0;
};

}  // namespace server
