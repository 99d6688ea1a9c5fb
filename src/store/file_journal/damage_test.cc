// Damages every file of small journals in every place. A start then shows exactly what was written,
// or refuses and names the file; it never shows less in silence. The one exception that the docs
// name: the newest frame, when nothing after it proves that it was synced.
// tidy: allow test because it breaks what all files of this folder wrote
#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>

#include "store/file_journal/crash_world.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

using Frames = std::map<uint64_t, Payload>;
using Content = std::string;

constexpr size_t kSector = format::kSectorBytes;

Content read_content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_whole(const fs::path& path, const Content& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// A journal at rest, and all its files in memory.
struct Specimen {
  std::map<std::string, Content> files;  // By name.
  Frames frames;
  bool last_is_proven = false;  // Something says that the newest frame was synced.
};

enum class End : uint8_t { kKilled, kClosed, kIdleFrame };

const char* name_of(End end) {
  switch (end) {
    case End::kKilled:
      return "Killed";
    case End::kClosed:
      return "Closed";
    case End::kIdleFrame:
      return "IdleFrame";
  }
  return "Unknown";
}

std::ostream& operator<<(std::ostream& out, End end) {
  return out << name_of(end);
}

Frames frames_in(const std::string& directory, base::Status& status) {
  DroppingCalls calls(kernel_calls(), FaultPlan{}, DroppingCalls::OnCut::kStop);
  FileSystem files(calls);
  base::SeededRandom random(3);
  FileJournalOptions options = CrashWorld::small_options();
  options.directory = directory;
  FileJournal journal(files, random, options);
  Frames frames;
  const auto opened = journal.open([&](uint64_t seq, std::span<const std::byte> payload) {
    frames.emplace(seq, Payload(payload.begin(), payload.end()));
    return base::Status();
  });
  if (!opened.has_value()) status = tl::unexpected(opened.error());
  return frames;
}

Specimen make_specimen(End end) {
  Specimen specimen;
  CrashWorld world;
  EXPECT_TRUE(world.open().has_value());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(world.prepare().has_value());
  // Two segments that are followed, one of them after a restart, and the newest.
  for (int i = 0; i < 9; ++i)
    EXPECT_TRUE(world.append(200 + 400 * static_cast<size_t>(i)).has_value());
  world.kill();
  EXPECT_TRUE(world.open().has_value());
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(world.append(1000).has_value());
  if (end == End::kIdleFrame) {
    EXPECT_TRUE(world.append(0).has_value());
  } else if (end == End::kClosed) {
    EXPECT_TRUE(world.close().has_value());
  }
  world.kill();
  for (const auto& entry : fs::directory_iterator(world.directory())) {
    specimen.files[entry.path().filename().string()] = read_content(entry.path());
  }
  base::Status status;
  specimen.frames = frames_in(world.directory(), status);
  EXPECT_TRUE(status.has_value());
  EXPECT_EQ(specimen.frames.size(), 16U);
  specimen.last_is_proven = end != End::kKilled;
  return specimen;
}

struct Tally {
  int intact = 0;
  int refused = 0;
  int last_lost = 0;
};

class Damage : public testing::TestWithParam<End> {
 protected:
  Damage() : specimen_(make_specimen(GetParam())) {}

  // Starts on the specimen with one file damaged, and judges what the start does.
  void try_with(const std::string& name, const std::function<void(const fs::path&)>& damage) {
    const fs::path directory = temp_.path() + "/data";
    fs::create_directory(directory);
    for (const auto& [file, content] : specimen_.files) write_whole(directory / file, content);
    damage(directory);
    base::Status status;
    const Frames seen = frames_in(directory.string(), status);
    fs::remove_all(directory);
    if (!status.has_value()) {
      EXPECT_EQ(status.error().code, ErrorCode::kCorrupt) << status.error().message;
      EXPECT_NE(status.error().message.find(name), std::string::npos) << status.error().message;
      EXPECT_NE(status.error().message.find("offset "), std::string::npos);
      tally_.refused += 1;
    } else if (seen == specimen_.frames) {
      tally_.intact += 1;
    } else {
      Frames all_but_last = specimen_.frames;
      all_but_last.erase(std::prev(all_but_last.end()));
      EXPECT_TRUE(seen == all_but_last) << "silent loss";
      EXPECT_FALSE(specimen_.last_is_proven) << "the last frame was proven, and is lost in silence";
      tally_.last_lost += 1;
    }
  }

  void try_change(const std::string& name, size_t offset,
                  const std::function<void(Content&)>& change) {
    SCOPED_TRACE(name + " at offset " + std::to_string(offset));
    try_with(name, [&](const fs::path& directory) {
      Content content = specimen_.files[name];
      change(content);
      write_whole(directory / name, content);
    });
  }

  void try_fill(const std::string& name, size_t offset, char fill) {
    try_change(name, offset, [&](Content& bytes) {
      const size_t count = std::min(kSector, bytes.size() - offset);
      bytes.replace(offset, count, count, fill);
    });
  }

  void try_copy_sector(const std::string& name, size_t from, size_t to) {
    try_change(name, to, [&](Content& bytes) {
      const Content sector = bytes.substr(from, kSector);
      bytes.replace(to, kSector, sector);
    });
  }

  std::vector<std::string> segments() const {
    std::vector<std::string> names;
    for (const auto& [name, content] : specimen_.files) {
      if (format::number_in(name, format::kSegmentPrefix).has_value()) names.push_back(name);
    }
    return names;
  }

  TempDirectory temp_;
  Specimen specimen_;
  Tally tally_;
};

TEST_P(Damage, OfOneBitIsSeenOrHarmless) {
  base::SeededRandom random(5);
  for (const auto& [name, content] : specimen_.files) {
    // Closest where headers may lie; spares and ballast are only filled with zeros.
    const bool counts = !name.starts_with(format::kSparePrefix) && name != format::kBallastName;
    for (size_t at = 0; at < content.size();) {
      try_change(name, at, [&](Content& bytes) {
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      });
      ASSERT_FALSE(HasFailure());
      const bool in_header = at % kSector < format::kHeaderBytes;
      at += 1 + random.below(!counts ? 16 * kSector : in_header ? 24 : kSector);
    }
  }
  EXPECT_GE(tally_.refused, 80);
  EXPECT_GE(tally_.intact, 50);
}

TEST_P(Damage, OfAWholeSectorIsSeenOrHarmless) {
  for (const auto& [name, content] : specimen_.files) {
    const bool is_segment = format::number_in(name, format::kSegmentPrefix).has_value();
    for (size_t at = 0; at < content.size(); at += is_segment ? kSector : 8 * kSector) {
      try_fill(name, at, '\0');
      try_fill(name, at, '\x5a');
      ASSERT_FALSE(HasFailure());
    }
  }
  EXPECT_GE(tally_.refused, 80);
}

TEST_P(Damage, BySectorsWrittenElsewhereIsSeenOrHarmless) {
  for (const std::string& name : segments()) {
    const size_t size = specimen_.files[name].size();
    for (size_t from = 0; from < size; from += 7 * kSector) {
      for (size_t to = 0; to < size; to += 3 * kSector) try_copy_sector(name, from, to);
      ASSERT_FALSE(HasFailure()) << "from " << from;
    }
  }
  EXPECT_GE(tally_.refused, 30);
}

TEST_P(Damage, ByTruncationIsRefused) {
  for (const std::string& name : segments()) {
    const size_t size = specimen_.files[name].size();
    for (size_t left = 0; left < size; left += 700) {
      try_change(name, left, [&](Content& bytes) { bytes.resize(left); });
      ASSERT_FALSE(HasFailure());
    }
    try_change(name, size, [&](Content& bytes) { bytes.resize(size + 4096); });
  }
  EXPECT_GE(tally_.refused, 30);
  EXPECT_EQ(tally_.last_lost, 0) << "a newest segment that is too short is never a torn tail";
}

TEST_P(Damage, ByALostFileIsRefusedOrHarmless) {
  for (const auto& [name, content] : specimen_.files) {
    SCOPED_TRACE(name);
    const int refused_before = tally_.refused;
    try_with(name, [&](const fs::path& directory) { fs::remove(directory / name); });
    const bool is_needed = format::number_in(name, format::kSegmentPrefix).has_value() ||
                           name == format::kWatermarkName || name == format::kVersionName;
    EXPECT_EQ(tally_.refused - refused_before, is_needed ? 1 : 0);
  }
}

TEST_P(Damage, ByACopiedFileIsRefusedOrHarmless) {
  std::vector<std::string> targets = segments();
  const uint64_t newest = format::number_in(targets.back(), format::kSegmentPrefix).value_or(0);
  targets.push_back(format::numbered_name(format::kSegmentPrefix, newest + 1));
  targets.push_back(format::numbered_name(format::kSegmentPrefix, newest + 5));
  for (const std::string& from : segments()) {
    for (const std::string& to : targets) {
      if (from == to) continue;
      SCOPED_TRACE(from + " over " + to);
      const int refused_before = tally_.refused;
      // With a gap in the indexes, the missing one is named.
      const std::string named = to == targets.back() ? targets[targets.size() - 2] : to;
      try_with(named, [&](const fs::path& directory) {
        fs::copy_file(directory / from, directory / to, fs::copy_options::overwrite_existing);
      });
      EXPECT_EQ(tally_.refused - refused_before, 1);
    }
    try_with(from, [&](const fs::path& directory) {
      fs::copy_file(directory / from, directory / (from + ".bak"));
      fs::copy_file(directory / from, directory / format::numbered_name(format::kSparePrefix, 77));
    });
  }
  EXPECT_EQ(tally_.last_lost, 0);
}

INSTANTIATE_TEST_SUITE_P(Ends, Damage, testing::Values(End::kKilled, End::kClosed, End::kIdleFrame),
                         [](const auto& info) { return std::string(name_of(info.param)); });

// The damage that nobody can see: of the newest frame, before anything follows it.
// The last frames and the empty one that proves them can share a block of the disk.
TEST(DamageOfTheNewestFrame, IsSeenAfterAnIdleMoment) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(world.append(100).has_value());
  ASSERT_TRUE(world.append(0).has_value());
  world.kill();
  const fs::path path = fs::path(world.directory()) / format::numbered_name("journal-", 1);
  Content content = read_content(path);
  std::fill_n(content.begin() + format::kFirstFrameOffset, format::kPageBytes, '\0');
  write_whole(path, content);
  base::Status status;
  frames_in(world.directory(), status);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
}

TEST(DamageOfTheNewestFrame, IsTakenForATornTail) {
  CrashWorld world;
  ASSERT_TRUE(world.open().has_value());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(world.append(1000).has_value());
  world.kill();
  const fs::path path = fs::path(world.directory()) / format::numbered_name("journal-", 1);
  Content content = read_content(path);
  const size_t last = format::kFirstFrameOffset + 3 * format::frame_bytes(1000);
  content[last + 100] = static_cast<char>(content[last + 100] ^ 1);
  write_whole(path, content);
  base::Status status;
  EXPECT_EQ(frames_in(world.directory(), status).size(), 3U);
  EXPECT_TRUE(status.has_value());
}

}  // namespace
}  // namespace store
