#include "store/file_journal/watermark.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "store/temp_directory.h"

namespace store {
namespace {

class WatermarkFileTest : public testing::Test {
 protected:
  void flip(uint64_t offset) {
    std::fstream file(directory_.path_of("watermark"),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 4));
  }

  TempDirectory temp_;
  FileSystem files_{kernel_calls()};
  DataDirectory directory_{files_, temp_.path()};
};

TEST_F(WatermarkFileTest, IsReadBackAsWritten) {
  {
    auto file = WatermarkFile::create(directory_);
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->mark().durable_seq, 0U);
    EXPECT_EQ(file->mark().first_index, 1U);
    EXPECT_EQ(file->mark().last_index, 0U);
    for (uint64_t i = 1; i <= 5; ++i) {
      ASSERT_TRUE(
          file->write(
                  {.durable_seq = 10 * i, .first_index = i, .last_index = 2 * i, .clean = i == 5})
              .has_value());
    }
  }
  const auto file = WatermarkFile::open(directory_);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->mark().durable_seq, 50U);
  EXPECT_EQ(file->mark().first_index, 5U);
  EXPECT_EQ(file->mark().last_index, 10U);
  EXPECT_TRUE(file->mark().clean);
  EXPECT_EQ(std::filesystem::file_size(directory_.path_of("watermark")),
            format::kWatermarkFileBytes);
}

TEST_F(WatermarkFileTest, ATornUpdateLeavesTheOneBefore) {
  uint64_t serial = 0;
  {
    auto file = WatermarkFile::create(directory_);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE(file->write({.durable_seq = 10, .last_index = 1}).has_value());
    ASSERT_TRUE(file->write({.durable_seq = 20, .last_index = 2}).has_value());
    serial = file->mark().serial;
  }
  flip(serial % 2 * format::kPageBytes + 30);
  EXPECT_EQ(WatermarkFile::open(directory_)->mark().durable_seq, 10U);
  flip((serial + 1) % 2 * format::kPageBytes + 30);
  const auto refused = WatermarkFile::open(directory_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace store
