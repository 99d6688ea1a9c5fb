#include "store/sqlite/first_page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "store/sqlite/page_stamp.h"
#include "store/sqlite/sqlite_tables.h"
#include "store/temp_directory.h"

namespace store {
namespace {

// All but what counts its changes and its pages, and SQLite's version.
TEST(FirstPage, IsThatOfAnyFileOfTheTables) {
  TempDirectory temp;
  FileSystem files(kernel_calls());
  SqliteTables tables(files, {.directory = temp.path()});
  ASSERT_TRUE(tables.open().has_value());
  ASSERT_TRUE(tables.close().has_value());
  const std::string path = temp.path() + "/tables.db";
  const auto page = [&] {
    std::vector<std::byte> bytes(kTablesPageBytes);
    EXPECT_EQ(*(*files.open_to_read(path))->read_at(0, bytes), kTablesPageBytes);
    for (const auto& [begin, end] : {std::pair{24, 32}, std::pair{92, 100}}) {
      std::fill(bytes.begin() + begin, bytes.begin() + end, std::byte{0});
    }
    return bytes;
  };
  const std::vector<std::byte> before = page();
  ASSERT_TRUE((*files.open_to_write(path))
                  ->write_at(0, std::vector<std::byte>(kTablesPageBytes))
                  .has_value());
  ASSERT_NE(page(), before);
  ASSERT_TRUE(write_first_page(files, path).has_value());
  EXPECT_TRUE(page() == before);
}

}  // namespace
}  // namespace store
