// Check, backup, restore and salvage on small journals.
// tidy: allow test because it is of all files that work on a data directory
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "repair/copy_journal.h"
#include "repair/examine.h"
#include "repair/salvage.h"
#include "repair/state_digest.h"
#include "store/effect_codec.h"
#include "store/file_journal/file_journal.h"
#include "store/temp_directory.h"

namespace repair {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr uint64_t kSegmentBytes = 16'384;

class RepairTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return temp_.path() + "/" + name; }

  // A server's journal: each push is a frame.
  void open() {
    store::FileJournalOptions options;
    options.directory = path("data");
    options.segment_bytes = kSegmentBytes;
    options.reserve_bytes = 0;
    options.allow_volatile = true;
    journal = std::make_unique<store::FileJournal>(files, random, options);
    ASSERT_TRUE(journal->open([](uint64_t, auto) { return base::Status(); }).has_value());
  }
  void push(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      core::JobPut put;
      put.job.record = std::make_unique<core::JobRecord>();
      put.job.id = core::JobId{++seq};
      put.job.set_ready_seq(seq);
      put.job.record->args.assign(700, 'x');
      put.queue = "q";
      put.type = "t";
      store::EffectEncoder encoder;
      encoder.begin({base::EngineTime{1'000}, base::WallTime{2'000}});
      encoder.put(std::move(put));
      const std::string bytes = encoder.take();
      ASSERT_TRUE(
          journal->append(seq, std::as_bytes(std::span(bytes.data(), bytes.size()))).has_value());
    }
  }
  void stop() {
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
  Examination look(const std::string& name) {
    auto found = examine(files, path(name));
    EXPECT_TRUE(found.has_value());
    return *std::move(found);
  }

  store::FileSystem files{store::kernel_calls()};
  base::SeededRandom random{1};
  std::unique_ptr<store::FileJournal> journal;
  uint64_t seq = 0;

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
  EXPECT_FALSE(good.damage) << good.damage->message;
  EXPECT_EQ(good.state->jobs().size(), 40U);
  EXPECT_EQ(good.last_seq, 40U);
  flip("journal-0000000000000002", 4096 + 100);
  const Examination bad = look("data");
  ASSERT_TRUE(bad.damage);
  EXPECT_NE(bad.damage->message.find("journal-0000000000000002: offset 4096"), std::string::npos)
      << bad.damage->message;
}

TEST_F(RepairTest, ABackupOfAServerThatRunsHoldsAllThatWasSynced) {
  open();
  for (const uint64_t count : {1U, 5U, 30U}) {
    push(count);
    const std::string to = path("backup" + std::to_string(count));
    const auto copied = copy_journal(files, path("data"), to);
    ASSERT_TRUE(copied.has_value()) << copied.error().message;
    EXPECT_EQ(copied->last_seq, seq);
    EXPECT_EQ(look("backup" + std::to_string(count)).state->jobs().size(), seq);
  }
  ASSERT_TRUE(journal->trim(20).has_value());
  ASSERT_TRUE(copy_journal(files, path("data"), path("trimmed")).has_value());
  stop();
  const auto restored = copy_journal(files, path("trimmed"), path("restored"));
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  const Examination found = look("restored");
  EXPECT_FALSE(found.damage);
  EXPECT_EQ(digest_of(*found.state, found.now), digest_of(*look("data").state, found.now));
}

TEST_F(RepairTest, NoBackupIsMadeOfDamagedDataOrOverOther) {
  open();
  push(40);
  stop();
  EXPECT_EQ(copy_journal(files, path("data"), path("data")).error().code, ErrorCode::kBadReq);
  flip("journal-0000000000000002", 4096 + 100);
  const auto copied = copy_journal(files, path("data"), path("backup"));
  ASSERT_FALSE(copied.has_value());
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(fs::is_empty(path("backup")));
}

TEST_F(RepairTest, SalvageOfSoundDataLeavesNothingOut) {
  open();
  push(40);
  stop();
  const auto account = salvage(files, path("data"), path("saved"));
  ASSERT_TRUE(account.has_value()) << account.error().message;
  EXPECT_TRUE(account->is_whole());
  const Examination found = look("saved");
  EXPECT_FALSE(found.damage);
  EXPECT_EQ(digest_of(*found.state, found.now), digest_of(*look("data").state, found.now));
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
  EXPECT_FALSE(found.damage);
  EXPECT_EQ(found.state->find(core::JobId{1}), nullptr);
  EXPECT_NE(found.state->find(core::JobId{40}), nullptr);
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
  EXPECT_FALSE(look("saved").damage);
}

}  // namespace
}  // namespace repair
