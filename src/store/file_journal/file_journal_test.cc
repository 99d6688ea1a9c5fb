#include "store/file_journal/file_journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "store/file_journal/crash_world.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr uint64_t kMiB = uint64_t{1} << 20U;

std::string segment_name(uint64_t index) {
  return format::numbered_name(format::kSegmentPrefix, index);
}

std::string read_whole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> names_in(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

// What others than CrashWorld's own journal see: the real directory.
struct Other {
  FileSystem files{kernel_calls()};
  base::SystemRandom random;

  base::Result<JournalRecovery> open(FileJournalOptions options, const std::string& directory) {
    options.directory = directory;
    FileJournal journal(files, random, options);
    return journal.open([](uint64_t, auto) { return base::Status(); });
  }
};

TEST(FileJournal, SizesFollowTheVolume) {
  EXPECT_EQ(segment_bytes_for(1 * kMiB), 1 * kMiB);
  EXPECT_EQ(segment_bytes_for(1024 * kMiB), 16 * kMiB);
  EXPECT_EQ(segment_bytes_for(1024 * 1024 * kMiB), 64 * kMiB);
  EXPECT_EQ(segment_bytes_for(1000 * kMiB + 777) % format::kPageBytes, 0U);
  EXPECT_EQ(reserve_bytes_for(1 * kMiB), 8 * kMiB);
  EXPECT_EQ(reserve_bytes_for(1000 * kMiB), 50 * kMiB);
  EXPECT_EQ(reserve_bytes_for(1024 * 1024 * kMiB), 1024 * kMiB);
  EXPECT_EQ(ballast_bytes_for(8 * kMiB), 2 * kMiB);
}

TEST(FileJournal, AnAppendIsOneWriteAndOneSync) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  ASSERT_TRUE(world.append(10).has_value()) << "the first one takes a segment";
  for (const size_t payload_bytes : {1U, 500U, 3000U}) {
    const uint64_t calls = world.calls().calls();
    const uint64_t syncs = world.calls().syncs();
    ASSERT_TRUE(world.append(payload_bytes).has_value());
    EXPECT_EQ(world.calls().calls() - calls, 2U);
    EXPECT_EQ(world.calls().syncs() - syncs, 1U);
  }
}

TEST(FileJournal, AnEmptyFrameIsToldToTheWatermarkToo) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  ASSERT_TRUE(world.append(10).has_value());
  const uint64_t syncs = world.calls().syncs();
  ASSERT_TRUE(world.append(0).has_value());
  EXPECT_EQ(world.calls().syncs() - syncs, 2U);
}

TEST(FileJournal, NeverWritesToWhatItHasRead) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  ASSERT_TRUE(world.append(5000).has_value());
  world.kill();
  const std::string before = read_whole(world.directory() + "/" + segment_name(1));
  for (uint64_t round = 0; round < 3; ++round) {
    ASSERT_TRUE(world.open().has_value());
    ASSERT_TRUE(world.append(700).has_value());
    world.kill();
    const std::string after = read_whole(world.directory() + "/" + segment_name(1));
    EXPECT_EQ(after, before.substr(0, after.size())) << "at most its empty end is given back";
  }
}

TEST(FileJournal, GivesBackTheEmptyEndOfASegmentThatARestartEnded) {
  const TempDirectory temp;
  Other other;
  FileJournalOptions options = CrashWorld::small_options();
  options.directory = temp.path() + "/data";
  for (uint64_t seq = 1; seq <= 3; ++seq) {
    FileJournal journal(other.files, other.random, options);
    ASSERT_TRUE(journal.open([](uint64_t, auto) { return base::Status(); }).has_value());
    ASSERT_TRUE(journal.append(seq, Payload(600)).has_value());
    ASSERT_TRUE(journal.close().has_value());
  }
  EXPECT_EQ(fs::file_size(options.directory + "/" + segment_name(1)), 2 * format::kPageBytes);
  EXPECT_EQ(fs::file_size(options.directory + "/" + segment_name(2)), 2 * format::kPageBytes);
  EXPECT_EQ(fs::file_size(options.directory + "/" + segment_name(3)), options.segment_bytes);
  EXPECT_EQ(other.open(options, options.directory)->last_seq, 3U);
}

TEST(FileJournal, RestartsWithoutAppendsUseUpNoSegment) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  ASSERT_TRUE(world.append(600).has_value());
  for (int i = 0; i < 10; ++i) {
    world.kill();
    ASSERT_TRUE(world.open().has_value());
  }
  EXPECT_TRUE(fs::exists(world.directory() + "/" + segment_name(2))) << "the unsure frame's";
  EXPECT_FALSE(fs::exists(world.directory() + "/" + segment_name(3)));
}

TEST(FileJournal, ATornTailStaysHarmlessForEveryLaterStart) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    CrashWorld world;
    ASSERT_TRUE(world.open().has_value());
    ASSERT_TRUE(world.append(100).has_value());
    ASSERT_TRUE(world.append(100).has_value());
    world.kill();
    FaultPlan plan;
    plan.seed = seed;
    plan.cut_at = 4 + seed % 20;
    world.boot(plan);
    if (world.open().has_value()) {
      while (world.append(2000).has_value()) continue;
    }
    ASSERT_TRUE(world.calls().stopped());
    // Later starts go on behind it, and by then frames of the same seq stand there too.
    world.boot();
    for (int start = 0; start < 4; ++start) {
      ASSERT_TRUE(world.open().has_value());
      ASSERT_TRUE(world.append(300).has_value());
      ASSERT_TRUE(world.append(0).has_value());
      world.kill();
    }
  }
}

TEST(FileJournal, ABudgetOfLessThanFourSegmentsIsRefused) {
  const TempDirectory temp;
  FileJournalOptions options = CrashWorld::small_options();
  options.budget_bytes = 4 * options.segment_bytes - 1;
  const auto refused = Other().open(options, temp.path() + "/data");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kBadReq);
  EXPECT_NE(refused.error().message.find("--journal-budget"), std::string::npos);
}

TEST(FileJournal, ReportsATornTail) {
  int torn = 0;
  for (uint64_t cut = 10; cut <= 120; ++cut) {
    CrashWorld world;
    FaultPlan plan;
    plan.seed = cut;
    plan.cut_at = cut;
    world.boot(plan);
    base::Status status = world.open();
    while (status.has_value()) status = world.append(3000);
    world.boot();
    ASSERT_TRUE(world.open().has_value());
    torn += world.recovery().torn_bytes > 0 ? 1 : 0;
    EXPECT_FALSE(world.recovery().clean_shutdown);
  }
  EXPECT_GE(torn, 5);
}

TEST(FileJournal, RefusesAJournalThatEndsBeforeItsWatermark) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(world.append(1000).has_value());
  ASSERT_TRUE(world.close().has_value());
  // The last two frames become what was there before them: zeros.
  const std::string path = world.directory() + "/" + segment_name(1);
  std::string content = read_whole(path);
  const size_t end = format::kFirstFrameOffset + 3 * format::frame_bytes(1000);
  content.replace(end, content.size() - end, content.size() - end, '\0');
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;

  const auto refused = Other().open(world.options(), world.directory());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(refused.error().message.find(path + ": offset " + std::to_string(end)),
            std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("frames up to 5 were durable"), std::string::npos);
}

TEST(FileJournal, ARefusedStartChangesNothing) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(world.append(1000).has_value());
  ASSERT_TRUE(world.close().has_value());
  const std::string path = world.directory() + "/" + segment_name(1);
  std::string content = read_whole(path);
  content[format::kFirstFrameOffset + 100] ^= 1;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  const std::set<std::string> names = names_in(world.directory());
  const std::string mark = read_whole(world.directory() + "/watermark");

  ASSERT_FALSE(Other().open(world.options(), world.directory()).has_value());
  EXPECT_EQ(names_in(world.directory()), names);
  EXPECT_EQ(read_whole(path), content);
  EXPECT_EQ(read_whole(world.directory() + "/watermark"), mark);
}

TEST(FileJournal, RefusesADirectoryOfAnotherVersion) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  ASSERT_TRUE(world.close().has_value());
  std::ofstream(world.directory() + "/VERSION", std::ios::trunc) << "dray 2\n";
  const auto refused = Other().open(world.options(), world.directory());
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("VERSION"), std::string::npos);
}

TEST(FileJournal, NamesTheProcessThatHoldsTheDirectory) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  const auto refused = Other().open(world.options(), world.directory());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("process " + std::to_string(::getpid())),
            std::string::npos);
}

TEST(FileJournal, MakesFilesForItsUserOnly) {
  const TempDirectory temp;
  FileSystem files(kernel_calls());
  base::SystemRandom random;
  FileJournalOptions options = CrashWorld::small_options();
  options.directory = temp.path() + "/deep/data";
  FileJournal journal(files, random, options);
  ASSERT_TRUE(journal.open([](uint64_t, auto) { return base::Status(); }).has_value());
  ASSERT_TRUE(journal.append(1, Payload(10)).has_value());
  while (journal.space().prepare_pending) ASSERT_TRUE(journal.prepare().has_value());
  ASSERT_TRUE(journal.close().has_value());
  struct stat facts {};
  ASSERT_EQ(::stat(options.directory.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
  const std::set<std::string> names = names_in(options.directory);
  EXPECT_EQ(names, (std::set<std::string>{"LOCK", "VERSION", "ballast", segment_name(1),
                                          "spare-0000000000000002", "spare-0000000000000003",
                                          "watermark"}));
  for (const std::string& name : names) {
    ASSERT_EQ(::stat((options.directory + "/" + name).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U) << name;
  }
}

// The kernel, on a volume that is not what it seems.
class ForeignVolume final : public SystemCalls {
 public:
  explicit ForeignVolume(uint64_t type) : type_(type) {}
  int open(const std::string& path, Open how) override { return kernel_calls().open(path, how); }
  int close(int file) override { return kernel_calls().close(file); }
  int64_t read(int file, std::span<std::byte> into, uint64_t offset) override {
    return kernel_calls().read(file, into, offset);
  }
  int64_t size(int file) override { return kernel_calls().size(file); }
  int64_t write(int file, std::span<const std::byte> bytes, uint64_t offset) override {
    return kernel_calls().write(file, bytes, offset);
  }
  int sync_data(int file) override { return kernel_calls().sync_data(file); }
  int allocate(int file, uint64_t bytes) override { return kernel_calls().allocate(file, bytes); }
  int truncate(int file, uint64_t bytes) override { return kernel_calls().truncate(file, bytes); }
  int rename(const std::string& from, const std::string& to) override {
    return kernel_calls().rename(from, to);
  }
  int remove(const std::string& path) override { return kernel_calls().remove(path); }
  int make_directory(const std::string& path) override {
    return kernel_calls().make_directory(path);
  }
  int sync_directory(const std::string& path) override {
    return kernel_calls().sync_directory(path);
  }
  int list(const std::string& path, std::vector<std::string>& names) override {
    return kernel_calls().list(path, names);
  }
  int volume(const std::string& path, VolumeFacts& facts) override {
    const int answer = kernel_calls().volume(path, facts);
    facts.type = type_;
    return answer;
  }
  int lock_shared(const std::string& path, int64_t& holder) override {
    return kernel_calls().lock_shared(path, holder);
  }
  int lock(const std::string& path, int64_t& holder) override {
    return kernel_calls().lock(path, holder);
  }

 private:
  const uint64_t type_;
};

TEST(FileJournal, RefusesVolumesThatDoNotLastUnlessAllowed) {
  for (const uint64_t type : {0x6969UL, 0x01021994UL, 0x794c7630UL}) {
    for (const bool allow : {false, true}) {
      const TempDirectory temp;
      ForeignVolume calls(type);
      FileSystem files(calls);
      base::SystemRandom random;
      FileJournalOptions options = CrashWorld::small_options();
      options.directory = temp.path() + "/data";
      options.allow_volatile = allow;
      FileJournal journal(files, random, options);
      const auto opened = journal.open([](uint64_t, auto) { return base::Status(); });
      EXPECT_EQ(opened.has_value(), allow);
      if (opened.has_value()) continue;
      EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
      EXPECT_NE(opened.error().message.find("--allow-volatile"), std::string::npos);
    }
  }
}

TEST(FileJournal, RecyclesTrimmedSegmentsWithoutMistakingTheirOldFrames) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  for (uint64_t i = 0; i < 400; ++i) {
    ASSERT_TRUE(world.append(i * 131 % 3000).has_value());
    if (i % 10 == 9) {
      ASSERT_TRUE(world.trim(world.last_seq() - 3).has_value());
    }
    if (i % 37 == 36) {
      world.kill();
      ASSERT_TRUE(world.open().has_value());
    }
  }
  size_t segments = 0;
  for (const std::string& name : names_in(world.directory())) {
    segments += format::number_in(name, format::kSegmentPrefix).has_value() ? 1 : 0;
  }
  EXPECT_LE(segments, 4U);
}

}  // namespace
}  // namespace store
