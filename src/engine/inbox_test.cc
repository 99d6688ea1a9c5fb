#include "engine/inbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <thread>

#include "base/random.h"

namespace engine {
namespace {

class InboxTest : public testing::Test {
 protected:
  Request* make(uint64_t session, Lane lane) {
    Request& request = requests.emplace_back();
    request.session = session;
    request.lane = lane;
    request.order = &orders[session];
    return &request;
  }
  Request* push(uint64_t session, Lane lane) {
    Request* request = make(session, lane);
    EXPECT_TRUE(inbox.push({&request, 1}).empty());
    return request;
  }
  std::vector<Request*> drain(size_t most = 1'000) {
    std::vector<Request*> out;
    inbox.drain(most, out);
    return out;
  }

  Inbox inbox{20};
  std::deque<Request> requests;
  std::map<uint64_t, SessionOrder> orders;
};

using Requests = std::vector<Request*>;

TEST_F(InboxTest, WhatFreesResourcesGoesFirst) {
  Request* pushed = push(1, Lane::kPush);
  Request* fetch = push(2, Lane::kFetch);
  Request* ack = push(3, Lane::kFinish);
  EXPECT_EQ(inbox.size(), 3U);
  EXPECT_EQ(drain(), (Requests{ack, fetch, pushed}));
  EXPECT_EQ(inbox.size(), 0U);
  EXPECT_TRUE(drain().empty());
}

TEST_F(InboxTest, CommandsOfOneSessionKeepTheirOrder) {
  Request* first = push(1, Lane::kPush);
  Request* second = push(1, Lane::kFinish);
  Request* other = push(2, Lane::kFinish);
  Request* third = push(1, Lane::kFetch);
  EXPECT_EQ(drain(), (Requests{other, first, second, third}));
}

TEST_F(InboxTest, AnEarlierLaneOfTheSameSessionComesFirst) {
  Request* ack = push(1, Lane::kFinish);
  Request* pushed = push(1, Lane::kPush);
  EXPECT_EQ(drain(1), (Requests{ack}));
  EXPECT_EQ(drain(1), (Requests{pushed}));
}

TEST_F(InboxTest, ATenthIsKeptForTheLastLane) {
  for (int i = 0; i < 20; ++i) push(1, Lane::kFinish);
  Request* pushed = push(2, Lane::kPush);
  const Requests drained = drain(10);
  EXPECT_EQ(drained.size(), 10U);
  EXPECT_NE(std::ranges::find(drained, pushed), drained.end());
}

TEST_F(InboxTest, AReadIsTakenByItself) {
  Request* first = push(1, Lane::kRead);
  Request* second = push(2, Lane::kRead);
  Request* pushed = push(3, Lane::kPush);
  EXPECT_EQ(drain(), Requests{pushed});
  EXPECT_EQ(inbox.size(), 2U);
  EXPECT_EQ(inbox.take_read(), first);
  EXPECT_EQ(inbox.take_read(), second);
  EXPECT_EQ(inbox.take_read(), nullptr);
  EXPECT_EQ(inbox.size(), 0U);
}

TEST_F(InboxTest, AReadKeepsItsPlaceInItsSession) {
  Request* pushed = push(1, Lane::kPush);
  Request* read = push(1, Lane::kRead);
  Request* ack = push(1, Lane::kFinish);
  Request* of_another = push(2, Lane::kFinish);
  EXPECT_EQ(inbox.take_read(), nullptr) << "the push is first";
  EXPECT_EQ(drain(), (Requests{of_another, pushed})) << "the ack comes behind the read";
  EXPECT_EQ(inbox.take_read(), read);
  EXPECT_TRUE(drain().empty());
  EXPECT_EQ(inbox.take_read(), ack);
  EXPECT_EQ(ack->lane, Lane::kFinish) << "when it is given again, nothing may be before it";
}

TEST_F(InboxTest, AReadWaitsForWhatWasDrainedOfItsSession) {
  Request* pushed = push(1, Lane::kPush);
  Request* read = push(1, Lane::kRead);
  const Requests drained = drain();
  EXPECT_EQ(drained, Requests{pushed});
  EXPECT_EQ(inbox.take_read(drained), nullptr);
  EXPECT_EQ(inbox.take_read(std::span(drained).subspan(1)), read);
}

TEST_F(InboxTest, WhoWaitsToBeWokenIsNotKeptAwakeByWhatIsThere) {
  push(1, Lane::kPush);
  inbox.wait_for_wake(std::chrono::nanoseconds(1));
  std::thread other([&] { inbox.wake(); });
  inbox.wait_for_wake(std::chrono::hours(1));
  other.join();
  EXPECT_EQ(inbox.size(), 1U);
}

TEST_F(InboxTest, ALaneThatIsFullRefusesButTheOthersDoNot) {
  for (int i = 0; i < 20; ++i) push(1, Lane::kPush);
  Request* refused = make(2, Lane::kPush);
  EXPECT_EQ(inbox.push({&refused, 1}), Requests{refused});
  push(2, Lane::kFinish);
  EXPECT_EQ(drain().size(), 21U);
  EXPECT_EQ(orders[2].pending[0], 0U);
}

TEST_F(InboxTest, ACloseAlwaysHasRoom) {
  for (int i = 0; i < 20; ++i) push(1, Lane::kPush);
  Request* close = make(2, Lane::kPush);
  close->kind = Request::Kind::kClose;
  EXPECT_TRUE(inbox.push({&close, 1}).empty());
}

TEST_F(InboxTest, OfABatchOnlyWhatDoesNotFitComesBack) {
  Requests batch;
  for (int i = 0; i < 25; ++i) batch.push_back(make(1, Lane::kFetch));
  EXPECT_EQ(inbox.push(batch), Requests(batch.begin() + 20, batch.end()));
  EXPECT_EQ(drain(), Requests(batch.begin(), batch.begin() + 20));
}

// Whatever comes: nothing is lost, nothing twice, each session in order.
TEST_F(InboxTest, EverySessionStaysInOrderUnderRandomLoad) {
  base::SeededRandom random(9);
  std::map<uint64_t, std::deque<Request*>> expected;
  size_t waiting = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (random.below(3) != 0) {
      Request* request = make(random.below(5), static_cast<Lane>(random.below(4)));
      if (!inbox.push({&request, 1}).empty()) continue;
      expected[request->session].push_back(request);
      ++waiting;
      continue;
    }
    const size_t most = 1 + random.below(8);
    Requests drained = drain(most);
    ASSERT_LE(drained.size(), most);
    if (Request* read = inbox.take_read()) drained.push_back(read);
    ASSERT_TRUE(!drained.empty() || waiting == 0);
    for (Request* request : drained) {
      ASSERT_EQ(expected[request->session].front(), request);
      expected[request->session].pop_front();
      --waiting;
    }
  }
  EXPECT_EQ(inbox.size(), waiting);
}

TEST_F(InboxTest, AWaitEndsWhenSomethingComesOrSomebodyWakesIt) {
  using std::chrono::hours;
  push(1, Lane::kPush);
  inbox.wait(hours(1));
  drain();
  inbox.wake();
  inbox.wait(hours(1));
  inbox.wait(std::chrono::nanoseconds(1));

  Request* request = make(1, Lane::kPush);
  std::thread other([&] { inbox.push({&request, 1}); });
  inbox.wait(hours(1));
  other.join();
  EXPECT_EQ(drain(), Requests{request});
}

}  // namespace
}  // namespace engine
