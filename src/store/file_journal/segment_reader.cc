#include "store/file_journal/segment_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/crc32c.h"
#include "store/file_journal/data_directory.h"

namespace store {
namespace {

constexpr uint64_t kReadBytes = uint64_t{1} << 20U;  // At a time; a larger frame as a whole.

}  // namespace

SegmentReader::SegmentReader(File& file, const format::SegmentHeader& header, uint64_t file_bytes)
    : file_(&file),
      header_(header),
      file_bytes_(file_bytes),
      next_seq_(header.first_seq),
      last_crc_(header.previous_crc) {}

base::Result<SegmentReader> SegmentReader::open(File& file) {
  const uint64_t file_bytes = TRY(file.size());
  format::HeaderBlock block{};
  const size_t got = TRY(file.read_at(0, block));
  const auto header = format::decode_segment_header(block);
  if (got < block.size() || !header.has_value()) {
    const auto fault = header.has_value() ? format::HeaderFault::kMagic : header.error();
    return corrupt({file.path(), 0},
                   fmt::format("not a journal segment ({})", format::fault_text(fault)));
  }
  if (file_bytes > header->segment_bytes) {
    return corrupt({file.path(), header->segment_bytes},
                   fmt::format("the file has {} bytes, its header says {}", file_bytes,
                               header->segment_bytes));
  }
  return SegmentReader(file, *header, file_bytes);
}

base::Result<std::span<const std::byte>> SegmentReader::bytes_at(uint64_t offset, uint64_t bytes) {
  if (offset >= file_bytes_) return std::span<const std::byte>();
  bytes = std::min(bytes, file_bytes_ - offset);
  const bool held = offset >= buffer_offset_ && offset + bytes <= buffer_offset_ + buffer_.size();
  if (!held) {
    buffer_.resize(std::min(std::max(bytes, kReadBytes), file_bytes_ - offset));
    buffer_offset_ = offset;
    buffer_.resize(TRY(file_->read_at(offset, buffer_)));
    bytes = std::min<uint64_t>(bytes, buffer_.size());
  }
  return std::span(buffer_).subspan(offset - buffer_offset_, bytes);
}

base::Result<std::optional<SegmentFrame>> SegmentReader::next() {
  const auto block = TRY(bytes_at(offset_, format::kHeaderBytes));
  if (block.size() < format::kHeaderBytes) return stop_at(SegmentStop::kNothing, "end of the file");
  const auto decoded = format::decode_frame_header(block);
  if (!decoded.has_value()) return stop_at_header(block, decoded.error());
  const format::FrameHeader frame = *decoded;
  if (frame.salt != header_.salt) return stop_at(SegmentStop::kNothing, "no frame");
  if (misplaced(frame)) return std::optional<SegmentFrame>();

  const uint64_t all_bytes = format::kHeaderBytes + frame.payload_bytes;
  const auto bytes = TRY(bytes_at(offset_, all_bytes));
  const auto payload = bytes.subspan(std::min<size_t>(bytes.size(), format::kHeaderBytes));
  if (payload.size() < frame.payload_bytes || base::crc32c(payload) != frame.payload_crc) {
    torn_header_ = frame;
    return stop_at(SegmentStop::kTornFrame, "wrong payload checksum");
  }
  SegmentFrame result{frame, offset_, payload};
  offset_ += format::frame_bytes(frame.payload_bytes);
  next_seq_ = frame.seq + 1;
  last_crc_ = frame.header_crc;
  return std::optional<SegmentFrame>(result);
}

std::optional<SegmentFrame> SegmentReader::stop_at(SegmentStop stop, std::string text) {
  stop_ = stop;
  stop_text_ = std::move(text);
  return {};
}

std::optional<SegmentFrame> SegmentReader::stop_at_header(std::span<const std::byte> block,
                                                          format::HeaderFault fault) {
  const bool ours = format::frame_salt(block) == header_.salt;
  return stop_at(ours ? SegmentStop::kTornHeader : SegmentStop::kNothing,
                 std::string(format::fault_text(fault)));
}

bool SegmentReader::misplaced(const format::FrameHeader& frame) {
  const uint64_t room = header_.segment_bytes - std::min(offset_, header_.segment_bytes);
  if (frame.seq != next_seq_) {
    stop_at(SegmentStop::kMisplaced,
            fmt::format("frame {} where frame {} belongs", frame.seq, next_seq_));
  } else if (frame.previous_crc != last_crc_) {
    stop_at(SegmentStop::kMisplaced,
            fmt::format("frame {} does not follow on the one before it", frame.seq));
  } else if (format::frame_bytes(frame.payload_bytes) > room) {
    stop_at(SegmentStop::kMisplaced, fmt::format("frame {} is longer than its segment", frame.seq));
  } else {
    return false;
  }
  return true;
}

base::Result<std::optional<SegmentFrame>> SegmentReader::find_later_frame() {
  ASSERT(offset_ % format::kSectorBytes == 0, "offset {}", offset_);
  for (uint64_t at = offset_; at < file_bytes_; at += format::kSectorBytes) {
    const auto block = TRY(bytes_at(at, format::kHeaderBytes));
    if (block.size() < format::kHeaderBytes) break;
    const auto frame = format::decode_frame_header(block);
    if (frame.has_value() && frame->salt == header_.salt && frame->seq > next_seq_) {
      return std::optional<SegmentFrame>(SegmentFrame{*frame, at, {}});
    }
  }
  return std::optional<SegmentFrame>();
}

}  // namespace store
