// What a driver makes of one whole reply of a server, whatever its protocol.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace load {

// Thrown when the bytes of a server are no reply of its protocol. A run ends at the first one.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One job that a server handed out. The views borrow the channel's input and die with the next
// read, so whoever needs them later copies them.
struct Lease {
  std::string_view id;
  std::string_view token;  // Empty where the protocol has none.
  std::string_view args;
};

// Reused from reply to reply so that its vector keeps its memory.
struct Reply {
  bool failed = false;
  std::string_view error;     // The server's own text when `failed`.
  std::vector<Lease> leases;  // What a fetch brought; empty when there was nothing.

  void clear() {
    failed = false;
    error = {};
    leases.clear();
  }
};

}  // namespace load
