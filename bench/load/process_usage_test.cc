#include "bench/load/process_usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>

namespace load {
namespace {

TEST(ProcessUsage, ReadsPastAnyProgramName) {
  const std::string_view rest = " S 1 2 3 0 -1 4194560 100 200 0 0 31 11 7 8 20 0 1 0 99";
  EXPECT_EQ(cpu_ticks("42 (redis-server)" + std::string(rest)), 42U);
  EXPECT_EQ(cpu_ticks("42 (a) S 9 (b)" + std::string(rest)), 42U);
  EXPECT_THROW(cpu_ticks("42 (cut) S 1 2"), std::runtime_error);
  EXPECT_THROW(cpu_ticks(""), std::runtime_error);
}

TEST(ProcessUsage, OfThisProcessOnlyGrows) {
  const ProcessUsage before = process_usage(getpid());
  const double own_before = own_cpu_seconds();
  while (own_cpu_seconds() < own_before + 0.03) {
  }
  EXPECT_GE(process_usage(getpid()).cpu_seconds, before.cpu_seconds + 0.01);
}

TEST(ProcessUsage, OfAProcessThatIsGoneIsAnError) {
  EXPECT_THROW(process_usage(0x3fffffff), std::runtime_error);
}

}  // namespace
}  // namespace load
