#include "store/memory/memory_journal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace store {
namespace {

using base::ErrorCode;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::vector<uint64_t> seqs_after_restart(MemoryDisk& disk) {
  MemoryJournal journal(disk);
  std::vector<uint64_t> seqs;
  const auto opened = journal.open([&seqs](uint64_t seq, auto) -> base::Status {
    seqs.push_back(seq);
    return {};
  });
  EXPECT_TRUE(opened.has_value());
  return seqs;
}

const FrameVisitor kVisitNothing = [](uint64_t, auto) -> base::Status { return {}; };

TEST(MemoryJournal, AFailedAppendMayOrMayNotBeThereAfterACrash) {
  for (const bool lose : {false, true}) {
    MemoryDisk disk;
    {
      MemoryJournal journal(disk);
      ASSERT_TRUE(journal.open(kVisitNothing).has_value());
      ASSERT_TRUE(journal.append(1, bytes_of("kept")).has_value());
      disk.fail_append(1, MemoryDisk::FrameFate::kUnsynced);
      const auto failed = journal.append(2, bytes_of("unsure"));
      ASSERT_FALSE(failed.has_value());
      EXPECT_EQ(failed.error().code, ErrorCode::kIo);
    }
    if (lose) disk.lose_unsynced();
    EXPECT_EQ(seqs_after_restart(disk),
              lose ? std::vector<uint64_t>{1} : (std::vector<uint64_t>{1, 2}));
  }
}

TEST(MemoryJournal, ALostFrameIsGoneWhateverHappensNext) {
  MemoryDisk disk;
  {
    MemoryJournal journal(disk);
    ASSERT_TRUE(journal.open(kVisitNothing).has_value());
    disk.fail_append(2, MemoryDisk::FrameFate::kLost);
    ASSERT_TRUE(journal.append(1, bytes_of("kept")).has_value());
    ASSERT_FALSE(journal.append(2, bytes_of("lost")).has_value());
  }
  EXPECT_EQ(seqs_after_restart(disk), std::vector<uint64_t>{1});
}

TEST(MemoryJournal, StopsForGoodAfterAFailedAppend) {
  MemoryDisk disk;
  MemoryJournal journal(disk);
  ASSERT_TRUE(journal.open(kVisitNothing).has_value());
  disk.fail_append(1, MemoryDisk::FrameFate::kLost);
  ASSERT_FALSE(journal.append(1, bytes_of("a")).has_value());
  EXPECT_FALSE(journal.append(1, bytes_of("a")).has_value());
  EXPECT_FALSE(journal.trim(1).has_value());
  EXPECT_FALSE(journal.prepare().has_value());
  EXPECT_FALSE(journal.close().has_value());
}

TEST(MemoryJournal, WhatARestartHasReadIsDurable) {
  MemoryDisk disk;
  {
    MemoryJournal journal(disk);
    ASSERT_TRUE(journal.open(kVisitNothing).has_value());
    disk.fail_append(1, MemoryDisk::FrameFate::kUnsynced);
    ASSERT_FALSE(journal.append(1, bytes_of("unsure")).has_value());
  }
  EXPECT_EQ(seqs_after_restart(disk), std::vector<uint64_t>{1});
  disk.lose_unsynced();
  EXPECT_EQ(seqs_after_restart(disk), std::vector<uint64_t>{1});
}

TEST(MemoryJournal, AFullDiskRefusesAppendsUntilItHasSpace) {
  MemoryDisk disk;
  MemoryJournal journal(disk);
  ASSERT_TRUE(journal.open(kVisitNothing).has_value());
  disk.set_level(DiskLevel::kFull);
  const auto refused = journal.append(1, bytes_of("a"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(journal.space().disk, DiskLevel::kFull);
  disk.set_level(DiskLevel::kFine);
  EXPECT_TRUE(journal.append(1, bytes_of("a")).has_value());
}

}  // namespace
}  // namespace store
