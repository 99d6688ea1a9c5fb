// Journals that released versions of Dray have written must open, for ever. With
// DRAY_WRITE_GOLDEN=1 in the environment the directory of the current format is written anew: only
// before its first release, and with a new directory for each new format.
// tidy: allow test because it reads the files of tests/golden with all of this folder
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <string>

#include "base/random.h"
#include "store/file_journal/file_journal.h"
#include "store/temp_directory.h"

namespace store {
namespace {

namespace fs = std::filesystem;

// Tests run in the root of the repository.
const char* const kGoldenDirectory = "tests/golden/journal_v1";
constexpr uint64_t kFirstHeld = 10;  // Older frames were trimmed.
constexpr uint64_t kLast = 31;
constexpr uint64_t kLargeSeq = 25;  // Larger than a segment.

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// Every seventh frame is empty.
std::string text_of(uint64_t seq) {
  if (seq % 7 == 0) return "";
  const size_t bytes = seq == kLargeSeq ? 20'000 : seq * 397 % 3000 + 1;
  std::string text;
  while (text.size() < bytes) text += fmt::format("frame {} of a golden journal; ", seq);
  text.resize(bytes);
  return text;
}

class Process {
 public:
  explicit Process(const std::string& directory) : journal_(files_, random_, options(directory)) {}

  base::Result<JournalRecovery> open() {
    return journal_.open([this](uint64_t seq, std::span<const std::byte> payload) {
      frames_.emplace(seq,
                      std::string(reinterpret_cast<const char*>(payload.data()), payload.size()));
      return base::Status();
    });
  }
  void append(uint64_t first_seq, uint64_t last_seq) {
    for (uint64_t seq = first_seq; seq <= last_seq; ++seq) {
      const auto appended = journal_.append(seq, bytes_of(text_of(seq)));
      ASSERT_TRUE(appended.has_value()) << appended.error().message;
    }
  }
  FileJournal& journal() { return journal_; }
  const std::map<uint64_t, std::string>& frames() const { return frames_; }

 private:
  static FileJournalOptions options(const std::string& directory) {
    FileJournalOptions options;
    options.directory = directory;
    options.segment_bytes = format::kSegmentBytesMin;
    options.reserve_bytes = 0;
    options.spare_count = 1;
    options.allow_volatile = true;
    return options;
  }

  FileSystem files_{kernel_calls()};
  base::SystemRandom random_;
  FileJournal journal_;
  std::map<uint64_t, std::string> frames_;
};

// What a life leaves behind: a trim, a clean restart, a kill, a frame that was written anew by the
// recovery after it, a segment whose end was given back, a segment of its own size, a torn tail.
void write_golden() {
  fs::remove_all(kGoldenDirectory);
  {
    Process process(kGoldenDirectory);
    ASSERT_TRUE(process.open().has_value());
    process.append(1, 15);
    ASSERT_TRUE(process.journal().trim(kFirstHeld + 3).has_value());
    ASSERT_TRUE(process.journal().close().has_value());
  }
  {
    Process process(kGoldenDirectory);
    ASSERT_TRUE(process.open().has_value());
    process.append(16, 20);
  }
  {
    Process process(kGoldenDirectory);
    ASSERT_TRUE(process.open().has_value());
    process.append(21, kLast + 1);
  }
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(kGoldenDirectory)) {
    const std::string name = entry.path().filename().string();
    if (!format::number_in(name, format::kSegmentPrefix).has_value()) continue;
    if (newest.empty() || newest.filename() < entry.path().filename()) newest = entry.path();
  }
  // The power failed in the sync of the frame after the last.
  FileSystem files(kernel_calls());
  const auto file = std::move(*files.open_to_write(newest.string()));
  const std::string text = text_of(kLast + 1);
  std::string content(file->size().value(), '\0');
  ASSERT_TRUE(file->read_at(0, std::as_writable_bytes(std::span(content))).has_value());
  const size_t at = content.find(text);
  ASSERT_NE(at, std::string::npos);
  ASSERT_TRUE(file->write_at(at + text.size() - 10, bytes_of("damaged")).has_value());
  fs::remove(fs::path(kGoldenDirectory) / format::kLockName);
}

TEST(GoldenJournal, OfVersion1ShowsItsFrames) {
  if (::getenv("DRAY_WRITE_GOLDEN") != nullptr) {
    ASSERT_NO_FATAL_FAILURE(write_golden());
  }
  const TempDirectory temp;
  const std::string directory = temp.path() + "/data";
  fs::copy(kGoldenDirectory, directory);
  std::map<uint64_t, std::string> expected;
  for (uint64_t seq = kFirstHeld; seq <= kLast; ++seq) {
    if (!text_of(seq).empty()) expected.emplace(seq, text_of(seq));
  }
  {
    Process process(directory);
    const auto opened = process.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(opened->first_seq, kFirstHeld);
    EXPECT_EQ(opened->last_seq, kLast);
    EXPECT_GT(opened->torn_bytes, 0U);
    EXPECT_FALSE(opened->clean_shutdown);
    EXPECT_TRUE(process.frames() == expected) << process.frames().size() << " frames";
    process.append(kLast + 1, kLast + 9);
  }
  Process process(directory);
  ASSERT_TRUE(process.open().has_value());
  EXPECT_EQ(process.frames().size(), expected.size() + 8);
  EXPECT_EQ(process.frames().rbegin()->second, text_of(kLast + 9));
}

}  // namespace
}  // namespace store
