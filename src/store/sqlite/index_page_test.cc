#include "store/sqlite/index_page.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace store {
namespace {

using Page = std::vector<std::byte>;

// A page that begins like this.
Page page_of(std::initializer_list<uint8_t> head) {
  Page page(512);
  size_t at = 0;
  for (const uint8_t byte : head) page[at++] = std::byte{byte};
  return page;
}

TEST(MakeLeaf, PointsToTheRecordsOfAnInnerPage) {
  // Kind 2; no free block; two records; they begin at 400; its last child is page 9. Then where
  // each record stands, behind the four bytes of its child.
  Page page = page_of({2, 0, 0, 0, 2, 400 >> 8, 400 & 0xff, 0, 0, 0, 0, 9, 0x01, 0x90, 0x01, 0xfe});
  ASSERT_TRUE(make_leaf(page));
  const Page leaf = page_of({10, 0, 0, 0, 2, 400 >> 8, 400 & 0xff, 0, 0x01, 0x94, 0x02, 0x02});
  EXPECT_EQ(Page(page.begin(), page.begin() + 12), Page(leaf.begin(), leaf.begin() + 12));
}

TEST(MakeLeaf, TakesAsManyRecordsAsAPageCanName) {
  Page page = page_of({2, 0, 0, 0, 250});
  EXPECT_TRUE(make_leaf(page));
  page = page_of({2, 0, 0, 0, 251});
  EXPECT_FALSE(make_leaf(page)) << "the places of 251 records end behind the page";
  page = page_of({2, 0, 0, 0xff, 0xff});
  EXPECT_FALSE(make_leaf(page));
}

TEST(MakeLeaf, LeavesOtherPagesAlone) {
  for (const uint8_t kind : std::initializer_list<uint8_t>{0, 1, 5, 10, 13, 255}) {
    const Page before = page_of({kind, 0, 0, 0, 2});
    Page page = before;
    EXPECT_FALSE(make_leaf(page)) << int{kind};
    EXPECT_EQ(page, before) << int{kind};
  }
}

}  // namespace
}  // namespace store
