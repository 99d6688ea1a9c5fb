#include "repair/frame_picker.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "store/file_journal/watermark.h"

namespace repair {

namespace format = store::format;

base::Status FramePicker::pick(const Visitor& visitor) {
  read_watermark();
  TRY(scan_all());
  bound_segments();
  find_beginning(visitor);
  for (const Found& found : segments_) TRY(pick_from(found, visitor));
  lose_up_to(durable_seq_, visitor);
  return {};
}

// The journal begins with the first frame of the oldest segment, if that is there.
void FramePicker::find_beginning(const Visitor& visitor) {
  account_.last_seq = last_seq_ = applied_seq_;
  if (segments_.empty()) return;
  const store::SegmentScan& oldest = segments_.front().scan;
  const bool is_first = segments_.front().index == first_index_;
  uint64_t before = 0;
  if (oldest.header) {
    before = oldest.header->first_seq - 1;
  } else if (!oldest.frames.empty()) {
    before = oldest.frames.front().header.seq - 1;
  }
  if (before <= applied_seq_) return;
  if (applied_seq_ != 0) return lose_up_to(before, visitor);
  if (is_first && oldest.header) {
    last_seq_ = before;
  } else if (first_index_ > 1) {
    account_.unread.push_back("how many frames stood before the first one here is not known");
    account_.frames_lost.emplace_back(0, before);
    last_seq_ = before;
    visitor.gap();
  }
}

void FramePicker::read_watermark() {
  const auto mark = store::WatermarkFile::read(directory_);
  if (!mark.has_value()) {
    account_.unread.push_back(mark.error().message);
    return;
  }
  first_index_ = mark->first_index;
  last_index_ = mark->last_index;
  durable_seq_ = mark->durable_seq;
}

base::Status FramePicker::scan_all() {
  uint64_t expected = first_index_;
  for (const uint64_t index : TRY(directory_.list()).segments) {
    if (index < first_index_) continue;
    for (; expected < index; ++expected) {
      account_.unread.push_back(directory_.segment_path(expected) + ": the file is missing");
    }
    expected = index + 1;
    const auto file = TRY(directory_.files().open_to_read(directory_.segment_path(index)));
    Found found{index, TRY(store::scan_segment(*file)), 0};
    if (!found.scan.header) {
      account_.unread.push_back(file->path() + ": the header cannot be read");
    } else if (found.scan.header->index != index) {
      account_.unread.push_back(file->path() + ": this is another segment under its name");
      continue;
    }
    if (found.scan.header) durable_seq_ = std::max(durable_seq_, found.scan.header->durable_seq);
    for (const store::ScannedFrame& frame : found.scan.frames) {
      durable_seq_ = std::max(durable_seq_, frame.header.durable_seq);
    }
    segments_.push_back(std::move(found));
  }
  for (; expected <= last_index_; ++expected) {
    account_.unread.push_back(directory_.segment_path(expected) + ": the file is missing");
  }
  return {};
}

// What a later segment begins with counts there: the earlier one may hold a torn frame of that seq.
void FramePicker::bound_segments() {
  uint64_t bound = std::numeric_limits<uint64_t>::max();
  for (auto found = segments_.rbegin(); found != segments_.rend(); ++found) {
    found->ends_before = bound;
    if (found->scan.header) {
      bound = std::min(bound, found->scan.header->first_seq);
    } else if (!found->scan.frames.empty()) {
      bound = std::min(bound, found->scan.frames.front().header.seq);
    }
  }
}

base::Status FramePicker::pick_from(const Found& found, const Visitor& visitor) {
  const auto file = TRY(directory_.files().open_to_read(directory_.segment_path(found.index)));
  uint64_t end = format::kFirstFrameOffset;  // Of the last frame that was read.
  for (const store::ScannedFrame& frame : found.scan.frames) {
    if (!frame.is_whole || frame.header.seq <= last_seq_) continue;
    if (frame.header.seq >= found.ends_before) break;
    if (frame.header.seq > last_seq_ + 1 && frame.offset > end) {
      account_.bytes_unread += frame.offset - end;
      account_.unread.push_back(
          fmt::format("{}: {} bytes from offset {}", file->path(), frame.offset - end, end));
    }
    lose_up_to(frame.header.seq - 1, visitor);
    const auto payload = TRY(store::read_scanned(*file, frame));
    end = frame.offset + format::frame_bytes(frame.header.payload_bytes);
    last_seq_ = frame.header.seq;
    account_.last_seq = last_seq_;
    account_.frames_read += 1;
    if (!payload.empty()) TRY(visitor.frame(payload));
  }
  return {};
}

void FramePicker::lose_up_to(uint64_t seq, const Visitor& visitor) {
  if (seq <= last_seq_) return;
  account_.frames_lost.emplace_back(last_seq_ + 1, seq);
  last_seq_ = seq;
  visitor.gap();
}

}  // namespace repair
