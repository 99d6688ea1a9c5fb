// One server's way to push, fetch and acknowledge: the only place that knows its wire.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/load/reply.h"

namespace load {

enum class OpKind : uint8_t { kPush, kFetch, kAck };

struct DriverOptions {
  std::string kind;  // dray, redis or beanstalkd.
  size_t args_bytes = 150;
  uint32_t channel_count = 1;  // Fetches are written per channel, once.
  uint32_t fetch_count = 1;    // Jobs asked for by one fetch; only dray takes more than one.
  bool fetch_blocks = false;   // The fetch waits at the server until a job comes.
};

// Requests are laid out at construction; a call copies one and patches the few bytes that differ.
// Threading: owned and called by the loop's thread.
class Driver {
 public:
  virtual ~Driver() = default;

  // Appends a push whose args carry `mark`.
  virtual void push(uint64_t mark, std::string& out) = 0;

  // Appends a push that is due in `delay_ms`. Throws std::logic_error where the server has no
  // delay of this precision.
  virtual void push_delayed(uint64_t mark, int64_t delay_ms, std::string& out);

  // Appends a fetch in the form of the options.
  virtual void fetch(uint32_t channel, std::string& out) = 0;

  // Appends the end of a job.
  virtual void ack(uint32_t channel, const Lease& lease, std::string& out) = 0;

  // Reads the reply of an `op` at the start of `input`. Returns the bytes it takes, or 0 when it is
  // not whole yet. Throws ProtocolError for bytes that are no reply.
  virtual size_t take(OpKind op, std::string_view input, Reply& reply) = 0;
};

// Throws std::invalid_argument for options that the kind can't serve.
std::unique_ptr<Driver> make_driver(const DriverOptions& options);

}  // namespace load
