#include "store/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fstream>
#include <string>

#include "store/temp_directory.h"

namespace store {
namespace {

using base::ErrorCode;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string read_text(File& file, uint64_t offset, size_t bytes) {
  std::string text(bytes, '?');
  const auto got = file.read_at(offset, std::as_writable_bytes(std::span(text)));
  EXPECT_TRUE(got.has_value());
  text.resize(got.value_or(0));
  return text;
}

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  return facts.st_mode & 0777U;
}

// One file in memory; each call takes the next planned answer, if there is one: negative is an
// error, positive a bound on what is read or written.
class ScriptedCalls final : public SystemCalls {
 public:
  std::deque<int64_t> answers;
  std::string content;
  int sync_count = 0;
  VolumeFacts facts;

  int open(const std::string&, Open) override { return static_cast<int>(planned(3)); }
  int close(int) override { return 0; }
  int64_t read(int, std::span<std::byte> into, uint64_t offset) override {
    const int64_t most = planned(static_cast<int64_t>(into.size()));
    if (most < 0 || offset >= content.size()) return std::min<int64_t>(most, 0);
    const size_t count = std::min<size_t>(static_cast<size_t>(most), content.size() - offset);
    std::copy_n(bytes_of(content).begin() + static_cast<ptrdiff_t>(offset), count, into.begin());
    return static_cast<int64_t>(count);
  }
  int64_t size(int) override { return static_cast<int64_t>(content.size()); }
  int64_t write(int, std::span<const std::byte> bytes, uint64_t offset) override {
    const int64_t most = planned(static_cast<int64_t>(bytes.size()));
    if (most <= 0) return most;
    const size_t count = std::min<size_t>(static_cast<size_t>(most), bytes.size());
    content.resize(std::max(content.size(), offset + count));
    std::transform(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count),
                   content.begin() + static_cast<ptrdiff_t>(offset),
                   [](std::byte byte) { return static_cast<char>(byte); });
    return static_cast<int64_t>(count);
  }
  int sync_data(int) override {
    sync_count += 1;
    return static_cast<int>(planned(0));
  }
  int allocate(int, uint64_t size_bytes) override {
    const int64_t answer = planned(0);
    if (answer == 0) content.resize(size_bytes);
    return static_cast<int>(answer);
  }
  int truncate(int, uint64_t) override { return static_cast<int>(planned(0)); }
  int rename(const std::string&, const std::string&) override {
    return static_cast<int>(planned(0));
  }
  int remove(const std::string&) override { return static_cast<int>(planned(0)); }
  int make_directory(const std::string&) override { return static_cast<int>(planned(0)); }
  int sync_directory(const std::string&) override { return static_cast<int>(planned(0)); }
  int list(const std::string&, std::vector<std::string>&) override {
    return static_cast<int>(planned(0));
  }
  int volume(const std::string&, VolumeFacts& answer) override {
    answer = facts;
    return static_cast<int>(planned(0));
  }
  int lock_shared(const std::string& path, int64_t& holder) override { return lock(path, holder); }
  int lock(const std::string&, int64_t& holder) override {
    holder = 4711;
    return static_cast<int>(planned(5));
  }

 private:
  int64_t planned(int64_t otherwise) {
    if (answers.empty()) return otherwise;
    const int64_t answer = answers.front();
    answers.pop_front();
    return answer;
  }
};

struct Scripted {
  ScriptedCalls calls;
  FileSystem files{calls};
  std::unique_ptr<File> file = std::move(*files.create("dir/name"));
};

TEST(File, GoesOnAfterShortWritesAndSignals) {
  Scripted scripted;
  scripted.calls.answers = {-EINTR, 3, 1, -EINTR, -EINTR, 2};
  ASSERT_TRUE(scripted.file->write_at(2, bytes_of("abcdefghij")).has_value());
  EXPECT_EQ(scripted.calls.content.substr(2), "abcdefghij");
}

TEST(File, GoesOnAfterShortReadsAndSignals) {
  Scripted scripted;
  scripted.calls.content = "0123456789";
  scripted.calls.answers = {1, -EINTR, 4};
  EXPECT_EQ(read_text(*scripted.file, 1, 20), "123456789");
}

TEST(File, AWriteThatWritesNothingIsAnError) {
  Scripted scripted;
  scripted.calls.answers = {0};
  const auto written = scripted.file->write_at(0, bytes_of("a"));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::kIo);
}

TEST(File, NeverSyncsASecondTime) {
  for (const int error : {EIO, EINTR, ENOSPC, EDQUOT}) {
    Scripted scripted;
    scripted.calls.answers = {-error};
    EXPECT_FALSE(scripted.file->sync_data().has_value());
    EXPECT_EQ(scripted.calls.sync_count, 1);
  }
}

TEST(File, TellsAFullDiskFromABrokenOneAndNamesTheFile) {
  Scripted scripted;
  for (const auto& [error, code] : {std::pair{ENOSPC, ErrorCode::kDiskFull},
                                    {EDQUOT, ErrorCode::kDiskFull},
                                    {EIO, ErrorCode::kIo},
                                    {EFBIG, ErrorCode::kIo}}) {
    scripted.calls.answers = {-error};
    const auto written = scripted.file->write_at(0, bytes_of("a"));
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, code);
    EXPECT_NE(written.error().message.find("dir/name: cannot write"), std::string::npos);
  }
}

TEST(File, WritesZerosWhereBlocksCannotBeSetAside) {
  Scripted scripted;
  scripted.calls.content = "abc";
  scripted.calls.answers = {-EOPNOTSUPP};
  ASSERT_TRUE(scripted.file->allocate(5000).has_value());
  EXPECT_EQ(scripted.calls.content, "abc" + std::string(4997, '\0'));
}

TEST(FileSystem, NamesTheHolderOfALock) {
  ScriptedCalls calls;
  FileSystem files(calls);
  calls.answers = {-EWOULDBLOCK};
  const auto refused = files.lock("dir/LOCK");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("process 4711"), std::string::npos);
}

TEST(FileSystem, KnowsVolumesThatDoNotLast) {
  EXPECT_EQ(volume_kind(0x6969), VolumeKind::kNetwork);
  EXPECT_EQ(volume_kind(0xff534d42), VolumeKind::kNetwork);
  EXPECT_EQ(volume_kind(0x01021994), VolumeKind::kMemory);
  EXPECT_EQ(volume_kind(0x794c7630), VolumeKind::kOverlay);
  EXPECT_EQ(volume_kind(0xef53), VolumeKind::kLasting) << "ext4";
  EXPECT_EQ(volume_kind(0x58465342), VolumeKind::kLasting) << "xfs";
}

TEST(FileSystem, MakesFilesAndDirectoriesForItsUserOnly) {
  const TempDirectory temp;
  FileSystem files(kernel_calls());
  const std::string directory = temp.path() + "/a/b";
  ASSERT_TRUE(files.make_directories(directory).has_value());
  ASSERT_TRUE(files.make_directories(directory).has_value()) << "a second time";
  ASSERT_TRUE(files.create(directory + "/file").has_value());
  ASSERT_TRUE(files.lock(directory + "/LOCK").has_value());
  EXPECT_EQ(mode_of(temp.path() + "/a"), 0700U);
  EXPECT_EQ(mode_of(directory), 0700U);
  EXPECT_EQ(mode_of(directory + "/file"), 0600U);
  EXPECT_EQ(mode_of(directory + "/LOCK"), 0600U);
}

TEST(FileSystem, DoesNotFollowLinksNorOverwrite) {
  const TempDirectory temp;
  FileSystem files(kernel_calls());
  ASSERT_TRUE(files.create(temp.path() + "/file").has_value());
  EXPECT_FALSE(files.create(temp.path() + "/file").has_value());
  ASSERT_EQ(::symlink((temp.path() + "/file").c_str(), (temp.path() + "/link").c_str()), 0);
  EXPECT_FALSE(files.open_to_read(temp.path() + "/link").has_value());
  EXPECT_FALSE(files.open_to_write(temp.path() + "/link").has_value());
  EXPECT_FALSE(files.lock(temp.path() + "/link").has_value());
}

TEST(FileSystem, DoesWhatTheKernelDoes) {
  const TempDirectory temp;
  FileSystem files(kernel_calls());
  const std::string path = temp.path() + "/one";
  {
    const auto file = std::move(*files.create(path));
    ASSERT_TRUE(file->allocate(1000).has_value());
    ASSERT_TRUE(file->write_at(990, bytes_of("0123456789abcdef")).has_value());
    ASSERT_TRUE(file->sync_data().has_value());
    EXPECT_EQ(file->size().value(), 1006U);
    EXPECT_EQ(read_text(*file, 1000, 100), "abcdef");
    ASSERT_TRUE(file->truncate(995).has_value());
    EXPECT_EQ(read_text(*file, 990, 100), "01234");
  }
  ASSERT_TRUE(files.create(temp.path() + "/zero").has_value());
  ASSERT_TRUE(files.rename(path, temp.path() + "/another").has_value());
  ASSERT_TRUE(files.sync_directory(temp.path()).has_value());
  EXPECT_EQ(files.list(temp.path()).value(), (std::vector<std::string>{"another", "zero"}));
  EXPECT_EQ(files.open_to_read(path).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(files.remove(temp.path() + "/another").has_value());
  EXPECT_FALSE(files.remove(temp.path() + "/another").has_value());
  const auto volume = files.volume(temp.path());
  ASSERT_TRUE(volume.has_value());
  EXPECT_GT(volume->total_bytes, volume->free_bytes);
}

TEST(FileSystem, LocksOutAnotherOpenerUntilTheLockIsGone) {
  const TempDirectory temp;
  FileSystem files(kernel_calls());
  const std::string path = temp.path() + "/LOCK";
  auto lock = files.lock(path);
  ASSERT_TRUE(lock.has_value());
  const auto refused = files.lock(path);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find(std::to_string(::getpid())), std::string::npos);
  lock->reset();
  EXPECT_TRUE(files.lock(path).has_value());
}

}  // namespace
}  // namespace store
