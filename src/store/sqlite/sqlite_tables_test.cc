// What the conformance suite cannot ask of all tables: damage of each kind in the file, a disk that
// fills up, and the power going in every single call.
#include "store/sqlite/sqlite_tables.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/dropping_file.h"
#include "store/sqlite/connection.h"
#include "store/temp_directory.h"

namespace store {
namespace {

using base::ErrorCode;
using core::JobId;

// Rows of ids in a row, and the bytes they point to.
class Rows {
 public:
  Rows(uint64_t first, uint64_t end, const std::string& record) : record_(record) {
    for (uint64_t id = first; id < end; ++id) {
      JobRow row;
      row.header.id = JobId{id};
      row.header.ready_seq = id;
      row.header.in_lane = id % 10 != 0;
      row.record = record_;
      row.args = args_;
      rows_.push_back(row);
    }
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  Changes changes(uint64_t applied_seq) const {
    return {.rows = rows_, .erased = {}, .side = side_, .applied_seq = applied_seq};
  }

 private:
  const std::string record_;
  const std::string args_ = std::string(200, 'a');
  const std::vector<SideRecord> side_{{"record", record_}};
  std::vector<JobRow> rows_;
};

class SqliteTablesTest : public testing::Test {
 protected:
  std::string path() const { return directory_.path() + "/tables.db"; }

  std::unique_ptr<SqliteTables> make(FileSystem& files) const {
    return std::make_unique<SqliteTables>(files, SqliteTablesOptions{directory_.path()});
  }

  std::string content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // Makes a file with jobs 1 to 20,000, and returns what opening it says after `sql` was run on it.
  base::Result<TablesSummary> open_after(const std::string& sql) {
    {
      const auto tables = make(files_);
      EXPECT_TRUE(tables->open());
      EXPECT_TRUE(tables->apply(Rows(1, 20'001, "first").changes(7)));
      EXPECT_TRUE(tables->close());
    }
    run(sql);
    tables_ = make(files_);
    return tables_->open();
  }

  void run(const std::string& sql) {
    Connection connection;
    ASSERT_TRUE(connection.open(path(), ""));
    const auto done = connection.run(sql.c_str());
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }

  static std::vector<std::string> damages(Tables& tables) {
    std::vector<std::string> found;
    const auto reader = tables.make_reader();
    EXPECT_TRUE(reader.has_value());
    std::optional<JobId> from = JobId{0};
    while (from) {
      const auto next = (*reader)->verify(
          *from, [&](const base::Error& error) { found.push_back(error.message); });
      EXPECT_TRUE(next.has_value());
      if (!next) break;
      from = *next;
    }
    return found;
  }

  void expect_refused(const std::string& sql, const std::string& named) {
    const auto opened = open_after(sql);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(opened.error().message.find(path()), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find(named), std::string::npos) << opened.error().message;
  }

  void expect_named(const std::string& sql, const std::string& named) {
    const auto opened = open_after(sql);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    const auto found = damages(*tables_);
    ASSERT_FALSE(found.empty());
    EXPECT_NE(found[0].find(named), std::string::npos) << found[0];
  }

  TempDirectory directory_;
  FileSystem files_{kernel_calls()};
  std::unique_ptr<SqliteTables> tables_;
};

TEST_F(SqliteTablesTest, OpensWhatIsSound) {
  const auto opened = open_after("SELECT 1");
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->applied_seq, 7U);
  EXPECT_EQ(opened->rows, 20'000U);
  EXPECT_EQ(damages(*tables_), std::vector<std::string>());
}

TEST_F(SqliteTablesTest, RefusesADamagedLane) {
  expect_refused("UPDATE lane SET jobs = CAST('X' || substr(jobs, 2) AS BLOB) WHERE block = 2",
                 "table lane, block 2");
}

TEST_F(SqliteTablesTest, RefusesAMissingLane) {
  expect_refused("DELETE FROM lane WHERE block = 2", "table lane: 4 records");
}

TEST_F(SqliteTablesTest, RefusesAnotherMeta) {
  expect_refused("UPDATE meta SET applied_seq = 6", "table meta, id 1");
}

TEST_F(SqliteTablesTest, RefusesAMissingSideRecord) {
  expect_refused("DELETE FROM side", "table side: 0 records");
}

TEST_F(SqliteTablesTest, RefusesAnotherFormat) {
  expect_refused("PRAGMA user_version = 2", "user_version 2");
}

TEST_F(SqliteTablesTest, RefusesTheFileOfAnotherProgram) {
  run("CREATE TABLE other (a)");
  tables_ = make(files_);
  const auto opened = tables_->open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
}

TEST_F(SqliteTablesTest, NamesARowThatHasChanged) {
  expect_named("UPDATE job SET priority = 9 WHERE id = 40", "table job, id 40");
}

TEST_F(SqliteTablesTest, NamesANumberThatIsTooLarge) {
  expect_named("UPDATE job SET queue = queue + 4294967296 WHERE id = 40", "table job, id 40");
}

TEST_F(SqliteTablesTest, NamesTheBlockOfAMissingRow) {
  expect_named("DELETE FROM job WHERE id = 9000", "table lane, block 2");
}

TEST_F(SqliteTablesTest, MissesAJobThatTheIndexHasLost) {
  const auto opened = open_after("DELETE FROM job WHERE id = 40");  // One that is in no lane.
  ASSERT_TRUE(opened.has_value());
  const auto reader = tables_->make_reader();
  ASSERT_TRUE(reader.has_value());
  const auto scan = (*reader)->scan_rest([](JobId, const auto&) -> base::Status { return {}; });
  ASSERT_FALSE(scan.has_value());
  EXPECT_EQ(scan.error().code, ErrorCode::kCorrupt);
}

TEST_F(SqliteTablesTest, CountsRightAfterARowThatLiedAboutItsLaneIsErased) {
  const auto opened = open_after("UPDATE job SET in_lane = 1 - in_lane WHERE id IN (40, 41)");
  ASSERT_TRUE(opened.has_value());
  EXPECT_FALSE(damages(*tables_).empty());
  const std::vector<JobId> erased{{40}, {41}};
  ASSERT_TRUE(tables_->apply({.rows = {}, .erased = erased, .side = {}, .applied_seq = 8}));
  EXPECT_EQ(damages(*tables_), std::vector<std::string>());
  const auto reader = tables_->make_reader();
  ASSERT_TRUE(reader.has_value());
  EXPECT_TRUE((*reader)->scan_rest([](JobId, const auto&) -> base::Status { return {}; }));
}

TEST_F(SqliteTablesTest, NamesADamagedSideRecord) {
  const auto opened = open_after("UPDATE side SET value = CAST('X' AS BLOB)");
  ASSERT_TRUE(opened.has_value());
  const auto reader = tables_->make_reader();
  const auto scan = (*reader)->scan_side([](auto, auto) -> base::Status { return {}; });
  ASSERT_FALSE(scan.has_value());
  EXPECT_NE(scan.error().message.find("table side, key \"record\""), std::string::npos);
}

TEST_F(SqliteTablesTest, LeavesTheFileAloneWhileABackupHoldsTheLock) {
  tables_ = make(files_);
  ASSERT_TRUE(tables_->open());
  ASSERT_TRUE(tables_->apply(Rows(1, 2'000, "before").changes(1)));
  FileSystem others(kernel_calls());
  auto held = others.lock_shared(directory_.path() + "/backup.lock");
  ASSERT_TRUE(held.has_value()) << held.error().message;
  const std::string before = content();
  for (uint64_t seq = 2; seq <= 4; ++seq) {
    ASSERT_TRUE(tables_->apply(Rows(1, 1'000 * seq, std::to_string(seq)).changes(seq)));
    EXPECT_TRUE(content() == before) << "seq " << seq;
    EXPECT_EQ(tables_->checkpoints_held(), seq - 1);
  }
  EXPECT_EQ(damages(*tables_), std::vector<std::string>());
  // Not even a restart changes it.
  ASSERT_TRUE(tables_->close());
  EXPECT_TRUE(content() == before);
  tables_ = make(files_);
  const auto opened = tables_->open();
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->applied_seq, 4U);
  EXPECT_EQ(opened->rows, 3'999U);
  EXPECT_TRUE(content() == before);
  held->reset();
  ASSERT_TRUE(tables_->apply({.rows = {}, .erased = {}, .side = {}, .applied_seq = 5}));
  EXPECT_EQ(tables_->checkpoints_held(), 0U);
  EXPECT_GT(content().size(), before.size());
  ASSERT_TRUE(tables_->close());
}

// What the copier is promised, at every point at which it may begin.
TEST_F(SqliteTablesTest, ACopyMadeUnderTheLockOpensAndIsWhole) {
  tables_ = make(files_);
  ASSERT_TRUE(tables_->open());
  for (uint64_t seq = 1; seq <= 6; ++seq) {
    ASSERT_TRUE(tables_->apply(Rows(1, 500 * seq, std::to_string(seq)).changes(seq)));
    const auto held = files_.lock_shared(directory_.path() + "/backup.lock");
    ASSERT_TRUE(held.has_value());
    TempDirectory copy;
    std::filesystem::copy_file(path(), copy.path() + "/tables.db");
    ASSERT_TRUE(tables_->apply(Rows(1, 700 * seq, "meanwhile").changes(seq)));
    std::filesystem::copy_file(path() + "-wal", copy.path() + "/tables.db-wal");
    SqliteTables copied(files_, {copy.path()});
    const auto opened = copied.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(opened->rows, 700 * seq - 1);
    EXPECT_EQ(damages(copied), std::vector<std::string>());
    ASSERT_TRUE(copied.close());
  }
  ASSERT_TRUE(tables_->close());
}

TEST_F(SqliteTablesTest, SeesTheLockOfABackupThroughTheFaultLayer) {
  DroppingCalls calls(kernel_calls(), FaultPlan(), DroppingCalls::OnCut::kStop);
  FileSystem files(calls);
  tables_ = make(files);
  ASSERT_TRUE(tables_->open());
  {
    const auto held = files_.lock_shared(directory_.path() + "/backup.lock");
    ASSERT_TRUE(held.has_value());
    ASSERT_TRUE(tables_->apply(Rows(1, 100, "x").changes(1)));
    EXPECT_EQ(tables_->checkpoints_held(), 1U);
  }
  ASSERT_TRUE(tables_->apply(Rows(1, 100, "y").changes(2)));
  EXPECT_EQ(tables_->checkpoints_held(), 1U);
  ASSERT_TRUE(tables_->close());
  tables_.reset();
}

TEST_F(SqliteTablesTest, GoesOnAfterAFullDisk) {
  FaultPlan plan;
  plan.disk_bytes = uint64_t{4} << 20U;
  DroppingCalls calls(kernel_calls(), plan, DroppingCalls::OnCut::kStop);
  FileSystem files(calls);
  tables_ = make(files);
  ASSERT_TRUE(tables_->open());
  uint64_t applied_seq = 0;
  base::Status applied;
  for (uint64_t first = 1; applied && applied_seq < 100; first += 1'000) {
    applied = tables_->apply(Rows(first, first + 1'000, "x").changes(applied_seq + 1));
    if (applied) applied_seq += 1;
  }
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().code, ErrorCode::kDiskFull) << applied.error().message;
  ASSERT_GE(applied_seq, 2U);
  EXPECT_EQ(damages(*tables_), std::vector<std::string>());
  // What was there can still be read, and a change that needs no room is taken.
  EXPECT_TRUE(tables_->apply({.rows = {}, .erased = {}, .side = {}, .applied_seq = applied_seq}));
  tables_.reset();
}

// One life: two flushes, a close, another flush. Counts how many were answered with OK.
base::Status live(SqliteTables& tables, uint64_t& acknowledged) {
  TRY(tables.open());
  for (uint64_t seq = 1; seq <= 2; ++seq) {
    TRY(tables.apply(Rows(1, 400 * seq, std::to_string(seq)).changes(seq)));
    acknowledged = seq;
  }
  return tables.close();
}

TEST_F(SqliteTablesTest, KeepsWhatWasAcknowledgedWheneverThePowerGoes) {
  constexpr uint64_t kCallsMax = 1'000;
  bool whole = false;
  for (uint64_t cut_at = 1; !whole && cut_at < kCallsMax; ++cut_at) {
    SCOPED_TRACE("cut=" + std::to_string(cut_at));
    TempDirectory directory;
    const SqliteTablesOptions options{directory.path()};
    uint64_t acknowledged = 0;
    {
      FaultPlan plan;
      plan.cut_at = cut_at;
      plan.seed = cut_at;
      DroppingCalls calls(kernel_calls(), plan, DroppingCalls::OnCut::kStop);
      FileSystem files(calls);
      SqliteTables tables(files, options);
      base::ignore(live(tables, acknowledged), "the power may have failed");
      whole = !calls.took_effect();
    }
    SqliteTables tables(files_, options);
    const auto opened = tables.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_GE(opened->applied_seq, acknowledged);
    EXPECT_LE(opened->applied_seq, acknowledged + 1);
    const uint64_t rows = opened->applied_seq == 0 ? 0 : 400 * opened->applied_seq - 1;
    EXPECT_EQ(opened->rows, rows) << "all of a flush, or nothing";
    EXPECT_EQ(damages(tables), std::vector<std::string>());
    ASSERT_TRUE(tables.close());
  }
  EXPECT_TRUE(whole);
}

}  // namespace
}  // namespace store
