// beanstalkd: put, reserve, delete in its line protocol.
#pragma once
#include "bench/load/driver.h"
#include "bench/load/push_template.h"

namespace load {

class BeanstalkDriver final : public Driver {
 public:
  explicit BeanstalkDriver(const DriverOptions& options);

  void push(uint64_t mark, std::string& out) override;
  void fetch(uint32_t channel, std::string& out) override;
  void ack(uint32_t channel, const Lease& lease, std::string& out) override;
  size_t take(OpKind op, std::string_view input, Reply& reply) override;

 private:
  PushTemplate push_;
  std::string_view fetch_;
};

}  // namespace load
