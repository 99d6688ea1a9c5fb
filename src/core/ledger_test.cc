#include "core/ledger.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace core {
namespace {

constexpr base::EngineTime kStart{1'000'000};

base::EngineTime after(int64_t ms) { return kStart + base::Duration{ms}; }

LedgerEntry entry_of(uint64_t id, uint32_t fence, int64_t until_ms) {
  LedgerEntry entry;
  entry.id.value = id;
  entry.fence = fence;
  entry.secret_hash = id * 7 + fence;
  entry.ending = Ending::kAck;
  entry.after = JobState::kSucceeded;
  entry.until = after(until_ms);
  return entry;
}

TEST(Ledger, TellsWhatWasPut) {
  Ledger ledger;
  LedgerEntry fail = entry_of(5, 3, 60'000);
  fail.ending = Ending::kFail;
  fail.after = JobState::kScheduled;
  fail.cancelled = true;
  fail.attempt = 9;
  fail.run_at_ms = 123'456;
  ledger.add(fail, kStart);
  const auto found = ledger.find(JobId{5}, 3, kStart);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->ending, Ending::kFail);
  EXPECT_EQ(found->after, JobState::kScheduled);
  EXPECT_TRUE(found->cancelled);
  EXPECT_EQ(found->attempt, 9U);
  EXPECT_EQ(found->run_at_ms, 123'456);
  EXPECT_EQ(found->secret_hash, fail.secret_hash);
  EXPECT_EQ(found->until, after(60'000));
  EXPECT_FALSE(ledger.find(JobId{5}, 2, kStart).has_value());
  EXPECT_FALSE(ledger.find(JobId{4}, 3, kStart).has_value());
}

TEST(Ledger, AnEntryIsToldUntilItsTimeAndNotAfter) {
  Ledger ledger;
  ledger.add(entry_of(1, 1, 60'000), kStart);
  EXPECT_TRUE(ledger.find(JobId{1}, 1, after(59'999)).has_value());
  EXPECT_FALSE(ledger.find(JobId{1}, 1, after(60'000)).has_value());
  ledger.add(entry_of(2, 1, 0), kStart);
  EXPECT_EQ(ledger.size(), 1U) << "what is over is not kept";
}

TEST(Ledger, ALongKeepIsTold) {
  Ledger ledger;
  constexpr int64_t kTenYears = limits::kDurationMsMax;
  ledger.add(entry_of(1, 1, kTenYears), kStart);
  EXPECT_TRUE(ledger.find(JobId{1}, 1, after(kTenYears - 1)).has_value());
  EXPECT_FALSE(ledger.find(JobId{1}, 1, after(kTenYears + 1'000)).has_value());
  ledger.expire(after(kTenYears - 1));
  EXPECT_EQ(ledger.size(), 1U);
  ledger.expire(after(kTenYears + 1'000));
  EXPECT_EQ(ledger.size(), 0U);
}

TEST(Ledger, ALongKeepDoesNotHoldWhatIsKeptForAMinute) {
  Ledger ledger;
  for (uint64_t id = 1; id <= 1'000; ++id) {
    ledger.add(entry_of(id, 1, id % 10 == 0 ? limits::kDayMs : 60'000), kStart);
  }
  ledger.expire(after(60'000));
  EXPECT_EQ(ledger.size(), 100U);
  EXPECT_TRUE(ledger.find(JobId{500}, 1, after(60'000)).has_value());
}

TEST(Ledger, ExpiryNeverComesTooEarly) {
  base::SeededRandom random(1);
  Ledger ledger;
  std::vector<LedgerEntry> entries;
  for (int64_t now = 0; now < 300'000; now += 100) {
    const auto kept = static_cast<int64_t>(random.below(3) == 0 ? random.below(600'000) : 60'000);
    entries.push_back(entry_of(entries.size() + 1, 1, now + kept + 1));
    ledger.add(entries.back(), after(now));
    if (now % 1'000 == 0) ledger.expire(after(now));
  }
  for (const LedgerEntry& entry : entries) {
    EXPECT_EQ(ledger.find(entry.id, 1, after(300'000)).has_value(), entry.until > after(300'000));
  }
  ledger.expire(after(1'200'000));
  EXPECT_EQ(ledger.size(), 0U);
  EXPECT_FALSE(ledger.block_from(0).has_value());
}

TEST(Ledger, ImagesHoldEveryEntryOnce) {
  Ledger ledger;
  for (uint64_t id = 1; id <= 3'000; ++id) {
    ledger.add(entry_of(id, 1, static_cast<int64_t>(60'000 * (1 + id % 5))), kStart);
  }
  Ledger copy;
  size_t told = 0;
  for (auto block = ledger.block_from(0); block; block = ledger.block_from(*block + 1)) {
    for (const LedgerEntry& entry : ledger.image_of(*block).entries) {
      ++told;
      copy.add(entry, kStart);
    }
  }
  EXPECT_EQ(told, 3'000U);
  for (uint64_t id = 1; id <= 3'000; ++id) {
    const auto found = copy.find(JobId{id}, 1, kStart);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->until, ledger.find(JobId{id}, 1, kStart)->until);
  }
}

}  // namespace
}  // namespace core
