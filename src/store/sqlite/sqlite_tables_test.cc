// What the conformance suite cannot ask of all tables: damage of each kind in the file, a disk that
// fills up, a backup beside it, and the power going in every single call.
#include "store/sqlite/sqlite_tables.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
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
    if (tables_ != nullptr) {
      EXPECT_TRUE(tables_->close());
    }
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      std::filesystem::remove(entry.path());
    }
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

  static std::vector<std::string> rest_damages(Tables& tables) {
    std::vector<std::string> found;
    const auto reader = tables.make_reader();
    EXPECT_TRUE(
        (*reader)->verify_rest([&](const base::Error& error) { found.push_back(error.message); }));
    return found;
  }
  std::vector<std::string> rest_damages() { return rest_damages(*tables_); }
  // Which of these stand in lanes.
  std::set<uint64_t> lane_ids(const std::set<uint64_t>& among) {
    std::set<uint64_t> found;
    const auto reader = tables_->make_reader();
    EXPECT_TRUE((*reader)->scan_lanes([&](const JobHeader& header) {
      if (among.contains(header.id.value)) found.insert(header.id.value);
    }));
    return found;
  }
  // What is there now opens with so many rows, and all counts agree.
  void expect_it_opens(uint64_t rows) {
    EXPECT_TRUE(tables_->close());
    tables_ = make(files_);
    const auto opened = tables_->open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(opened->rows, rows);
    EXPECT_EQ(rest_damages(), std::vector<std::string>());
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

TEST_F(SqliteTablesTest, ALostRowThatIsErasedIsNoMoreCounted) {
  // Alone in its flush, with a neighbour, and with one of another block.
  const std::vector<std::vector<JobId>> flushes{{{9'001}}, {{101}, {102}}, {{103}, {15'000}}};
  ASSERT_TRUE(open_after("DELETE FROM job WHERE id IN (101, 103, 9001)"));
  uint64_t seq = 7;
  for (const std::vector<JobId>& erased : flushes) {
    ASSERT_TRUE(tables_->apply({.rows = {}, .erased = erased, .side = {}, .applied_seq = ++seq}));
  }
  EXPECT_EQ(lane_ids({101, 102, 103, 9'001}), std::set<uint64_t>());
  expect_it_opens(19'995);
}

TEST_F(SqliteTablesTest, ALostRowThatIsPutAgainIsCountedOnce) {
  ASSERT_TRUE(open_after("DELETE FROM job WHERE id = 101"));
  ASSERT_TRUE(tables_->apply(Rows(101, 102, "second").changes(8)));
  EXPECT_EQ(lane_ids({101}), std::set<uint64_t>{101});
  expect_it_opens(20'000);
}

// Its entry in the index would stay, and name the job again at the next start.
TEST_F(SqliteTablesTest, ALostRowThatTheIndexKnowsIsNeitherErasedNorPutAgain) {
  const std::string without_index =
      "CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'job_rest';"
      "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'job_rest';"
      "PRAGMA writable_schema = RESET; DELETE FROM job WHERE id IN (40, 50);"
      "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept;";
  ASSERT_TRUE(open_after(without_index));
  const std::vector<JobId> erased{{39}, {40}};  // 39 is in a lane.
  const base::Status done =
      tables_->apply({.rows = {}, .erased = erased, .side = {}, .applied_seq = 8});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(done.error().message.find("table job, id 40"), std::string::npos)
      << done.error().message;
  EXPECT_FALSE(tables_->apply(Rows(50, 51, "second").changes(8)));
}

TEST_F(SqliteTablesTest, ABlockThatEmptiesLeavesNothingOfADamagedSum) {
  ASSERT_TRUE(open_after("UPDATE job SET row_check = row_check + 1 WHERE id = 19000"));
  std::vector<JobId> erased;
  for (uint64_t id = 16'384; id <= 20'000; ++id) erased.push_back(JobId{id});
  ASSERT_TRUE(tables_->apply({.rows = {}, .erased = erased, .side = {}, .applied_seq = 8}));
  expect_it_opens(16'383);
}

// Its rows look sound, and rows are found by the order of pages: what a flush did there would be
// undone by the next one.
TEST_F(SqliteTablesTest, WritesNothingIntoAPageThatStandsInAWrongPlace) {
  ASSERT_TRUE(open_after(""));
  ASSERT_TRUE(tables_->close());
  constexpr size_t kPageBytes = 16'384;
  constexpr char kLeaf = 0x0d;  // The first byte of a page that has rows.
  const std::string before = content();
  size_t page = before.size() / kPageBytes / 2;
  while (before[page * kPageBytes] != kLeaf || before[(page + 1) * kPageBytes] != kLeaf) ++page;
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>((page + 1) * kPageBytes));
  file.write(&before[page * kPageBytes], kPageBytes);
  file.close();
  tables_ = make(files_);
  ASSERT_TRUE(tables_->open());
  EXPECT_FALSE(damages(*tables_).empty());
  // All jobs of the page before it go, so that SQLite wants to join the two.
  std::vector<JobId> all;
  for (uint64_t id = 1; id <= 20'000; ++id) all.push_back(JobId{id});
  std::optional<JobId> first_lost;
  ASSERT_TRUE((*tables_->make_reader())->read(all, [&](JobId id, const auto& row) -> base::Status {
    if (!row && !first_lost) first_lost = id;
    return {};
  }));
  ASSERT_TRUE(first_lost.has_value());
  std::vector<JobId> erased;
  for (uint64_t id = first_lost->value - 50; id < first_lost->value; ++id) {
    erased.push_back(JobId{id});
  }
  const auto applied = tables_->apply({.rows = {}, .erased = erased, .side = {}, .applied_seq = 8});
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().code, ErrorCode::kCorrupt);
}

TEST_F(SqliteTablesTest, LooksAtAllThatAStartNeeds) {
  ASSERT_TRUE(open_after("SELECT 1"));
  EXPECT_EQ(rest_damages(), std::vector<std::string>());
  ASSERT_TRUE(open_after("UPDATE side SET value = CAST('X' AS BLOB)"));
  ASSERT_EQ(rest_damages().size(), 1U);
  EXPECT_NE(rest_damages()[0].find("table side"), std::string::npos);
  ASSERT_TRUE(open_after("DELETE FROM job WHERE id = 40"));  // One that is in no lane.
  ASSERT_EQ(rest_damages().size(), 1U);
  EXPECT_NE(rest_damages()[0].find("index job_rest"), std::string::npos);
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
    const std::string log = "/tables.db-wal";  // tidy: allow word because it is SQLite's own name
    std::filesystem::copy_file(directory_.path() + log, copy.path() + log);
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
