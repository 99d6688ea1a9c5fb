#include "store/file_journal/recovery.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "store/file_journal/crash_world.h"

namespace store {
namespace {

using base::ErrorCode;

class CheckJournal : public testing::Test {
 protected:
  CheckJournal() {
    EXPECT_TRUE(world_.open().has_value());
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(world_.append(1500).has_value());
    world_.kill();
  }

  base::Result<RecoveredJournal> check() {
    visited_ = 0;
    FileSystem files(kernel_calls());
    const DataDirectory directory(files, world_.directory());
    return check_journal(directory, [this](uint64_t seq, auto) {
      visited_ += 1;
      EXPECT_EQ(seq, visited_);
      return base::Status();
    });
  }
  std::string path(std::string_view name) const {
    return world_.directory() + "/" + std::string(name);
  }

  CrashWorld world_;
  uint64_t visited_ = 0;
};

TEST_F(CheckJournal, ReadsAllAndChangesNothing) {
  for (int again = 0; again < 2; ++again) {
    const auto found = check();
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(visited_, 20U);
    EXPECT_EQ(found->last_seq, 20U);
    ASSERT_EQ(found->unsure.size(), 1U) << "the last frame: nothing proves that it was synced";
    EXPECT_EQ(found->unsure.front().seq, 20U);
  }
}

TEST_F(CheckJournal, VisitsWhatLiesBeforeTheDamage) {
  std::fstream file(path("journal-0000000000000002"),
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(format::kFirstFrameOffset + 80));
  file.write("damage", 6);
  file.close();
  const auto refused = check();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(refused.error().message.find("journal-0000000000000002: offset 4096"),
            std::string::npos)
      << refused.error().message;
  EXPECT_GT(visited_, 3U);
  EXPECT_LT(visited_, 20U);
}

TEST_F(CheckJournal, RefusesWhatIsNoDataDirectory) {
  std::filesystem::remove(path("watermark"));
  EXPECT_EQ(check().error().code, ErrorCode::kCorrupt);
  std::filesystem::remove(path("VERSION"));
  EXPECT_EQ(check().error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(std::filesystem::exists(path("VERSION"))) << "and makes it none";
}

}  // namespace
}  // namespace store
