// An address to listen on.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace config {

struct Address {
  std::string host;
  uint16_t port = 0;  // 0: any free one.

  friend bool operator==(const Address&, const Address&) = default;
};

// Reads "host:port" and "[::1]:port"; localhost is 127.0.0.1.
base::Result<Address> parse_address(std::string_view text);

}  // namespace config
