#include "engine/waiting.h"

#include "engine/machine_fixture.h"

namespace engine {
namespace {

using Requests = std::vector<Request*>;

class WaitingTest : public MachineFixture {
 protected:
  Request& wait_for(core::CommandBody body, uint64_t session) {
    Request& request = make(std::move(body), session);
    EXPECT_TRUE(turn(request).empty());
    return request;
  }
};

TEST_F(WaitingTest, APushFeedsTheOldestFetchInItsOwnTurn) {
  Request& older = wait_for(fetch_of({"q"}), 1);
  Request& younger = wait_for(fetch_of({"q"}), 2);
  Request& pushed = make(push_of(), 3);
  EXPECT_EQ(turn(pushed), (Requests{&pushed, &older}));
  EXPECT_EQ(leases(older), 1);
  EXPECT_EQ(machine.waiting(), 1U);
  Request& second = make(push_of(), 3);
  EXPECT_EQ(turn(second), (Requests{&second, &younger}));
}

TEST_F(WaitingTest, JobsGoRoundAmongTheFetchesOneEach) {
  core::Fetch hungry = fetch_of({"q"});
  hungry.count = 10;
  Request& first = wait_for(hungry, 1);
  Request& second = wait_for(hungry, 2);
  Request& third = wait_for(fetch_of({"q"}), 3);
  core::PushMany many;
  many.items.assign(6, push_of().spec);
  turn(make(many, 4));
  EXPECT_EQ(leases(first), 3);
  EXPECT_EQ(leases(second), 2);
  EXPECT_EQ(leases(third), 1);
  EXPECT_EQ(machine.waiting(), 0U);
}

TEST_F(WaitingTest, AFetchOfSeveralQueuesIsFedOnce) {
  Request& fetch = wait_for(fetch_of({"a", "b", "a"}), 1);
  core::PushMany many;
  many.items = {push_of("b").spec, push_of("a").spec};
  turn(make(many, 2));
  EXPECT_EQ(leases(fetch), 1);
  EXPECT_EQ(machine.state().find_queue("a")->counters.started, 1U) << "the first in its order";
  EXPECT_EQ(machine.state().find_queue("b")->counters.started, 0U);
}

TEST_F(WaitingTest, AFetchThatCannotTakeTheJobLeavesItToTheNext) {
  core::Fetch picky = fetch_of({"q"});
  picky.types = {"other"};
  Request& other = wait_for(picky, 1);
  Request& any = wait_for(fetch_of({"q"}), 2);
  Request& pushed = make(push_of(), 3);
  EXPECT_EQ(turn(pushed), (Requests{&pushed, &any}));
  EXPECT_EQ(machine.waiting(), 1U);
  Request& match = make(push_of("q", "other"), 3);
  EXPECT_EQ(turn(match), (Requests{&match, &other}));
}

TEST_F(WaitingTest, ResumeFeedsWhatWaitedForThePausedQueue) {
  turn(make(core::QueuePause{"q", ""}));
  Request& fetch = wait_for(fetch_of({"q"}), 1);
  push();
  EXPECT_EQ(machine.waiting(), 1U);
  Request& resume = make(core::QueueResume{"q"}, 2);
  EXPECT_EQ(turn(resume), (Requests{&resume, &fetch}));
}

TEST_F(WaitingTest, TheTimeOfAFetchIsUpWithAnEmptyArray) {
  Request& brief = wait_for(fetch_of({"q"}, 5'000), 1);
  Request& longest = wait_for(fetch_of({"q"}, 0), 2);
  EXPECT_EQ(machine.next_due(), now.engine + base::Duration{5'000});
  EXPECT_TRUE(pass(4'999).empty());
  EXPECT_EQ(pass(1), Requests{&brief});
  EXPECT_EQ(leases(brief), 0);
  EXPECT_EQ(pass(core::limits::kFetchBlockMsCap - 5'000), Requests{&longest});
  EXPECT_EQ(machine.next_due(), base::EngineTime::never());
}

TEST_F(WaitingTest, AJobThatComesWhenTheTimeIsUpIsStillGiven) {
  Request& fetch = wait_for(fetch_of({"q"}, 5'000), 1);
  core::Push later = push_of();
  later.spec.delay_ms = 5'000;
  turn(make(later, 2));
  EXPECT_EQ(pass(5'000), Requests{&fetch});
  EXPECT_EQ(leases(fetch), 1);
}

TEST_F(WaitingTest, AWaitForAllEndsWithTheLastAndOneForAnyWithTheFirst) {
  push();
  push();
  Request& all = wait_for(wait_of({1, 2}, false), 1);
  Request& any = wait_for(wait_of({2, 1, 2}, true), 2);
  Request& first = make(core::Bulk{core::BulkVerb::kCancel, false, {ref(2)}}, 3);
  EXPECT_EQ(turn(first), (Requests{&first, &any}));
  Request& last = make(core::Bulk{core::BulkVerb::kDelete, false, {ref(1)}}, 3);
  EXPECT_EQ(turn(last), (Requests{&last, &all}));
  EXPECT_EQ(machine.waiting(), 0U);
}

TEST_F(WaitingTest, AWaitAnswersWhatIsWhenItsTimeIsUp) {
  push();
  Request& wait = wait_for(wait_of({1}, false, 100), 1);
  EXPECT_EQ(pass(100), Requests{&wait});
  EXPECT_EQ(leases(wait), 1) << "an array of one job";
}

TEST_F(WaitingTest, AClosedSessionWaitsForNothing) {
  Request& fetch = wait_for(fetch_of({"q"}), 7);
  Request& close = make(core::UndoGrants{}, 7);
  close.kind = Request::Kind::kClose;
  EXPECT_EQ(turn(close), (Requests{&fetch, &close}));
  EXPECT_TRUE(fetch.answer.reply.empty());
  push();
  EXPECT_EQ(machine.state().find_queue("q")->counters.started, 0U);
}

}  // namespace
}  // namespace engine
