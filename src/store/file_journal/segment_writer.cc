#include "store/file_journal/segment_writer.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/crc32c.h"

namespace store {
namespace {

constexpr size_t kBufferBytesKept = size_t{4} << 20U;  // One huge frame does not pin its memory.

}  // namespace

SegmentWriter::SegmentWriter(std::unique_ptr<File> file, const format::SegmentHeader& header)
    : file_(std::move(file)),
      header_(header),
      next_seq_(header.first_seq),
      last_crc_(header.previous_crc) {
  ASSERT(header.segment_bytes % format::kPageBytes == 0, "{} bytes", header.segment_bytes);
}

bool SegmentWriter::fits(uint64_t payload_bytes) const {
  return offset_ + format::frame_bytes(payload_bytes) <= header_.segment_bytes;
}

base::Status SegmentWriter::write_header() {
  std::vector<std::byte> page(format::kFirstFrameOffset);
  const format::HeaderBlock block = encode(header_);
  std::copy(block.begin(), block.end(), page.begin());
  return file_->write_at(0, page);
}

base::Status SegmentWriter::write_frame(std::span<const std::byte> payload, uint64_t durable_seq) {
  ASSERT(fits(payload.size()), "{} bytes at {}", payload.size(), offset_);
  format::FrameHeader frame;
  frame.payload_bytes = static_cast<uint32_t>(payload.size());
  frame.payload_crc = base::crc32c(payload);
  frame.seq = next_seq_;
  frame.durable_seq = durable_seq;
  frame.salt = header_.salt;
  frame.previous_crc = last_crc_;
  const format::HeaderBlock block = encode(frame);

  // Zeros up to the end of the page: the kernel would otherwise have to read a page of a recycled
  // file from disk before it can put the frame into it.
  const uint64_t end = offset_ + format::frame_bytes(payload.size());
  const uint64_t padded_end = format::round_up(end, format::kPageBytes);
  ASSERT(padded_end <= header_.segment_bytes, "end {}", padded_end);
  buffer_.resize(padded_end - offset_);
  const auto behind_header = std::copy(block.begin(), block.end(), buffer_.begin());
  const auto behind_payload = std::copy(payload.begin(), payload.end(), behind_header);
  std::fill(behind_payload, buffer_.end(), std::byte{0});
  TRY(file_->write_at(offset_, buffer_));

  if (buffer_.capacity() > kBufferBytesKept) buffer_ = {};
  offset_ = end;
  next_seq_ += 1;
  last_crc_ = frame.header_crc;
  return {};
}

}  // namespace store
