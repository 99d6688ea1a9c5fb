// Redis lists as a job queue: LPUSH, LMOVE to the worker's own list, LREM from it.
#pragma once
#include <string>
#include <vector>

#include "bench/load/driver.h"
#include "bench/load/push_template.h"

namespace load {

class RedisDriver final : public Driver {
 public:
  explicit RedisDriver(const DriverOptions& options);

  void push(uint64_t mark, std::string& out) override;
  void fetch(uint32_t channel, std::string& out) override;
  void ack(uint32_t channel, const Lease& lease, std::string& out) override;
  size_t take(OpKind op, std::string_view input, Reply& reply) override;

 private:
  PushTemplate push_;
  std::vector<std::string> fetches_;    // By channel.
  std::vector<std::string> ack_heads_;  // By channel: all but the payload.
};

}  // namespace load
