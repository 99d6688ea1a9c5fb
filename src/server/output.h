// What a connection has to send: encoded replies, and which leases lie in which of their bytes.
//
// Threading: none; one owner.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/apply.h"
#include "protocol/resp_encoder.h"

namespace server {

using Grants = std::vector<std::pair<core::JobId, core::LeaseToken>>;

class Output {
 public:
  // Encodes the reply behind what is there. `grants`: the leases in it; they count as given once
  // all of its bytes are taken. `verbatim`: one bulk string, which is text for people.
  void add(const core::Reply& reply, protocol::RespVersion version, bool verbatim, Grants&& grants);

  // Encoded, and not taken by the kernel yet.
  std::string_view pending() const { return std::string_view(bytes_).substr(begin_); }
  bool empty() const { return begin_ == bytes_.size(); }
  size_t size() const { return bytes_.size() - begin_; }

  // The kernel took the first `size` bytes of pending().
  void taken(size_t size);

  // What it holds, and letting go of what it does not need while empty.
  size_t memory_bytes() const { return bytes_.capacity(); }
  void trim();

  // The leases whose replies were not taken wholly. Leaves none.
  Grants take_ungot();

 private:
  struct Delivery {
    uint64_t end = 0;  // Of its reply, counted in bytes from the connection's beginning.
    Grants grants;
  };

  void make_room(size_t size);

  std::string bytes_;
  size_t begin_ = 0;  // Before it, all is taken.
  uint64_t bytes_added_ = 0;
  uint64_t bytes_taken_ = 0;
  std::deque<Delivery> deliveries_;
};

}  // namespace server
