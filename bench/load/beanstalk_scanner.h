// Reads replies of the beanstalkd protocol in place. Sans I/O: it sees bytes, and copies none.
#pragma once
#include <cstddef>
#include <string_view>

namespace load {

struct BeanstalkReply {
  std::string_view word;  // "INSERTED", "RESERVED", "DELETED", …
  std::string_view id;    // Of INSERTED and RESERVED.
  std::string_view body;  // Of RESERVED.
};

// Reads the reply at the start of `input`. Returns the bytes it takes, or 0 when it is not whole
// yet. Throws ProtocolError for bytes that are no reply.
size_t scan_beanstalk(std::string_view input, BeanstalkReply& reply);

}  // namespace load
