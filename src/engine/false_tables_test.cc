// Starts from tables that say of jobs what no flush writes.
// tidy: allow test because it is the start of a machine from tables of its own
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/machine.h"
#include "engine/restore.h"
#include "store/effect_codec.h"
#include "store/job_codec.h"

namespace engine {
namespace {

using base::ErrorCode;
using core::JobId;

// Tables with one queue and one type, and what a damaged file may say of jobs.
class FalseReader final : public store::TablesReader {
 public:
  std::vector<JobId> rest;  // Scheduled ones.
  std::vector<JobId> lane;

  base::Status read(std::span<const JobId> /*ids*/, const store::RowVisitor& /*visit*/) override {
    return {};
  }
  base::Status scan_lanes(const store::HeaderVisitor& visit) override {
    for (const JobId id : lane) visit({.id = id, .in_lane = true});
    return {};
  }
  base::Status scan_rest(const store::RowVisitor& visit) override {
    core::Job job;
    job.state = core::JobState::kScheduled;
    job.record = std::make_unique<core::JobRecord>();
    std::string record;
    store::ByteWriter out(record);
    store::encode_record(out, job);
    for (const JobId id : rest) {
      store::JobRow row;
      row.header = {.id = id, .state = job.state};
      row.record = record;
      TRY(visit(id, row));
    }
    return {};
  }
  base::Status scan_side(const store::SideVisitor& visit) override {
    store::EffectEncoder encoder;
    encoder.begin({base::EngineTime{1'000}, base::WallTime{2'000}});
    encoder.put(core::QueuePut{.name = "q"});
    TRY(visit(side_key('q', uint64_t{0}), encoder.take()));
    return visit(side_key('t', uint64_t{0}), "t");
  }
  base::Result<std::optional<JobId>> verify(JobId /*from*/,
                                            const store::DamageVisitor& /*damaged*/) override {
    return std::optional<JobId>();
  }
  base::Status verify_rest(const store::DamageVisitor& /*damaged*/) override { return {}; }
};

class FalseTablesTest : public testing::Test {
 protected:
  static constexpr uint64_t kAppliedSeq = 10;

  base::Status begin() { return machine.begin_recovery(&reader, kAppliedSeq); }
  static std::string frame_of(const core::Effect& effect) {
    store::EffectEncoder encoder;
    encoder.begin({base::EngineTime{1'000}, base::WallTime{2'000}});
    encoder.put(effect);
    return encoder.take();
  }

  FalseReader reader;
  base::SeededRandom random{1};
  Machine machine{random, core::limits::kHistoryBytesMax};
};

TEST_F(FalseTablesTest, TakesEachJobOnce) {
  reader.rest = {JobId{1}, JobId{3}};
  reader.lane = {JobId{2}};
  ASSERT_TRUE(begin());
  EXPECT_EQ(machine.state().jobs().size(), 3U);
}

TEST_F(FalseTablesTest, IsRefusedWhenTheIndexNamesAJobTwice) {
  reader.rest = {JobId{1}, JobId{1}};
  const base::Status begun = begin();
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(begun.error().message.find("tables.db: index job_rest: job 0000000000001"),
            std::string::npos);
}

TEST_F(FalseTablesTest, IsRefusedWhenAJobOfALaneIsInTheIndexToo) {
  reader.rest = {JobId{1}};
  reader.lane = {JobId{1}};
  EXPECT_EQ(begin().error().code, ErrorCode::kCorrupt);
}

TEST_F(FalseTablesTest, IsRefusedWhenFramesAreMissingBetweenTablesAndJournal) {
  ASSERT_TRUE(begin());
  const base::Status begun = machine.begin_journal(kAppliedSeq + 2);
  EXPECT_EQ(begun.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(begun.error().message.find("tables.db is older than the journal"), std::string::npos);
}

// A backup that follows has old tables and all frames behind them.
TEST_F(FalseTablesTest, NeedsNoNewerTablesWhereTheJournalHasAllFrames) {
  const std::string flushed = frame_of(core::Flushed{kAppliedSeq + 100});
  ASSERT_TRUE(begin());
  EXPECT_EQ(machine.replay(flushed).error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(machine.begin_journal(kAppliedSeq + 1));
  EXPECT_TRUE(machine.replay(flushed));
}

}  // namespace
}  // namespace engine
