#include "engine/machine.h"

#include "engine/machine_fixture.h"
#include "store/effect_codec.h"

namespace engine {
namespace {

using Requests = std::vector<Request*>;

class MachineTest : public MachineFixture {
 protected:
  // A machine made of nothing but the effects so far.
  std::unique_ptr<Machine> replayed() {
    auto copy = std::make_unique<Machine>(random, core::limits::kHistoryBytesMax);
    EXPECT_TRUE(copy->begin_recovery(nullptr).has_value());
    EXPECT_TRUE(copy->replay(effects).has_value());
    return copy;
  }
};

TEST_F(MachineTest, AReplayedMachineHasTheJobsAndTheirOrder) {
  for (int i = 0; i < 5; ++i) push();
  core::Fetch fetch = fetch_of({"q"});
  turn(make(fetch));
  cancel(3);
  auto copy = replayed();
  EXPECT_EQ(copy->recovered_now(), now);
  ASSERT_TRUE(copy->end_recovery(now).has_value());
  std::vector<uint64_t> order;
  for (const core::Job* job : copy->state().find_queue("q")->ready.in_order()) {
    order.push_back(job->id.value);
  }
  EXPECT_EQ(order, (std::vector<uint64_t>{2, 4, 5}));
  EXPECT_EQ(copy->state().find(core::JobId{1})->state, core::JobState::kRunning);
  EXPECT_EQ(copy->state().residency().record_bytes(), machine.state().residency().record_bytes());
}

TEST_F(MachineTest, ANewJournalTellsOfNoTime) {
  EXPECT_FALSE(replayed()->recovered_now().has_value());
}

TEST_F(MachineTest, ARestartGivesEachLeaseItsGrace) {
  push();
  turn(make(fetch_of({"q"})));
  auto copy = replayed();
  const base::Now later{now.engine + base::Duration{core::limits::kHourMs}, now.wall};
  ASSERT_TRUE(copy->end_recovery(later).has_value());
  EXPECT_EQ(copy->state().find(core::JobId{1})->record->lease.deadline,
            later.engine + base::Duration{core::limits::kLeaseMsDefault});
}

TEST_F(MachineTest, OnceQuietItGivesNoLeaseAndLetsNobodyWait) {
  Request& fetch = make(fetch_of({"q"}), 1);
  EXPECT_TRUE(turn(fetch).empty());
  machine.quiesce();
  machine.begin(now);
  EXPECT_EQ(end_turn(), Requests{&fetch});
  EXPECT_EQ(leases(fetch), 0);
  push();
  Request& late = make(fetch_of({"q"}), 2);
  EXPECT_EQ(turn(late), Requests{&late});
  EXPECT_EQ(leases(late), 0);
  EXPECT_EQ(machine.state().find(core::JobId{1})->state, core::JobState::kReady);
}

TEST_F(MachineTest, AGrantWhoseConnectionClosedIsTakenBack) {
  push();
  Request& fetch = make(fetch_of({"q"}), 1);
  turn(fetch);
  Request& close = make(core::UndoGrants{fetch.answer.grants}, 1);
  close.kind = Request::Kind::kClose;
  EXPECT_EQ(turn(close), Requests{&close});
  const core::Job& job = *machine.state().find(core::JobId{1});
  EXPECT_EQ(job.state, core::JobState::kReady);
  EXPECT_EQ(job.record->attempt, 0U);
  EXPECT_EQ(job.record->fence, 1U);
}

TEST_F(MachineTest, DueWorkComesInSlices) {
  core::Push later = push_of();
  later.spec.delay_ms = 10;
  for (int i = 0; i < 10; ++i) turn(make(later));
  now.engine += base::Duration{10};
  machine.begin(now);
  EXPECT_TRUE(machine.apply_due(4));
  EXPECT_EQ(machine.state().find_queue("q")->ready.in_order().size(), 4U);
  EXPECT_TRUE(machine.apply_due(4));
  EXPECT_FALSE(machine.apply_due(4));
  EXPECT_EQ(machine.state().find_queue("q")->ready.in_order().size(), 10U);
}

TEST_F(MachineTest, APushIsRefusedWithTheReasonItIsGiven) {
  const base::Error full{base::ErrorCode::kDiskFull, "no room"};
  machine.begin(now, &full);
  Request& pushed = make(push_of());
  machine.apply(pushed);
  core::ReplyReader reader(pushed.answer.reply.tape());
  ASSERT_EQ(reader.tag(), core::ReplyTag::kError);
  EXPECT_EQ(reader.code(), base::ErrorCode::kDiskFull);
  end_turn();
  EXPECT_EQ(machine.state().jobs().size(), 0U);
}

}  // namespace
}  // namespace engine
