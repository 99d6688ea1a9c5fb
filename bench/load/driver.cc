#include "bench/load/driver.h"

#include <stdexcept>

#include "bench/load/beanstalk_driver.h"
#include "bench/load/dray_driver.h"
#include "bench/load/redis_driver.h"

namespace load {

void Driver::push_delayed(uint64_t /*mark*/, int64_t /*delay_ms*/, std::string& /*out*/) {
  throw std::logic_error("this server has no delay in milliseconds");
}

std::unique_ptr<Driver> make_driver(const DriverOptions& options) {
  if (options.kind == "dray") return std::make_unique<DrayDriver>(options);
  if (options.fetch_count != 1) throw std::invalid_argument("only dray fetches several at once");
  if (options.kind == "redis") return std::make_unique<RedisDriver>(options);
  if (options.kind == "beanstalkd") return std::make_unique<BeanstalkDriver>(options);
  throw std::invalid_argument("unknown driver: " + options.kind);
}

}  // namespace load
