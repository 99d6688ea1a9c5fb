// Dray: JOB.PUSH, JOB.FETCH, JOB.ACK over RESP2.
#pragma once
#include <string>
#include <vector>

#include "bench/load/driver.h"
#include "bench/load/push_template.h"

namespace load {

class DrayDriver final : public Driver {
 public:
  explicit DrayDriver(const DriverOptions& options);

  void push(uint64_t mark, std::string& out) override;
  void push_delayed(uint64_t mark, int64_t delay_ms, std::string& out) override;
  void fetch(uint32_t channel, std::string& out) override;
  void ack(uint32_t channel, const Lease& lease, std::string& out) override;
  size_t take(OpKind op, std::string_view input, Reply& reply) override;

 private:
  std::string args_;
  PushTemplate push_;
  std::vector<std::string> fetches_;  // By channel.
};

}  // namespace load
