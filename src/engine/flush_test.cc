#include "engine/flush.h"

#include "engine/flush_fixture.h"

namespace engine {
namespace {

class FlushTest : public FlushFixture {
 protected:
  static core::PushMany many(size_t count) {
    core::PushMany many;
    many.items.assign(count, push_of().spec);
    return many;
  }
  core::Bulk remove(const std::vector<uint64_t>& ids) {
    core::Bulk bulk{core::BulkVerb::kDelete, false, {}};
    for (const uint64_t id : ids) bulk.jobs.push_back(ref(id));
    return bulk;
  }
  size_t rows() {
    return count([&](const auto& seen) { return fresh_reader().scan_rest(seen); });
  }
  size_t rows_in_lanes() {
    size_t count = 0;
    EXPECT_TRUE(fresh_reader().scan_lanes([&](const store::JobHeader&) { ++count; }).has_value());
    return count;
  }
  size_t side_records(char kind) {
    size_t count = 0;
    EXPECT_TRUE(fresh_reader()
                    .scan_side([&](std::string_view key, std::string_view) {
                      if (key[0] == kind) ++count;
                      return base::Status();
                    })
                    .has_value());
    return count;
  }

 private:
  template <typename Scan>
  static size_t count(Scan scan) {
    size_t count = 0;
    EXPECT_TRUE(scan([&](core::JobId, const base::Result<store::JobRow>&) {
                  ++count;
                  return base::Status();
                }).has_value());
    return count;
  }
};

TEST_F(FlushTest, AFlushOfNothingIsAFlushToo) {
  machine.begin_flush();
  EXPECT_TRUE(machine.flush().taking());
  finish_flush();
  EXPECT_FALSE(machine.flush().running());
  EXPECT_EQ(rows_put, 0U);
  EXPECT_EQ(side_records('n'), 1U);
}

TEST_F(FlushTest, OnlyWhatChangedIsWrittenAgain) {
  for (int i = 0; i < 10; ++i) push();
  flush();
  EXPECT_EQ(rows_put, 10U);
  cancel(3);
  push();
  flush();
  EXPECT_EQ(rows_put, 2U);
  flush();
  EXPECT_EQ(rows_put, 0U);
}

TEST_F(FlushTest, JobsThatDispatchNeedsNoMoreOfLieInLanes) {
  push();
  core::Push expiring = push_of();
  expiring.spec.expire_ms = 60'000;
  turn(make(expiring));
  core::Push keyed = push_of();
  keyed.spec.key = "k";
  keyed.spec.has_key = true;
  turn(make(keyed));
  core::Push later = push_of();
  later.spec.delay_ms = 60'000;
  turn(make(later));
  flush();
  EXPECT_EQ(rows_in_lanes(), 1U);
  EXPECT_EQ(rows(), 3U) << "those with a time, a key or a delay";
  start();
  flush();
  EXPECT_EQ(rows_in_lanes(), 0U);
}

TEST_F(FlushTest, JobsThatCameAndWentAreNeverWritten) {
  turn(make(many(100)));
  turn(make(remove({1, 2, 3, 50})));
  flush();
  EXPECT_EQ(rows_put, 96U);
  EXPECT_EQ(rows_erased, 0U);
  turn(make(remove({4, 5})));
  flush();
  EXPECT_EQ(rows_put, 0U);
  EXPECT_EQ(rows_erased, 2U);
}

TEST_F(FlushTest, AFlushTakesManyJobsInSlices) {
  turn(make(many(5'000)));
  machine.begin_flush();
  int slices = 1;
  std::unique_ptr<store::ChangeSet> set;
  while ((set = machine.flush_slice()) == nullptr) ++slices;
  EXPECT_EQ(slices, 3);
  apply_set(*set);
  EXPECT_EQ(rows_put, 5'000U);
}

TEST_F(FlushTest, LargeJobsEndASliceEarly) {
  const std::string args(100'000, 'x');
  core::Push large = push_of();
  large.spec.args = args;
  for (int i = 0; i < 300; ++i) turn(make(large));
  machine.begin_flush();
  int slices = 1;
  while (machine.flush_slice() == nullptr) ++slices;
  EXPECT_GE(slices, 4);
}

// What happens between the slices is in the next flush, and in the frames behind this one.
TEST_F(FlushTest, TheFrozenMomentIsFlushedWhateverHappensMeanwhile) {
  turn(make(many(200)));
  flush();
  turn(make(many(100)));
  for (int i = 0; i < 20; ++i) start();
  const auto lease = start();
  auto before = replayed(std::exchange(effects, {}));
  machine.begin_flush();
  ack(lease);
  turn(make(remove({100, 150, 250})));
  std::unique_ptr<store::ChangeSet> set = machine.flush_slice(64);
  turn(make(many(10)));
  cancel(280);
  core::Push replace = push_of("new");
  turn(make(replace));
  turn(make(core::QueuePause{"q", "fire"}));
  start("new");
  while (set == nullptr) set = machine.flush_slice(64);
  apply_set(*set);
  const std::string behind = std::exchange(effects, {});
  auto frozen = restarted();
  expect_same(*before, *frozen);
  auto all = restarted(behind);
  machine.flush_done(0, seq);
  expect_same(machine, *all);
}

TEST_F(FlushTest, SideRecordsComeAndGoWithWhatTheyTell) {
  core::Push named = push_of();
  named.spec.has_request = true;
  named.spec.request = "r";
  turn(make(named));
  ack(start());
  turn(make(remove({1})));
  flush();
  EXPECT_EQ(side_records('r'), 1U);
  EXPECT_EQ(side_records('l'), 1U);
  EXPECT_EQ(side_records('q'), 1U);
  EXPECT_EQ(side_records('t'), 1U);
  pass(core::limits::kRequestMsDefault);
  flush();
  EXPECT_EQ(side_records('r'), 0U);
  EXPECT_EQ(side_records('l'), 0U);
}

TEST_F(FlushTest, WhatIsSoonOverDoesNotStayForWhatLasts) {
  core::Push lasting = push_of();
  lasting.spec.keep_ms = 86'400'000;
  turn(make(lasting));
  ack(start());
  turn(make(remove({1})));  // Its answer is remembered for the day that it was to be kept.
  turn(make(push_of()));
  ack(start());
  turn(make(remove({2})));
  flush();
  EXPECT_EQ(side_records('l'), 2U);
  pass(2 * core::limits::kLedgerMs);
  flush();
  EXPECT_EQ(side_records('l'), 1U);
  pass(86'400'000);
  flush();
  EXPECT_EQ(side_records('l'), 0U);
}

TEST_F(FlushTest, ARestartAddsNothingToTheLedger) {
  turn(make(push_of()));
  ack(start());
  flush(0);  // The record leaves memory, so the ledger learns of it, and
  flush(0);  // the tables of that.
  ASSERT_EQ(machine.state().ledger().size(), 1U);
  EXPECT_EQ(restarted()->state().ledger().size(), 1U);
}

TEST_F(FlushTest, ARowOfAnEarlierStateIsTakenForADamagedOne) {
  push();
  flush(0);
  const core::Job& job = *machine.state().find(core::JobId{1});
  ASSERT_EQ(job.record, nullptr);
  const auto read = [&](uint64_t ready_seq) {
    store::Loader::Loaded loaded{job.id, std::make_unique<core::JobRecord>(), {}};
    loaded.header = {
        .id = job.id, .state = job.state, .priority = job.priority, .ready_seq = ready_seq};
    machine.bring_in(std::move(loaded));
  };
  read(job.ready_seq);
  EXPECT_NE(job.record, nullptr);
  EXPECT_EQ(machine.state().damaged(), 0U);
  push();
  flush(0);
  const core::Job& other = *machine.state().find(core::JobId{2});
  store::Loader::Loaded old{other.id, std::make_unique<core::JobRecord>(), {}};
  old.header = {.id = other.id, .state = other.state, .priority = other.priority, .ready_seq = 77};
  machine.bring_in(std::move(old));
  EXPECT_EQ(machine.state().damaged(), 1U);
}

TEST_F(FlushTest, RecordsLeaveMemoryOnlyWhenTheTablesHaveThem) {
  turn(make(many(10)));
  machine.begin_flush();
  while (machine.flush().taking()) machine.flush_slice();
  EXPECT_NE(job(1).record, nullptr);
  machine.flush_done(0, 1);
  EXPECT_EQ(job(1).record, nullptr);
  EXPECT_EQ(machine.state().residency().record_bytes(), 0U);
}

}  // namespace
}  // namespace engine
