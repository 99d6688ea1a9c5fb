#include "store/memory/null_journal.h"

#include <gtest/gtest.h>

#include <array>

namespace store {
namespace {

TEST(NullJournal, TakesEverythingAndHoldsNothing) {
  NullJournal journal;
  const auto opened = journal.open([](uint64_t, auto) -> base::Status {
    ADD_FAILURE() << "visited a frame";
    return {};
  });
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->last_seq, 0U);
  const std::array<std::byte, 8> payload{};
  for (uint64_t seq = 1; seq <= 100; ++seq) ASSERT_TRUE(journal.append(seq, payload).has_value());
  EXPECT_TRUE(journal.trim(50).has_value());
  EXPECT_TRUE(journal.prepare().has_value());
  EXPECT_EQ(journal.space().bytes_used, 0U);
  EXPECT_EQ(journal.space().disk, DiskLevel::kFine);
  EXPECT_TRUE(journal.close().has_value());
}

}  // namespace
}  // namespace store
