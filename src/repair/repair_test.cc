// Check, backup, restore and salvage on small data directories.
// tidy: allow test because it is of all files that work on a data directory
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>

#include "repair/backup.h"
#include "repair/examine.h"
#include "repair/salvage.h"
#include "repair/tables_view.h"
#include "store/effect_codec.h"
#include "store/file_journal/file_journal.h"
#include "store/sqlite/page_stamp.h"
#include "store/sqlite/sqlite_tables.h"
#include "store/temp_directory.h"

namespace repair {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using store::kTablesPageBytes;

constexpr uint64_t kSegmentBytes = 16'384;
constexpr base::Now kNow{base::EngineTime{1'000}, base::WallTime{2'000}};

class RepairTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return temp_.path() + "/" + name; }
  std::string log_path(const std::string& name) const {
    return path(name) + "/" + std::string(kTablesLogName);
  }

  // A server's journal and tables, and its state.
  void open() {
    store::FileJournalOptions options;
    options.directory = path("data");
    options.segment_bytes = kSegmentBytes;
    options.reserve_bytes = 0;
    options.allow_volatile = true;
    journal = std::make_unique<store::FileJournal>(files, random, options);
    ASSERT_TRUE(journal->open([](uint64_t, auto) { return base::Status(); }).has_value());
    tables = std::make_unique<store::SqliteTables>(files, store::SqliteTablesOptions{path("data")});
    ASSERT_TRUE(tables->open().has_value());
    ASSERT_TRUE(machine.begin_recovery(nullptr).has_value());
    ASSERT_TRUE(machine.end_recovery(kNow).has_value());
    machine.begin(kNow);
  }
  // Each push is a frame, and each job's id the seq of its frame.
  void push(
      uint64_t count, const std::function<std::string()>& queue = [] { return "q"; }) {
    for (uint64_t i = 0; i < count; ++i) {
      core::JobPut put;
      put.job.id = core::JobId{seq + 1};
      put.job.set_ready_seq(seq + 1);
      put.job.record = std::make_unique<core::JobRecord>();
      put.job.record->args = args_of(seq + 1);
      const std::string name = queue();
      put.queue = name;
      put.type = "t";
      store::EffectEncoder encoder;
      encoder.begin(kNow);
      encoder.put(std::move(put));
      const std::string bytes = encoder.take();
      ASSERT_TRUE(machine.replay(bytes).has_value());
      append(bytes);
    }
  }
  void append(const std::string& bytes) {
    ASSERT_TRUE(
        journal->append(++seq, std::as_bytes(std::span(bytes.data(), bytes.size()))).has_value());
  }
  // As the engine does it: the tables, a frame that says so, and the frames before the flush before
  // may go.
  void flush() {
    machine.begin(kNow);
    machine.begin_flush();
    std::unique_ptr<store::ChangeSet> set;
    while (set == nullptr) set = machine.flush_slice();
    const uint64_t flushed_seq = seq;
    ASSERT_TRUE(tables->apply(set->finish(flushed_seq)).has_value());
    machine.flush_done(UINT64_MAX, applied_seq + 1);
    append(machine.take_effects());
    ASSERT_TRUE(journal->trim(applied_seq + 1).has_value());
    applied_seq = flushed_seq;
  }
  void stop() {
    ASSERT_TRUE(tables->close().has_value());
    ASSERT_TRUE(journal->close().has_value());
    journal.reset();
  }
  void flip(const std::string& name, int64_t offset) const {
    std::fstream file(path("data") + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
  }
  void zero(const std::string& name, uint64_t offset, size_t count) const {
    std::fstream file(path("data") + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<int64_t>(offset));
    file << std::string(count, '\0');
  }
  // Changes a byte of the args of a job.
  void damage_row(uint64_t id) const {
    const std::string name = path("data") + "/tables.db";
    std::ifstream file(name, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    const std::string args = args_of(id);
    size_t at = bytes.find(args);
    ASSERT_NE(at, std::string::npos);
    // A page that was split may hold what has moved.
    for (; at != std::string::npos; at = bytes.find(args, at + 1)) {
      flip("tables.db", static_cast<int64_t>(at + args.size() / 2));
    }
  }
  static std::string args_of(uint64_t id) { return fmt::format("args {:6} {:690}", id, 'x'); }
  std::map<std::string, std::string> contents(const std::string& name) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::directory_iterator(path(name))) {
      std::ifstream file(entry.path(), std::ios::binary);
      all[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }
  void expect_refusal(const std::string& name, const std::string& text) {
    const Examination found = look(name);
    ASSERT_TRUE(found.damage) << text;
    EXPECT_NE(found.damage->message.find(text), std::string::npos) << found.damage->message;
  }
  Examination look(const std::string& name) {
    auto found = examine(files, path(name));
    EXPECT_TRUE(found.has_value());
    return *std::move(found);
  }

  store::FileSystem files{store::kernel_calls()};
  base::SeededRandom random{1};
  std::unique_ptr<store::FileJournal> journal;
  std::unique_ptr<store::SqliteTables> tables;
  engine::Machine machine{random, core::limits::kHistoryBytesMax};
  uint64_t seq = 0;
  uint64_t applied_seq = 0;

 private:
  store::TempDirectory temp_;
};

TEST_F(RepairTest, HoldsNoDirectoryOfAServerThatRunsOrThatIsNone) {
  open();
  push(1);
  EXPECT_EQ(hold(files, path("data")).error().code, ErrorCode::kUnavailable);
  stop();
  const auto held = hold(files, path("data"));
  ASSERT_TRUE(held.has_value());
  EXPECT_TRUE(hold(files, path("data")).has_value()) << "who reads does not shut out who reads";
  EXPECT_EQ(files.lock(path("data") + "/LOCK").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(hold(files, path("nothing")).error().code, ErrorCode::kNotFound);
  fs::create_directory(path("other"));
  EXPECT_EQ(hold(files, path("other")).error().code, ErrorCode::kNotFound);
}

TEST_F(RepairTest, ExamineFindsAllOrNamesWhatIsDamaged) {
  open();
  push(40);
  stop();
  const Examination good = look("data");
  EXPECT_TRUE(good.is_good());
  EXPECT_EQ(good.state().jobs().size(), 40U);
  EXPECT_EQ(good.last_seq, 40U);
  flip("journal-0000000000000002", 4096 + 100);
  const Examination bad = look("data");
  ASSERT_TRUE(bad.damage);
  EXPECT_NE(bad.damage->message.find("journal-0000000000000002: offset 4096"), std::string::npos)
      << bad.damage->message;
}

// The digest is of what a server holds, however much of it lies in the tables.
TEST_F(RepairTest, ExamineReadsTablesAndTheJournalBehindThem) {
  open();
  push(30);
  const uint64_t digest = look("data").digest;
  flush();
  EXPECT_EQ(look("data").digest, digest);
  EXPECT_EQ(look("data").tables.applied_seq, 30U);
  push(10);
  flush();
  push(5);
  const Examination found = look("data");
  EXPECT_TRUE(found.is_good());
  EXPECT_EQ(found.state().jobs().size(), 45U);
  EXPECT_EQ(found.tables.applied_seq, 41U);
  EXPECT_EQ(found.tables.rows, 40U);
  EXPECT_EQ(found.last_seq, 47U);
}

TEST_F(RepairTest, ExamineChangesNothingThoughTheTablesHaveALog) {
  open();
  push(30);
  const auto held = files.lock_shared(path("data") + "/backup.lock");
  ASSERT_TRUE(held.has_value());
  flush();
  ASSERT_GT(fs::file_size(log_path("data")), 0U);
  const auto before = contents("data");
  EXPECT_EQ(look("data").tables.applied_seq, 30U);
  EXPECT_TRUE(contents("data") == before);
  fs::remove(log_path("data"));
  EXPECT_TRUE(look("data").is_good()) << "the journal still has it all";
  EXPECT_EQ(look("data").tables.applied_seq, 0U);
  EXPECT_FALSE(fs::exists(log_path("data")));
}

TEST_F(RepairTest, ExamineNamesMissingAndOlderTablesAndAnOlderJournal) {
  open();
  push(30);
  flush();
  fs::copy(path("data"), path("older"));
  push(30);
  flush();
  push(30);
  flush();
  stop();
  fs::copy(path("data"), path("kept"));
  fs::copy(path("older") + "/tables.db", path("data") + "/tables.db",
           fs::copy_options::overwrite_existing);
  expect_refusal("data", "tables.db is older than the journal");
  fs::remove(path("data") + "/tables.db");
  expect_refusal("data", "tables.db is missing or older");
  fs::copy(path("kept") + "/tables.db", path("older") + "/tables.db",
           fs::copy_options::overwrite_existing);
  fs::remove(log_path("older"));
  expect_refusal("older", "the journal is older than tables.db");
}

TEST_F(RepairTest, ExamineSetsADamagedRowAsideAndNamesIt) {
  open();
  push(40);
  flush();
  stop();
  damage_row(17);
  const Examination found = look("data");
  EXPECT_FALSE(found.damage);
  ASSERT_EQ(found.set_aside.size(), 1U);
  EXPECT_EQ(found.set_aside[0].id, core::JobId{17});
  EXPECT_NE(found.set_aside[0].error.message.find("tables.db: table job, id 17: job 000000000000H"),
            std::string::npos)
      << found.set_aside[0].error.message;
}

TEST_F(RepairTest, ABackupOfAServerThatRunsHoldsAllThatWasSynced) {
  open();
  for (const uint64_t count : {1U, 5U, 30U}) {
    push(count);
    if (count > 1) flush();
    const std::string name = "backup" + std::to_string(count);
    const auto copied = back_up(files, path("data"), path(name));
    ASSERT_TRUE(copied.has_value()) << copied.error().message;
    EXPECT_EQ(copied->last_seq, seq);
    EXPECT_EQ(look(name).digest, look("data").digest);
  }
  stop();
  const auto restored = restore(files, path("backup30"), path("restored"));
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  const Examination found = look("restored");
  EXPECT_TRUE(found.is_good());
  EXPECT_EQ(found.digest, look("data").digest);
}

TEST_F(RepairTest, NoBackupIsMadeOfDamagedDataOrOverOther) {
  open();
  push(40);
  flush();
  push(40);
  stop();
  EXPECT_EQ(back_up(files, path("data"), path("data")).error().code, ErrorCode::kBadReq);
  flip("journal-0000000000000002", 4096 + 100);
  const auto copied = back_up(files, path("data"), path("backup"));
  ASSERT_FALSE(copied.has_value());
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(fs::is_empty(path("backup")));
}

TEST_F(RepairTest, ABackupThatFollowsCanBeRestoredAtAnyTime) {
  open();
  push(40);
  flush();
  FollowingBackup backup(files, path("data"), path("backup"));
  ASSERT_TRUE(backup.begin().has_value());
  for (int i = 0; i < 6; ++i) {
    push(15);
    const auto more = backup.go_on();
    ASSERT_TRUE(more.has_value()) << more.error().message;
    EXPECT_FALSE(more->has_value());
    EXPECT_GT(backup.last_seq() + 30, seq);
    const std::string name = "restored" + std::to_string(i);
    ASSERT_TRUE(restore(files, path("backup"), path(name)).has_value());
    const Examination found = look(name);
    EXPECT_TRUE(found.is_good());
    EXPECT_EQ(found.last_seq, backup.last_seq());
    EXPECT_EQ(found.state().jobs().size(), found.last_seq - 1) << "one frame tells of the flush";
  }
}

TEST_F(RepairTest, ABackupThatFollowsBeginsAnewWhenTheServerHasLetGoOfTheNextSegment) {
  open();
  push(40);
  flush();
  FollowingBackup backup(files, path("data"), path("backup"));
  ASSERT_TRUE(backup.begin().has_value());
  for (int i = 0; i < 3; ++i) {
    push(60);
    flush();
  }
  const auto made = backup.go_on();
  ASSERT_TRUE(made.has_value()) << made.error().message;
  ASSERT_TRUE(made->has_value());
  EXPECT_EQ((*made)->last_seq, seq);
  EXPECT_FALSE(fs::exists(path("backup") + "/generation-000001"));
  EXPECT_EQ(look("backup/generation-000002").digest, look("data").digest);
  FollowingBackup again(files, path("data"), path("backup"));
  ASSERT_TRUE(again.begin().has_value());
  EXPECT_TRUE(again.generation().ends_with("generation-000003"));
}

TEST_F(RepairTest, SalvageOfSoundDataLeavesNothingOut) {
  open();
  push(40);
  flush();
  push(20);
  flush();
  push(7);
  stop();
  const auto account = salvage(files, path("data"), path("saved"));
  ASSERT_TRUE(account.has_value()) << account.error().message;
  EXPECT_TRUE(account->is_whole()) << text_of(*account);
  EXPECT_EQ(account->rows_read, 60U);
  const Examination found = look("saved");
  EXPECT_TRUE(found.is_good());
  EXPECT_EQ(found.digest, look("data").digest);
}

TEST_F(RepairTest, SalvageReadsOnBehindDamageAndNamesWhatIsLost) {
  open();
  push(40);
  stop();
  flip("journal-0000000000000001", 4096 + 100);  // The payload of frame 1.
  flip("journal-0000000000000002", 20);          // A header of a segment.
  fs::remove(path("data") + "/watermark");
  fs::remove(path("data") + "/VERSION");
  const auto account = salvage(files, path("data"), path("saved"));
  ASSERT_TRUE(account.has_value()) << account.error().message;
  EXPECT_EQ(account->frames_lost, (std::vector<std::pair<uint64_t, uint64_t>>{{1, 1}}));
  EXPECT_EQ(account->jobs, 39U);
  const Examination found = look("saved");
  EXPECT_TRUE(found.is_good());
  EXPECT_EQ(found.state().find(core::JobId{1}), nullptr);
  EXPECT_NE(found.state().find(core::JobId{40}), nullptr);
  EXPECT_EQ(salvage(files, path("data"), path("saved")).error().code, ErrorCode::kBadReq);
}

TEST_F(RepairTest, SalvageNamesTheFramesOfAMissingFile) {
  open();
  push(40);
  stop();
  fs::remove(path("data") + "/journal-0000000000000002");
  const auto account = salvage(files, path("data"), path("saved"));
  ASSERT_TRUE(account.has_value()) << account.error().message;
  ASSERT_EQ(account->frames_lost.size(), 1U);
  const auto [first, last] = account->frames_lost.front();
  EXPECT_EQ(account->jobs, 40 - (last - first + 1));
  EXPECT_TRUE(look("saved").is_good());
}

TEST_F(RepairTest, SalvageSavesAllRowsButTheDamagedOnes) {
  open();
  push(400);
  flush();
  stop();
  damage_row(17);
  // A leaf of the table in the middle of the file.
  const uint64_t pages = fs::file_size(path("data") + "/tables.db") / kTablesPageBytes;
  zero("tables.db", pages / 2 * kTablesPageBytes, kTablesPageBytes);
  const auto account = salvage(files, path("data"), path("saved"));
  ASSERT_TRUE(account.has_value()) << account.error().message;
  EXPECT_FALSE(account->is_whole());
  EXPECT_GT(account->rows_lost, 1U);
  EXPECT_LT(account->rows_lost, 50U);
  EXPECT_EQ(account->jobs, 400 - account->rows_lost);
  EXPECT_TRUE(look("saved").is_good());
}

// Also the first page, and those that stand above others: what stands in another page is not lost.
TEST_F(RepairTest, SalvageLosesNoMoreToADamagedPageThanStandsInIt) {
  constexpr uint64_t kJobs = 400;
  constexpr uint64_t kJobsOfAPage = 30;
  constexpr uint64_t kNamesOfAPage = 150;
  constexpr uint64_t kKinds = 26;  // Of records; of each it is said that some may be hidden.
  open();
  // So many queues that their records take pages upon pages, too.
  push(kJobs, [this] { return fmt::format("{:060}", seq); });
  flush();
  push(1);
  flush();
  stop();
  const uint64_t pages = fs::file_size(path("data") + "/tables.db") / kTablesPageBytes;
  const auto sound = contents("data").at("tables.db");
  for (uint64_t page = 0; page < pages; ++page) {
    zero("tables.db", page * kTablesPageBytes, kTablesPageBytes);
    const std::string name = fmt::format("saved{}", page);
    const auto account = salvage(files, path("data"), path(name));
    ASSERT_TRUE(account.has_value()) << page << ": " << account.error().message;
    const std::string text = fmt::format("page {}: {}", page + 1, text_of(*account));
    EXPECT_GE(account->jobs, kJobs + 1 - kJobsOfAPage) << text;
    EXPECT_LE(account->records_lost, kNamesOfAPage + kKinds) << text;
    EXPECT_TRUE(look(name).is_good()) << page;
    std::ofstream(path("data") + "/tables.db", std::ios::binary) << sound;
  }
}

// The records in the page above them too, though it leads to nothing but damage on both sides.
TEST_F(RepairTest, SalvageReadsWhatStandsBetweenDamagedPages) {
  constexpr auto kIndexLeaf = char{10};
  open();
  push(1'500, [this] { return fmt::format("{:060}", seq); });
  flush();
  push(1);
  flush();
  stop();
  const std::string file = contents("data").at("tables.db");
  const auto page_at = [&](size_t page) { return page * kTablesPageBytes; };
  const auto records = [&](size_t page) {
    return static_cast<uint8_t>(file[page_at(page) + 3]) * 256U +
           static_cast<uint8_t>(file[page_at(page) + 4]);
  };
  // By the first key of each: the records of queues take almost all leaves.
  std::map<std::string, size_t> leaves;
  for (size_t page = 1; page < file.size() / kTablesPageBytes; ++page) {
    if (file[page_at(page)] != kIndexLeaf || records(page) < 10) continue;
    const size_t first = static_cast<uint8_t>(file[page_at(page) + 8]) * 256U +
                         static_cast<uint8_t>(file[page_at(page) + 9]);
    leaves[file.substr(page_at(page) + first, 20)] = page;
  }
  ASSERT_GT(leaves.size(), 8U);
  uint64_t lost = 0;
  for (const size_t page : {leaves.begin()->second, leaves.rbegin()->second}) {
    zero("tables.db", page_at(page), kTablesPageBytes);
    lost += records(page);
  }
  const auto account = salvage(files, path("data"), path("saved"));
  ASSERT_TRUE(account.has_value()) << account.error().message;
  EXPECT_EQ(account->jobs, 1'501U);
  const std::string text = text_of(*account);
  uint64_t nameless = 0;
  for (size_t at = text.find("name of a queue"); at != std::string::npos; ++nameless) {
    at = text.find("name of a queue", at + 1);
  }
  EXPECT_GT(nameless, 0U);
  EXPECT_LE(nameless, lost);
  EXPECT_GE(nameless + 4, lost) << "some are no queues";
}

// A bit of the first page leads to other tables, or hides the end of the file.
TEST_F(RepairTest, SalvageBelievesNoFirstPage) {
  open();
  push(400);
  flush();
  push(1);
  flush();
  stop();
  const std::string sound = contents("data").at("tables.db");
  const size_t name = sound.find("tablejobjob");
  ASSERT_LT(name, kTablesPageBytes);
  const auto root_of_job = static_cast<int64_t>(name + 11);
  for (const int64_t at : {int64_t{30}, int64_t{31}, int64_t{18}, int64_t{63},
                           static_cast<int64_t>(name + 5), root_of_job}) {
    flip("tables.db", at);
    zero("tables.db", sound.size() - kTablesPageBytes, kTablesPageBytes);
    const std::string saved = fmt::format("saved{}", at);
    const auto account = salvage(files, path("data"), path(saved));
    ASSERT_TRUE(account.has_value()) << at << ": " << account.error().message;
    EXPECT_GE(account->jobs, 370U) << at << text_of(*account);
    std::ofstream(path("data") + "/tables.db", std::ios::binary) << sound;
  }
}

TEST_F(RepairTest, SalvageTakesTheJournalAloneWhereTheTablesAreNoFile) {
  open();
  push(40);
  flush();
  stop();
  fs::resize_file(path("data") + "/tables.db", 100);
  const auto account = salvage(files, path("data"), path("saved"));
  ASSERT_TRUE(account.has_value()) << account.error().message;
  EXPECT_TRUE(account->tables_lost);
  EXPECT_EQ(account->jobs, 40U) << "all of them are still in the journal";
  EXPECT_TRUE(look("saved").is_good());
}

}  // namespace
}  // namespace repair
