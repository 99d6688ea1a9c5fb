#include "core/idempotency.h"

#include <gtest/gtest.h>

namespace core {
namespace {

using Seen = Producers::Seen;

base::EngineTime at(int64_t ms) { return base::EngineTime{ms}; }

TEST(RequestTokens, AnswerUntilTheirTimeAndNotAfter) {
  RequestTokens tokens;
  tokens.put("a", {JobId{7}, true}, at(100));
  ASSERT_TRUE(tokens.find("a", at(99)).has_value());
  EXPECT_EQ(tokens.find("a", at(99))->id.value, 7U);
  EXPECT_TRUE(tokens.find("a", at(99))->created);
  EXPECT_FALSE(tokens.find("a", at(100)).has_value());
  EXPECT_FALSE(tokens.find("b", at(0)).has_value());
}

TEST(RequestTokens, ATokenPutAgainAfterItsTimeHasItsNewTime) {
  RequestTokens tokens;
  tokens.put("a", {JobId{1}, true}, at(100));
  tokens.put("a", {JobId{2}, true}, at(300));
  tokens.expire(at(100));
  ASSERT_TRUE(tokens.find("a", at(200)).has_value());
  EXPECT_EQ(tokens.find("a", at(200))->id.value, 2U);
  tokens.expire(at(300));
  EXPECT_EQ(tokens.size(), 0U);
}

TEST(RequestTokens, ATokenTakenBackIsNotKnown) {
  RequestTokens tokens;
  tokens.put("a", {JobId{1}, true}, at(100));
  tokens.take_back("a");
  EXPECT_FALSE(tokens.find("a", at(0)).has_value());
  tokens.put("a", {JobId{2}, true}, at(200));
  tokens.expire(at(150));
  EXPECT_TRUE(tokens.find("a", at(150)).has_value()) << "the first expiry is not the second's";
  tokens.expire(at(200));
  EXPECT_EQ(tokens.size(), 0U);
}

TEST(RequestTokens, TheWalkMeetsEachOnce) {
  RequestTokens tokens;
  for (int i = 0; i < 100; ++i) tokens.put(std::to_string(i), {JobId{1}, true}, at(100));
  size_t met = 0;
  for (size_t bucket = 0; bucket < tokens.bucket_count(); ++bucket) {
    tokens.for_each_in(bucket, bucket + 1, [&](const PushSeen&) { ++met; });
  }
  EXPECT_EQ(met, 100U);
}

TEST(Producers, KnowTheLastThousandNumbersAndRefuseTheOlder) {
  Producers producers;
  for (uint64_t seq = 0; seq < 2'000; ++seq) {
    EXPECT_EQ(producers.look_up("p", seq).seen, Seen::kNew);
    producers.put("p", {seq, JobId{seq + 1}, true}, at(0));
  }
  constexpr uint64_t kOldest = 1'999 - limits::kProducerWindow + 1;
  EXPECT_EQ(producers.look_up("p", kOldest).seen, Seen::kKnown);
  EXPECT_EQ(producers.look_up("p", kOldest).push.id.value, kOldest + 1);
  const auto old = producers.look_up("p", kOldest - 1);
  EXPECT_EQ(old.seen, Seen::kTooOld);
  EXPECT_EQ(old.oldest, kOldest);
  EXPECT_EQ(producers.look_up("p", 5'000).seen, Seen::kNew);
}

TEST(Producers, ANumberThatWasLeftOutIsNew) {
  Producers producers;
  producers.put("p", {10, JobId{1}, true}, at(0));
  producers.put("p", {12, JobId{2}, true}, at(0));
  EXPECT_EQ(producers.look_up("p", 11).seen, Seen::kNew);
  producers.put("p", {11, JobId{3}, false}, at(0));
  EXPECT_EQ(producers.look_up("p", 11).push.id.value, 3U);
  EXPECT_FALSE(producers.look_up("p", 11).push.created);
}

TEST(Producers, WhatIsTakenBackLeavesNoTrace) {
  Producers producers;
  producers.put("p", {1, JobId{1}, true}, at(5));
  const base::EngineTime used = producers.put("p", {2'000, JobId{2}, true}, at(9));
  EXPECT_EQ(used, at(5));
  EXPECT_EQ(producers.look_up("p", 1).seen, Seen::kTooOld);
  producers.take_back("p", 2'000, used);
  EXPECT_EQ(producers.look_up("p", 1).seen, Seen::kKnown);
  producers.take_back("p", 1, base::EngineTime{});
  EXPECT_EQ(producers.size(), 0U);
}

TEST(Producers, TheIdleGoWhenThereIsNoRoomAndTheActiveStay) {
  Producers producers;
  for (size_t i = 0; i < limits::kProducersMax; ++i) {
    producers.put(std::to_string(i), {1, JobId{1}, true}, at(static_cast<int64_t>(i)));
  }
  EXPECT_EQ(producers.look_up("new", 1).seen, Seen::kNoRoom);
  EXPECT_EQ(producers.overflow(at(limits::kProducerIdleMs - 1)), nullptr) << "all were used of late";
  const std::string* idle = producers.overflow(at(limits::kProducerIdleMs));
  ASSERT_NE(idle, nullptr);
  EXPECT_EQ(*idle, "0") << "the one used longest ago";
  producers.put("0", {2, JobId{2}, true}, at(limits::kProducerIdleMs));
  idle = producers.overflow(at(2 * limits::kProducerIdleMs));
  ASSERT_NE(idle, nullptr);
  EXPECT_EQ(*idle, "1") << "0 was used again";
  producers.forget("1");
  EXPECT_EQ(producers.look_up("new", 1).seen, Seen::kNew);
  EXPECT_EQ(producers.look_up("0", 2).seen, Seen::kKnown);
}

}  // namespace
}  // namespace core
