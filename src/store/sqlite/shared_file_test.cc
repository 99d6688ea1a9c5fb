#include "store/sqlite/shared_file.h"

#include <gtest/gtest.h>

namespace store {
namespace {

using Level = SharedFile::Level;

class SharedFileTest : public testing::Test {
 protected:
  SharedFile file_;
  SharedFile::Holder a_;
  SharedFile::Holder b_;
};

TEST_F(SharedFileTest, LetsManyRead) {
  EXPECT_TRUE(file_.lock(a_, Level::kShared));
  EXPECT_TRUE(file_.lock(b_, Level::kShared));
}

TEST_F(SharedFileTest, LetsOneWrite) {
  ASSERT_TRUE(file_.lock(a_, Level::kShared));
  ASSERT_TRUE(file_.lock(b_, Level::kShared));
  EXPECT_TRUE(file_.lock(a_, Level::kReserved));
  EXPECT_TRUE(file_.is_reserved());
  EXPECT_FALSE(file_.lock(b_, Level::kReserved));
  file_.unlock(a_, Level::kShared);
  EXPECT_TRUE(file_.lock(b_, Level::kReserved));
}

TEST_F(SharedFileTest, KeepsReadersOutWhileOneWaitsToBeAlone) {
  ASSERT_TRUE(file_.lock(a_, Level::kShared));
  ASSERT_TRUE(file_.lock(b_, Level::kShared));
  EXPECT_FALSE(file_.lock(a_, Level::kExclusive));
  EXPECT_EQ(a_.level, Level::kPending);
  SharedFile::Holder c;
  EXPECT_FALSE(file_.lock(c, Level::kShared));
  file_.unlock(b_, Level::kNone);
  EXPECT_TRUE(file_.lock(a_, Level::kExclusive));
  file_.unlock(a_, Level::kNone);
  EXPECT_TRUE(file_.lock(c, Level::kShared));
}

TEST_F(SharedFileTest, SharesASlotOrGivesItToOne) {
  EXPECT_TRUE(file_.lock_shared(a_, 3));
  EXPECT_TRUE(file_.lock_shared(b_, 3));
  EXPECT_FALSE(file_.lock_exclusive(b_, 2, 3)) << "all of them or none";
  EXPECT_TRUE(file_.lock_exclusive(b_, 4, 1));
  EXPECT_FALSE(file_.lock_shared(a_, 4));
  file_.unlock_slots(a_, 3, 1);
  file_.unlock_slots(b_, 3, 2);
  EXPECT_TRUE(file_.lock_exclusive(a_, 0, SharedFile::kSlots));
}

TEST_F(SharedFileTest, KeepsItsMemoryWhileSomebodyHasIt) {
  EXPECT_EQ(file_.map(a_, 0, 100, false), nullptr);
  auto* first = static_cast<char*>(file_.map(a_, 0, 100, true));
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first[99], 0);
  first[99] = 1;
  EXPECT_NE(file_.map(b_, 5, 100, true), nullptr);
  EXPECT_EQ(file_.map(b_, 0, 100, false), first);
  file_.unmap(a_);
  EXPECT_EQ(static_cast<char*>(file_.map(b_, 0, 100, false))[99], 1);
  file_.unmap(b_);
  EXPECT_EQ(file_.map(a_, 0, 100, false), nullptr) << "a start finds nothing stale";
}

}  // namespace
}  // namespace store
