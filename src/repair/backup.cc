#include "repair/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "repair/copy_journal.h"
#include "repair/copy_tables.h"
#include "store/file_journal/format.h"
#include "store/file_journal/segment_reader.h"
#include "store/file_journal/watermark.h"

namespace repair {
namespace {

using base::ErrorCode;
namespace format = store::format;
using Source = TablesCopy::Source;

constexpr std::string_view kGenerationPrefix = "generation-";
// Between the copying of the tables' log and of the journal the server may have flushed twice, and
// let go of what is needed between the two. This often in a row it does not.
constexpr int kAttempts = 4;
// The segments that are added to a generation may become as much as it was, or this much.
constexpr uint64_t kAddedBytesMin = uint64_t{1} << 30U;

base::Result<BackupReport> copy_and_verify(TablesCopy& tables, const store::DataDirectory& source,
                                           const store::DataDirectory& target, Source how) {
  store::FileSystem& files = target.files();
  TRY(tables.copy_file(how));
  base::Error error;
  for (int attempt = 0; attempt < (how == Source::kLocked ? kAttempts : 1); ++attempt) {
    TRY(tables.copy_log());
    const Copied copied = TRY(copy_journal(files, source.path(), target.path()));
    Examination found = TRY(examine(files, target.path()));
    if (!found.damage) {
      return BackupReport{copied.last_seq, copied.segments, copied.bytes + tables.bytes(),
                          std::move(found.set_aside), std::move(found.flaws)};
    }
    error = {found.damage->code, "the copy is not sound: " + found.damage->message};
  }
  return tl::unexpected(error);
}

base::Result<BackupReport> copy_all(store::FileSystem& files, const std::string& from,
                                    const std::string& to, Source how) {
  TRY(expect_empty(files, to));
  const store::DataDirectory source(files, from);
  const store::DataDirectory target(files, to);
  TRY(store::WatermarkFile::read(source));
  TRY(files.make_directories(to));
  TablesCopy tables(source, target);
  auto report = copy_and_verify(tables, source, target, how);
  if (report) return report;
  base::ignore(clear_journal(files, to), "what is left has no watermark, so nobody serves it");
  base::ignore(tables.clear(), "the error before it is the one to know");
  return report;
}

// Returns the names of the generations in a directory, oldest first; none if it is not there.
base::Result<std::vector<std::string>> generations_in(store::FileSystem& files,
                                                      const std::string& path) {
  auto names = files.list(path);
  if (!names && names.error().code == ErrorCode::kNotFound) return std::vector<std::string>();
  if (!names) return tl::unexpected(names.error());
  std::erase_if(*names, [](const auto& name) { return !name.starts_with(kGenerationPrefix); });
  return names;
}

// A generation is whole when it has a watermark, which is written last.
base::Result<std::string> newest_whole(store::FileSystem& files, const std::string& from) {
  std::vector<std::string> names = TRY(generations_in(files, from));
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const store::DataDirectory generation(files, from + "/" + *name);
    if (TRY(generation.list()).has_watermark) return generation.path();
  }
  return from;
}

base::Status remove_generation(store::FileSystem& files, const std::string& path) {
  const store::DataDirectory generation(files, path);
  if (TRY(generation.list()).has_watermark) {
    TRY(files.remove(generation.path_of(format::kWatermarkName)));
  }
  for (const std::string& name : TRY(files.list(path))) TRY(files.remove(generation.path_of(name)));
  return files.remove(path);
}

}  // namespace

base::Result<BackupReport> back_up(store::FileSystem& files, const std::string& from,
                                   const std::string& to) {
  return copy_all(files, from, to, Source::kLocked);
}

base::Result<BackupReport> restore(store::FileSystem& files, const std::string& from,
                                   const std::string& to) {
  return copy_all(files, TRY(newest_whole(files, from)), to, Source::kStill);
}

FollowingBackup::FollowingBackup(store::FileSystem& files, std::string from, std::string to)
    : files_(files), from_(std::move(from)), to_(std::move(to)) {}

base::Result<BackupReport> FollowingBackup::begin() {
  const std::vector<std::string> older = TRY(generations_in(files_, to_));
  if (older.empty()) TRY(expect_empty(files_, to_));
  uint64_t number = 1;
  if (!older.empty()) {
    number += std::strtoull(older.back().c_str() + kGenerationPrefix.size(), nullptr, 10);
  }
  generation_ = fmt::format("{}/{}{:06}", to_, kGenerationPrefix, number);
  BackupReport report = TRY(back_up(files_, from_, generation_));
  TRY(files_.sync_directory(to_));
  for (const std::string& name : older) TRY(remove_generation(files_, to_ + "/" + name));
  const store::DirectoryListing listing = TRY(store::DataDirectory(files_, generation_).list());
  next_index_ = listing.segments.empty() ? 1 : listing.segments.back();
  first_bytes_ = report.bytes;
  added_bytes_ = 0;
  last_seq_ = report.last_seq;
  return report;
}

base::Result<std::optional<BackupReport>> FollowingBackup::go_on() {
  const bool fits = TRY(add_closed());
  if (fits && added_bytes_ <= std::max(first_bytes_, kAddedBytesMin)) {
    return std::optional<BackupReport>();
  }
  return std::optional(TRY(begin()));
}

// Returns false when the server has let go of the next segment.
base::Result<bool> FollowingBackup::add_closed() {
  const store::DataDirectory source(files_, from_);
  while (true) {
    const store::DirectoryListing listing = TRY(source.list());
    const auto has = [&](uint64_t index) {
      return std::ranges::binary_search(listing.segments, index);
    };
    if (TRY(store::WatermarkFile::read(source)).first_index > next_index_) return false;
    if (!has(next_index_) || !has(next_index_ + 1)) return true;
    const auto added = add(next_index_);
    // What the server has let go of becomes another file under the reading.
    if (TRY(store::WatermarkFile::read(source)).first_index > next_index_) return false;
    TRY(added);
    TRY(take_in(next_index_));
    next_index_ += 1;
  }
}

// Copies a segment that another one follows into a file that does not count yet.
base::Status FollowingBackup::add(uint64_t index) {
  const store::DataDirectory source(files_, from_);
  const store::DataDirectory target(files_, generation_);
  const auto next_file = TRY(files_.open_to_read(source.segment_path(index + 1)));
  const uint64_t end_seq = TRY(store::SegmentReader::open(*next_file)).header().first_seq;
  const auto from = TRY(files_.open_to_read(source.segment_path(index)));
  const std::string path = target.segment_path(index) + std::string(format::kUnfinishedSuffix);
  base::ignore(files_.remove(path), "as a rule it is not there");
  const auto to = TRY(files_.create(path));
  store::SegmentReader reader = TRY(store::SegmentReader::open(*from));
  while (reader.next_seq() < end_seq && TRY(reader.next())) {
  }
  TRY(copy_bytes(*from, *to, reader.offset()));
  TRY(to->truncate(reader.header().segment_bytes));
  TRY(to->sync_data());
  store::SegmentReader copied = TRY(store::SegmentReader::open(*to));
  while (copied.next_seq() < end_seq && TRY(copied.next())) {
  }
  if (copied.header().index != index || copied.next_seq() < end_seq) {
    return store::corrupt({from->path(), copied.offset()},
                          fmt::format("frame {} does not verify ({}), and the journal goes on with "
                                      "frame {}",
                                      copied.next_seq(), copied.stop_text(), end_seq));
  }
  added_bytes_ += copied.offset();
  last_seq_ = std::max(last_seq_, end_seq - 1);
  return {};
}

// Makes it count.
base::Status FollowingBackup::take_in(uint64_t index) {
  const store::DataDirectory target(files_, generation_);
  const std::string path = target.segment_path(index);
  TRY(files_.rename(path + std::string(format::kUnfinishedSuffix), path));
  TRY(target.sync());
  auto file = TRY(store::WatermarkFile::open(target));
  format::Watermark mark = file.mark();
  mark.last_index = std::max(mark.last_index, index);
  mark.durable_seq = last_seq_;
  mark.clean = true;
  return file.write(mark);
}

}  // namespace repair
