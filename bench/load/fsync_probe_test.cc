#include "bench/load/fsync_probe.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <system_error>

namespace load {
namespace {

TEST(FsyncProbe, TimesEveryWriteAndLeavesNothingBehind) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "dray_load_fsync_probe";
  std::filesystem::create_directories(folder);
  const FsyncProbeResult result = probe_fsync({.folder = folder,
                                               .writes = 10,
                                               .paced_writes = 5,
                                               .paced_per_second = 100'000,
                                               .segment_bytes = size_t{2} << 20});
  EXPECT_EQ(result.recycled.size(), 10U);
  EXPECT_EQ(result.growing.size(), 10U);
  EXPECT_EQ(result.paced.size(), 5U);
  EXPECT_GT(result.recycled.percentile(0), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove(folder);
}

TEST(FsyncProbe, SaysWhenTheFolderIsMissing) {
  EXPECT_THROW(probe_fsync({.folder = "/nonexistent"}), std::system_error);
}

}  // namespace
}  // namespace load
