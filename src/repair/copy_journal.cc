#include "repair/copy_journal.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "store/file_journal/data_directory.h"
#include "store/file_journal/format.h"
#include "store/file_journal/recovery.h"
#include "store/file_journal/segment_reader.h"
#include "store/file_journal/watermark.h"

namespace repair {
namespace {

using base::ErrorCode;
namespace format = store::format;

constexpr int kCopyAttempts = 10;  // A flush trims twice a minute; this many in a row do not.
constexpr size_t kChunkBytes = size_t{1} << 20;

class Copy {
 public:
  Copy(store::FileSystem& files, const std::string& from, const std::string& to)
      : source_(files, from), target_(files, to) {}

  // Nothing: the source changed meanwhile, begin anew.
  base::Result<std::optional<Copied>> attempt() {
    TRY(clear_journal(target_.files(), target_.path()));
    copied_ = {};
    const format::Watermark before = TRY(store::WatermarkFile::read(source_));
    base::Status done = copy_segments(before);
    const format::Watermark after = TRY(store::WatermarkFile::read(source_));
    if (after.first_index != before.first_index || changed_) return std::optional<Copied>();
    TRY(std::move(done));
    TRY(finish(before));
    return std::optional<Copied>(copied_);
  }

 private:
  base::Status copy_segments(const format::Watermark& mark) {
    changed_ = false;
    const store::DirectoryListing listing = TRY(source_.list());
    if (!listing.has_version) {
      return store::corrupt({source_.path_of(format::kVersionName), 0}, "the file is missing");
    }
    TRY(source_.check_version(listing));
    TRY(target_.write_whole(format::kVersionName, std::as_bytes(std::span(format::kVersionText))));
    last_index_ = mark.last_index;
    for (const uint64_t index : listing.segments) {
      if (index < mark.first_index) continue;
      last_index_ = std::max(last_index_, index);
      TRY(copy_segment(index, index == listing.segments.back()));
    }
    return {};
  }

  // Copies header and frames. What lies behind them in the file is of no concern.
  base::Status copy_segment(uint64_t index, bool newest) {
    const auto file = TRY(source_.files().open_to_read(source_.segment_path(index)));
    const uint64_t end = TRY(end_of_frames(*file, newest));
    const auto out = TRY(target_.files().create(target_.segment_path(index)));
    const base::Status copied = copy_bytes(*file, *out, end);
    if (!copied && copied.error().code == ErrorCode::kCorrupt) changed_ = true;
    if (changed_) return {};
    TRY(copied);
    if (newest) TRY(out->truncate(file_bytes_));  // A start expects the size that the header says.
    TRY(out->sync_data());
    copied_.segments += 1;
    copied_.bytes += end;
    return {};
  }

  // Reads up to where frames verify, and makes sure that nothing is missing there: a later frame
  // may stand behind, if it was written after the reading, but then a second reading reaches it.
  base::Result<uint64_t> end_of_frames(store::File& file, bool newest) {
    store::SegmentReader reader = TRY(store::SegmentReader::open(file));
    while (TRY(reader.next()).has_value()) {
    }
    file_bytes_ = reader.header().segment_bytes;
    if (!newest) return reader.offset();
    if (const auto later = TRY(reader.find_later_frame())) {
      store::SegmentReader again = TRY(store::SegmentReader::open(file));
      while (again.next_seq() <= later->header.seq && TRY(again.next()).has_value()) {
      }
      if (again.next_seq() <= later->header.seq) {
        return store::corrupt({file.path(), again.offset()},
                              fmt::format("frame {} does not verify ({}), but frame {} stands "
                                          "behind it",
                                          again.next_seq(), again.stop_text(), later->header.seq));
      }
    }
    // A start that goes on in a new segment cuts the one before off behind its frames: then the
    // listing is too old.
    if (TRY(file.size()) != file_bytes_) changed_ = true;
    return reader.offset();
  }

  // Reads the copy as a start would, and then says in its watermark that it is whole.
  base::Status finish(const format::Watermark& source) {
    format::Watermark mark = source;
    mark.last_index = last_index_;
    const store::FrameVisitor nothing = [](uint64_t, std::span<const std::byte>) {
      return base::Status();
    };
    const store::RecoveredJournal found =
        TRY(store::recover_journal(target_, TRY(target_.list()), mark, nothing));
    mark.durable_seq = std::max(source.durable_seq, found.last_seq);
    mark.clean = true;
    TRY(target_.sync());
    auto file = TRY(store::WatermarkFile::create(target_));
    TRY(file.write(mark));
    TRY(target_.sync());
    copied_.last_seq = found.last_seq;
    return {};
  }

  const store::DataDirectory source_;
  const store::DataDirectory target_;
  Copied copied_;
  uint64_t last_index_ = 0;
  uint64_t file_bytes_ = 0;  // Of the segment that is being copied, as its header says.
  bool changed_ = false;     // The source changed under the copying.
};

}  // namespace

base::Status expect_empty(store::FileSystem& files, const std::string& path) {
  const auto names = files.list(path);
  if (!names.has_value()) {
    if (names.error().code == ErrorCode::kNotFound) return {};
    return tl::unexpected(names.error());
  }
  if (names->empty()) return {};
  return base::fail(ErrorCode::kBadReq, "{} is not empty: name a directory that is not there",
                    path);
}

base::Status clear_journal(store::FileSystem& files, const std::string& directory) {
  const store::DataDirectory target(files, directory);
  const store::DirectoryListing listing = TRY(target.list());
  if (listing.has_watermark) TRY(files.remove(target.path_of(format::kWatermarkName)));
  for (const uint64_t index : listing.segments) TRY(files.remove(target.segment_path(index)));
  if (listing.has_version) TRY(files.remove(target.path_of(format::kVersionName)));
  for (const std::string& name : listing.unfinished) TRY(files.remove(target.path_of(name)));
  return {};
}

base::Status copy_bytes(store::File& from, store::File& to, uint64_t size) {
  std::vector<std::byte> chunk;
  for (uint64_t at = 0; at < size; at += chunk.size()) {
    chunk.resize(std::min<uint64_t>(kChunkBytes, size - at));
    if (TRY(from.read_at(at, chunk)) < chunk.size()) {
      return store::corrupt({from.path(), at}, "the file has become shorter");
    }
    TRY(to.write_at(at, chunk));
  }
  return {};
}

base::Result<Copied> copy_journal(store::FileSystem& files, const std::string& from,
                                  const std::string& to) {
  Copy copy(files, from, to);
  base::Error error{ErrorCode::kUnavailable,
                    fmt::format("{} was trimmed meanwhile, {} times in a row; try again, or give "
                                "the server a larger journal budget",
                                from, kCopyAttempts)};
  for (int attempt = 0; attempt < kCopyAttempts; ++attempt) {
    auto copied = copy.attempt();
    if (copied.has_value() && copied->has_value()) return **copied;
    if (copied.has_value()) continue;
    error = copied.error();
    break;
  }
  base::ignore(clear_journal(files, to), "what is left has no watermark, so nobody serves it");
  return tl::unexpected(error);
}

}  // namespace repair
