#include "server/memory_limit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "store/temp_directory.h"

namespace server {
namespace {

class MemoryLimit : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  uint64_t limit() { return memory_limit(root_.path()); }

  store::TempDirectory root_;
};

TEST_F(MemoryLimit, WithoutGroupsIsThatOfTheMachine) {
  EXPECT_GT(limit(), uint64_t{64} << 20);
  EXPECT_EQ(limit(), memory_limit(root_.path() + "/nowhere"));
}

TEST_F(MemoryLimit, IsTheLeastOfAGroupAndThoseAboveIt) {
  const uint64_t machine = limit();
  write("/proc/self/cgroup", "0::/app/dray\n");
  write("/sys/fs/cgroup/app/dray/memory.max", "max\n");
  EXPECT_EQ(limit(), machine);
  write("/sys/fs/cgroup/app/memory.max", "50000000\n");
  EXPECT_EQ(limit(), 50'000'000U);
  write("/sys/fs/cgroup/app/dray/memory.max", "40000000\n");
  EXPECT_EQ(limit(), 40'000'000U);
  write("/sys/fs/cgroup/memory.max", "30000000\n");
  EXPECT_EQ(limit(), 30'000'000U);
}

TEST_F(MemoryLimit, KnowsTheFirstVersionOfGroups) {
  write("/proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/x\nnonsense\n");
  write("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "60000000\n");
  write("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "10000000\n");
  EXPECT_EQ(limit(), 60'000'000U);
}

TEST(MemoryBudget, IsAQuarterButNeverBelowItsFloor) {
  EXPECT_EQ(memory_budget(uint64_t{8} << 30), uint64_t{2} << 30);
  EXPECT_EQ(memory_budget(uint64_t{100} << 20), kMemoryBudgetMin);
}

}  // namespace
}  // namespace server
