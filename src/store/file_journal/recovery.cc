#include "store/file_journal/recovery.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "store/file_journal/segment_reader.h"
#include "store/file_journal/watermark.h"

namespace store {
namespace {

constexpr std::string_view kMissing = "the file is missing";

// An open segment; the reader borrows the file.
struct OpenSegment {
  std::unique_ptr<File> file;
  SegmentReader reader;
};

base::Result<OpenSegment> open_segment(const DataDirectory& directory, uint64_t index) {
  std::unique_ptr<File> file = TRY(directory.files().open_to_read(directory.segment_path(index)));
  SegmentReader reader = TRY(SegmentReader::open(*file));
  if (reader.header().index != index) {
    return corrupt({file->path(), 0},
                   fmt::format("this is segment {} under another name", reader.header().index));
  }
  return OpenSegment{std::move(file), std::move(reader)};
}

class Recovery {
 public:
  Recovery(const DataDirectory& directory, const format::Watermark& mark, const FrameVisitor& visit)
      : directory_(directory), mark_(mark), visit_(visit), durable_seq_(mark.durable_seq) {}

  base::Result<RecoveredJournal> run(const DirectoryListing& listing) {
    const std::vector<uint64_t> indexes = TRY(needed_segments(listing));
    if (indexes.empty()) return std::move(result_);
    OpenSegment segment = TRY(open_segment(directory_, indexes.front()));
    for (const uint64_t index : indexes) {
      if (index == indexes.back()) break;
      OpenSegment next = TRY(open_segment(directory_, index + 1));
      TRY(read_followed(segment, next));
      segment = std::move(next);
    }
    TRY(read_newest(segment));
    return std::move(result_);
  }

 private:
  // Returns the indexes of the segments to be read: those not trimmed, without a gap.
  base::Result<std::vector<uint64_t>> needed_segments(const DirectoryListing& listing) {
    std::vector<uint64_t> indexes;
    uint64_t expected = mark_.first_index;
    for (const uint64_t index : listing.segments) {
      if (index < mark_.first_index) continue;  // Trimmed; only its removal was not finished.
      if (index != expected) break;
      indexes.push_back(index);
      expected += 1;
    }
    const bool newer_exists = !listing.segments.empty() && listing.segments.back() >= expected;
    if (expected <= mark_.last_index || newer_exists) {
      return corrupt({directory_.segment_path(expected), 0}, kMissing);
    }
    return indexes;
  }

  // Reads a segment up to the frame that `next` begins with; all of them were synced before `next`
  // got its name. What follows in this segment does not count: it was torn, or written anew.
  base::Status read_followed(OpenSegment& segment, const OpenSegment& next) {
    SegmentReader& reader = segment.reader;
    const format::SegmentHeader& begins = next.reader.header();
    TRY(check_begins_after(reader, next));
    HeldSegment held = held_segment(reader);
    while (reader.next_seq() < begins.first_seq) {
      const auto frame = TRY(reader.next());
      if (!frame.has_value()) {
        return corrupt({segment.file->path(), reader.offset()},
                       fmt::format("frame {} does not verify ({}), and the journal goes on with "
                                   "frame {} in {}",
                                   reader.next_seq(), reader.stop_text(), begins.first_seq,
                                   next.file->path()));
      }
      TRY(take(segment, *frame, held));
    }
    if (reader.last_crc() != begins.previous_crc) {
      return corrupt({next.file->path(), 0},
                     fmt::format("this segment does not follow on frame {} of {}",
                                 begins.first_seq - 1, segment.file->path()));
    }
    result_.segments.push_back(held);
    return {};
  }

  base::Status check_begins_after(const SegmentReader& reader, const OpenSegment& next) {
    const uint64_t first_seq = next.reader.header().first_seq;
    if (first_seq >= reader.header().first_seq) return {};
    return corrupt({next.file->path(), 0},
                   fmt::format("this segment begins with frame {}, the one before it with {}",
                               first_seq, reader.header().first_seq));
  }

  // Reads the segment that was written to last, and judges the place where reading stops.
  base::Status read_newest(OpenSegment& segment) {
    SegmentReader& reader = segment.reader;
    if (reader.file_bytes() != reader.header().segment_bytes) {
      return corrupt({segment.file->path(), reader.file_bytes()},
                     fmt::format("the file has {} bytes, its header says {}", reader.file_bytes(),
                                 reader.header().segment_bytes));
    }
    HeldSegment held = held_segment(reader);
    uint32_t previous_crc = reader.last_crc();
    while (const auto frame = TRY(reader.next())) {
      TRY(take(segment, *frame, held));
      result_.unsure.push_back(
          {frame->header.seq, frame->offset, frame->header.payload_bytes, previous_crc});
      drop_sure_frames();
      previous_crc = reader.last_crc();
    }
    if (reader.stop() == SegmentStop::kTornFrame) {
      durable_seq_ = std::max(durable_seq_, reader.torn_header().durable_seq);
    }
    drop_sure_frames();
    TRY(judge_stop(segment));
    result_.segments.push_back(held);
    result_.last_seq = reader.next_seq() - 1;
    result_.last_crc = reader.last_crc();
    result_.tail_offset = reader.offset();
    return {};
  }

  // A torn tail is a frame that was never synced, so never acknowledged. It is one only if nothing
  // says otherwise.
  base::Status judge_stop(OpenSegment& segment) {
    SegmentReader& reader = segment.reader;
    const Place place{segment.file->path(), reader.offset()};
    if (reader.stop() == SegmentStop::kMisplaced) return corrupt(place, reader.stop_text());
    if (durable_seq_ >= reader.next_seq()) {
      return corrupt(place, fmt::format("frame {} does not verify ({}), but frames up to {} were "
                                        "durable",
                                        reader.next_seq(), reader.stop_text(), durable_seq_));
    }
    if (const auto later = TRY(reader.find_later_frame())) {
      return corrupt(place, fmt::format("frame {} does not verify ({}), but frame {} stands behind "
                                        "it at offset {}",
                                        reader.next_seq(), reader.stop_text(), later->header.seq,
                                        later->offset));
    }
    if (reader.stop() == SegmentStop::kTornFrame) {
      result_.torn_bytes = format::frame_bytes(reader.torn_header().payload_bytes);
    } else if (reader.stop() == SegmentStop::kTornHeader) {
      result_.torn_bytes = format::kSectorBytes;
    }
    return {};
  }

  HeldSegment held_segment(const SegmentReader& reader) {
    durable_seq_ = std::max(durable_seq_, reader.header().durable_seq);
    HeldSegment held;
    held.index = reader.header().index;
    held.first_seq = reader.header().first_seq;
    held.file_bytes = reader.file_bytes();
    return held;
  }

  base::Status take(const OpenSegment& segment, const SegmentFrame& frame, HeldSegment& held) {
    durable_seq_ = std::max(durable_seq_, frame.header.durable_seq);
    held.frames_bytes += format::frame_bytes(frame.header.payload_bytes);
    if (frame.payload.empty()) return {};
    return base::with_context(visit_(frame.header.seq, frame.payload),
                              fmt::format("{}: offset {}: frame {}", segment.file->path(),
                                          frame.offset, frame.header.seq));
  }

  void drop_sure_frames() {
    std::erase_if(result_.unsure,
                  [this](const UnsureFrame& frame) { return frame.seq <= durable_seq_; });
  }

  const DataDirectory& directory_;
  const format::Watermark& mark_;
  const FrameVisitor& visit_;
  uint64_t durable_seq_;
  RecoveredJournal result_;
};

}  // namespace

base::Result<RecoveredJournal> recover_journal(const DataDirectory& directory,
                                               const DirectoryListing& listing,
                                               const format::Watermark& mark,
                                               const FrameVisitor& visit) {
  return Recovery(directory, mark, visit).run(listing);
}

base::Result<RecoveredJournal> check_journal(const DataDirectory& directory,
                                             const FrameVisitor& visit) {
  const DirectoryListing listing = TRY(directory.list());
  if (!listing.has_version) return corrupt({directory.path_of(format::kVersionName), 0}, kMissing);
  TRY(directory.check_version(listing));
  if (!listing.has_watermark) {
    return corrupt({directory.path_of(format::kWatermarkName), 0}, kMissing);
  }
  const format::Watermark mark = TRY(WatermarkFile::read(directory));
  return recover_journal(directory, listing, mark, visit);
}

}  // namespace store
