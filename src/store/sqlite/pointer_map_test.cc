#include "store/sqlite/pointer_map.h"

#include <gtest/gtest.h>

#include "store/sqlite/page_stamp.h"
#include "store/temp_directory.h"

namespace store {
namespace {

constexpr auto kRoot = std::byte{1};
constexpr auto kOverflow = std::byte{3};
constexpr auto kOfATree = std::byte{5};
constexpr uint32_t kEntries = kTablesPageBytes / 5;

class PointerMapTest : public testing::Test {
 protected:
  std::vector<std::byte> first_page() {
    std::vector<std::byte> page(kTablesPageBytes);
    page[16] = std::byte{kTablesPageBytes >> 8U};
    page[20] = std::byte{PageStamp::kBytes};
    return page;
  }
  // What the map says of a page.
  void set(uint32_t page, std::byte kind, uint8_t above) {
    const uint32_t map = 2 + (page - 2) / (kEntries + 1) * (kEntries + 1);
    if (maps.empty() || maps.back().first != map) {
      maps.emplace_back(map, std::vector<std::byte>(kTablesPageBytes));
    }
    const size_t at = size_t{page - map - 1} * 5;
    maps.back().second[at] = kind;
    maps.back().second[at + 4] = std::byte{above};
  }
  void write(uint32_t pages) {
    PageStamp stamp;
    ASSERT_TRUE(file->write_at(0, stamp.stamp(first_page(), 0)).has_value());
    for (const auto& [page, bytes] : maps) {
      const uint64_t offset = uint64_t{page - 1} * kTablesPageBytes;
      ASSERT_TRUE(file->write_at(offset, stamp.stamp(bytes, offset)).has_value());
    }
    ASSERT_TRUE(file->truncate(pages * kTablesPageBytes).has_value());
  }

  TempDirectory temp;
  const std::string path = temp.path() + "/file";
  FileSystem files{kernel_calls()};
  std::unique_ptr<File> file = *files.create(path);
  std::vector<std::pair<uint32_t, std::vector<std::byte>>> maps;
  PointerMap map;
};

TEST_F(PointerMapTest, TellsWhichPagesOfTreesStandBelowAnother) {
  set(3, kRoot, 0);
  set(4, kOfATree, 3);
  set(5, kOfATree, 7);
  set(6, kOverflow, 3);
  set(7, kOfATree, 3);
  write(7);
  ASSERT_TRUE(map.read(files, path).has_value());
  EXPECT_EQ(map.below(3), (std::vector<uint32_t>{4, 7}));
  EXPECT_EQ(map.below(7), std::vector<uint32_t>{5});
  EXPECT_TRUE(map.below(4).empty());
}

TEST_F(PointerMapTest, HasAPageForEachSoManyAndPassesDamagedOnesOver) {
  const uint32_t far = 2 + kEntries + 1 + 7;
  set(4, kOfATree, 3);
  set(far, kOfATree, 3);
  write(far);
  ASSERT_TRUE(map.read(files, path).has_value());
  EXPECT_EQ(map.below(3), (std::vector<uint32_t>{4, far}));
  ASSERT_TRUE(file->write_at(2 * kTablesPageBytes - 4, std::vector<std::byte>(4)).has_value());
  PointerMap damaged;
  ASSERT_TRUE(damaged.read(files, path).has_value());
  EXPECT_EQ(damaged.below(3), std::vector<uint32_t>{far});
}

TEST_F(PointerMapTest, OfAFileThatEndsSoonerThereIsNothing) {
  ASSERT_TRUE(map.read(files, path).has_value());
  EXPECT_TRUE(map.below(3).empty());
  EXPECT_EQ(map.read(files, path + "-none").error().code, base::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace store
