#include "repair/scratch_calls.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "store/file.h"
#include "store/temp_directory.h"

namespace repair {
namespace {

class ScratchCallsTest : public testing::Test {
 protected:
  ScratchCallsTest() { std::ofstream(path("file")) << std::string(10'000, 'a'); }

  std::string path(const std::string& name) const { return temp_.path() + "/" + name; }
  std::string real(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::string text_of(store::File& file) {
    std::string text(*file.size(), '?');
    EXPECT_EQ(*file.read_at(0, std::as_writable_bytes(std::span(text))), text.size());
    return text;
  }
  static base::Status write(store::File& file, uint64_t offset, std::string_view text) {
    return file.write_at(offset, std::as_bytes(std::span(text)));
  }

  ScratchCalls calls{store::kernel_calls(), 64 << 10U};
  store::FileSystem files{calls};

 private:
  store::TempDirectory temp_;
};

TEST_F(ScratchCallsTest, WhatIsWrittenIsReadByAllAndLeavesTheFileAsItIs) {
  const auto one = *files.open_to_write(path("file"));
  const auto other = *files.open_to_read(path("file"));
  ASSERT_TRUE(write(*one, 4'090, "across two pages"));
  ASSERT_TRUE(write(*one, 9'999, "beyond the end"));
  std::string expected(10'000, 'a');
  expected.replace(4'090, 16, "across two pages").replace(9'999, 14, "beyond the end");
  EXPECT_EQ(text_of(*other), expected);
  EXPECT_TRUE(one->sync_data());
  EXPECT_EQ(real("file"), std::string(10'000, 'a'));
}

TEST_F(ScratchCallsTest, WhatWasCutOffIsZeroWhenTheFileGrowsAgain) {
  const auto file = *files.open_to_write(path("file"));
  ASSERT_TRUE(write(*file, 5'000, "b"));
  ASSERT_TRUE(file->truncate(4'500));
  ASSERT_TRUE(write(*file, 5'100, "c"));
  EXPECT_EQ(text_of(*file), std::string(4'500, 'a') + std::string(600, '\0') + "c");
}

TEST_F(ScratchCallsTest, FilesAreMadeAndRemovedInMemoryAlone) {
  ASSERT_TRUE(write(**files.create(path("new")), 0, "text"));
  EXPECT_EQ(text_of(**files.open_to_read(path("new"))), "text");
  EXPECT_FALSE(files.create(path("new")).has_value());
  EXPECT_FALSE(std::filesystem::exists(path("new")));
  ASSERT_TRUE(files.remove(path("new")));
  ASSERT_TRUE(files.remove(path("file")));
  EXPECT_EQ(files.open_to_read(path("new")).error().code, base::ErrorCode::kNotFound);
  EXPECT_EQ(files.open_to_read(path("file")).error().code, base::ErrorCode::kNotFound);
  EXPECT_EQ(text_of(**files.create(path("file"))), "");
  EXPECT_EQ(real("file").size(), 10'000U);
  EXPECT_FALSE(files.make_directories(path("folder")));
  EXPECT_FALSE(files.rename(path("file"), path("other")));
}

TEST_F(ScratchCallsTest, TakesNoMoreMemoryThanItMay) {
  const auto file = *files.create(path("new"));
  ASSERT_TRUE(write(*file, 0, std::string(64 << 10U, 'x')));
  ASSERT_TRUE(write(*file, 100, "this page is there"));
  EXPECT_EQ(write(*file, 64 << 10U, "x").error().code, base::ErrorCode::kDiskFull);
}

}  // namespace
}  // namespace repair
