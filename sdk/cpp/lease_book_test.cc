#include "sdk/cpp/lease_book.h"

#include <gtest/gtest.h>

#include "sdk/cpp/no_owner.h"

namespace dray::detail {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

std::shared_ptr<Held> held(const std::string& id, const std::string& token,
                           milliseconds lease = 30s, milliseconds timeout = 0ms) {
  static NoOwner owner;
  LeasedJob job;
  job.id = id;
  job.token = token;
  job.lease = lease;
  job.timeout = timeout;
  return std::make_shared<Held>(job, owner);
}

TEST(LeaseBook, ClaimThatIsTakenBackCanBeMadeAgain) {
  LeaseBook book;
  const auto job = held("a", "t1");
  book.add(job);
  EXPECT_TRUE(book.claim(*job));
  book.unclaim(*job);
  EXPECT_TRUE(book.claim(*job));
}

TEST(LeaseBook, OnlyOneCanClaim) {
  LeaseBook book;
  const auto job = held("a", "t1");
  book.add(job);
  EXPECT_TRUE(book.claim(*job));
  EXPECT_FALSE(book.claim(*job));
  EXPECT_TRUE(book.claim_all().empty());
  EXPECT_EQ(book.size(), 1U) << "still ours until it is delivered";
  book.close(*job);
  EXPECT_EQ(book.size(), 0U);
}

TEST(LeaseBook, LostLeaseTellsItsHandlerAndCannotBeClaimed) {
  LeaseBook book;
  const auto job = held("a", "t1");
  book.add(job);
  EXPECT_TRUE(book.lose("t1"));
  EXPECT_EQ(job->cancel_reason(), CancelReason::kLost);
  EXPECT_FALSE(book.claim(*job));
  EXPECT_FALSE(book.lose("t1"));
}

TEST(LeaseBook, ClaimedLeaseIsNotLostByABeatThatCrossesItsAck) {
  LeaseBook book;
  const auto job = held("a", "t1");
  book.add(job);
  ASSERT_TRUE(book.claim(*job));
  EXPECT_FALSE(book.lose("t1"));
  EXPECT_TRUE(book.is_open(*job));
}

TEST(LeaseBook, SecondLeaseOfAJobEndsTheFirst) {
  LeaseBook book;
  const auto first = held("a", "t1");
  const auto second = held("a", "t2");
  book.add(first);
  book.add(second);
  EXPECT_EQ(first->cancel_reason(), CancelReason::kLost);
  EXPECT_EQ(second->cancel_reason(), CancelReason::kNone);
  EXPECT_EQ(book.size(), 1U);
  EXPECT_FALSE(book.claim(*first));
  EXPECT_TRUE(book.claim(*second));
}

TEST(LeaseBook, BeatIsDueAfterAThirdOfTheShortestLease) {
  LeaseBook book;
  EXPECT_TRUE(book.next_beat().is_never());
  book.add(held("a", "t1", 30s));
  book.add(held("b", "t2", 300ms));
  EXPECT_LE(book.next_beat().left(), 100ms);
  EXPECT_EQ(book.shortest_lease(), 300ms);
  book.renewed(book.all(), mono_now() + 1h);
  EXPECT_GT(book.next_beat().left(), 50min);
}

TEST(LeaseBook, ClaimsWhatIsBeyondItsTimeLimit) {
  LeaseBook book;
  const auto limited = held("a", "t1", 30s, 1ms);
  book.add(limited);
  book.add(held("b", "t2"));
  while (!limited->deadline().is_over()) {
  }
  const auto claimed = book.claim_timed_out(milliseconds{0});
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed.front()->id(), "a");
  EXPECT_TRUE(book.next_timeout(milliseconds{0}).is_never());
}

TEST(Held, WaitEndsAtOnceWhenCancelled) {
  const auto job = held("a", "t");
  std::thread other([&] { job->cancel(CancelReason::kRequested); });
  EXPECT_TRUE(job->wait(1h));
  other.join();
  EXPECT_EQ(job->cancel_reason(), CancelReason::kRequested);
}

TEST(Held, FirstReasonStays) {
  const auto job = held("a", "t");
  job->cancel(CancelReason::kRequested);
  job->cancel(CancelReason::kStopping);
  EXPECT_EQ(job->cancel_reason(), CancelReason::kRequested);
}

TEST(Held, WaitEndsAtTheTimeLimit) {
  const auto job = held("a", "t", 30s, 5ms);
  EXPECT_TRUE(job->wait(1h));
  EXPECT_EQ(job->cancel_reason(), CancelReason::kTimeout);
  EXPECT_EQ(job->time_left(), 0ms);
}

TEST(Held, ForEverIsALongTime) {
  const auto job = held("a", "t", 30s, milliseconds::max());
  EXPECT_EQ(job->cancel_reason(), CancelReason::kNone);
  EXPECT_GT(*job->time_left(), 1h);
  std::thread other([&] { job->cancel(CancelReason::kRequested); });
  EXPECT_TRUE(job->wait(milliseconds::max()));
  other.join();
}

TEST(Held, RefusesLargeProgress) {
  const auto job = held("a", "t");
  EXPECT_THROW(job->progress(std::string(65'537, 'x')), Error);
  EXPECT_NO_THROW(job->progress(std::string(65'536, 'x')));
}

}  // namespace
}  // namespace dray::detail
