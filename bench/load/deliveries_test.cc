#include "bench/load/deliveries.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

namespace load {
namespace {

class DeliveriesFile : public testing::Test {
 protected:
  ~DeliveriesFile() override { std::remove(path_.c_str()); }

  const std::string path_ = testing::TempDir() + "deliveries." + std::to_string(getpid());
};

TEST(Deliveries, TakeEachNumberOnce) {
  Deliveries seen(65);
  seen.note(0);
  seen.note(64);
  EXPECT_EQ(seen.count(), 2U);
  EXPECT_THROW(seen.note(64), std::runtime_error);
  EXPECT_THROW(seen.note(65), std::runtime_error);
  EXPECT_EQ(seen.count(), 2U);
}

TEST_F(DeliveriesFile, CarriesThemToTheNextRun) {
  Deliveries first(100);
  first.load(path_);  // It is not there.
  first.note(3);
  first.note(99);
  first.save(path_);
  Deliveries second(300);
  second.load(path_);
  EXPECT_EQ(second.count(), 2U);
  EXPECT_THROW(second.note(99), std::runtime_error);
  second.note(100);
  EXPECT_EQ(second.count(), 3U);
}

TEST_F(DeliveriesFile, OfARunWithMoreJobsIsRefused) {
  Deliveries first(200);
  first.note(100);
  first.save(path_);
  Deliveries larger(101);
  larger.load(path_);
  EXPECT_EQ(larger.count(), 1U);
  for (const uint64_t numbers : {uint64_t{100}, uint64_t{64}, uint64_t{10}}) {
    Deliveries smaller(numbers);
    EXPECT_THROW(smaller.load(path_), std::runtime_error) << numbers;
  }
}

TEST(Deliveries, ThatCannotBeWrittenAreAnError) {
  EXPECT_THROW(Deliveries(1).save("/nowhere/deliveries"), std::runtime_error);
}

}  // namespace
}  // namespace load
