// A journal on a small volume, from fine to full and back.
// tidy: allow test because it drives the whole journal on a small volume
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "store/file_journal/crash_world.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr uint64_t kSegment = format::kSegmentBytesMin;

FaultPlan volume_of(uint64_t segments) {
  FaultPlan plan;
  plan.disk_bytes = segments * kSegment;
  return plan;
}

class DiskLevels : public testing::Test {
 protected:
  void open_on(uint64_t segments) {
    world_.boot(volume_of(segments));
    ASSERT_TRUE(world_.open().has_value());
  }
  DiskLevel level() { return world_.journal().space().disk; }
  void prepare_all() {
    for (int i = 0; i < 50 && world_.journal().space().prepare_pending; ++i) {
      ASSERT_TRUE(world_.prepare().has_value());
    }
    EXPECT_FALSE(world_.journal().space().prepare_pending);
  }
  // Appends until the journal refuses; returns the levels seen, in order, without repetition.
  std::vector<DiskLevel> fill() {
    std::vector<DiskLevel> levels{level()};
    for (int i = 0; i < 1000; ++i) {
      const base::Status appended = world_.append(3000);
      if (levels.back() != level()) levels.push_back(level());
      if (appended.has_value()) continue;
      EXPECT_EQ(appended.error().code, ErrorCode::kDiskFull) << appended.error().message;
      return levels;
    }
    ADD_FAILURE() << "the disk was never full";
    return levels;
  }
  bool exists(const char* name) { return fs::exists(world_.directory() + "/" + name); }

  CrashWorld world_;
};

TEST_F(DiskLevels, AreGoneThroughInOrder) {
  open_on(20);
  prepare_all();
  EXPECT_EQ(level(), DiskLevel::kFine);
  EXPECT_EQ(fill(), (std::vector<DiskLevel>{DiskLevel::kFine, DiskLevel::kLow, DiskLevel::kBallast,
                                            DiskLevel::kFull}));
  EXPECT_GE(world_.last_seq(), 70U) << "all of the volume was used: 20 segments of 4 frames";
}

TEST_F(DiskLevels, AFullJournalIsStillWholeAfterACrash) {
  open_on(12);
  fill();
  for (const uint64_t segments : {12U, 12U, 20U}) {
    world_.cut_power();
    world_.boot(volume_of(segments));
    ASSERT_TRUE(world_.open().has_value() || segments == 12U);
  }
  ASSERT_TRUE(world_.append(3000).has_value()) << "with space, it goes on";
}

TEST_F(DiskLevels, ARefusedAppendHasWrittenNothingAndCanBeRepeated) {
  open_on(10);
  prepare_all();
  fill();
  const uint64_t last_seq = world_.last_seq();
  EXPECT_EQ(world_.append(3000).error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(world_.append(3000).error().code, ErrorCode::kDiskFull);
  ASSERT_TRUE(world_.trim(last_seq).has_value());
  EXPECT_LT(level(), DiskLevel::kFull);
  ASSERT_TRUE(world_.append(3000).has_value()) << "the same seq";
  EXPECT_EQ(world_.last_seq(), last_seq + 1);
}

TEST_F(DiskLevels, TrimAndPrepareBringEverythingBack) {
  open_on(16);
  prepare_all();
  for (int round = 0; round < 3; ++round) {
    fill();
    ASSERT_TRUE(world_.trim(world_.last_seq() + 1).has_value());
    prepare_all();
    EXPECT_EQ(level(), DiskLevel::kFine) << "round " << round;
    world_.kill();
    ASSERT_TRUE(world_.open().has_value());
    prepare_all();
  }
  ASSERT_TRUE(world_.append(0).has_value());  // Makes the names of the last steps durable.
  ASSERT_TRUE(world_.close().has_value());
}

TEST_F(DiskLevels, AMissingSpareAloneDoesNotRaiseTheLevel) {
  open_on(40);
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(world_.append(3000).has_value());
    EXPECT_EQ(level(), DiskLevel::kFine) << "there is space to make one";
  }
}

TEST_F(DiskLevels, ALargeFrameIsRefusedAloneWhereOnlySmallOnesFit) {
  open_on(12);
  prepare_all();
  EXPECT_EQ(world_.append(12 * kSegment).error().code, ErrorCode::kDiskFull);
  EXPECT_LT(level(), DiskLevel::kFull);
  EXPECT_TRUE(world_.append(100).has_value());
}

TEST_F(DiskLevels, AVolumeTooSmallForASpareIsLow) {
  open_on(5);  // The reserve alone is four segments.
  prepare_all();
  EXPECT_EQ(level(), DiskLevel::kLow);
  EXPECT_TRUE(world_.append(100).has_value()) << "what frees space still goes on";
}

}  // namespace
}  // namespace store
