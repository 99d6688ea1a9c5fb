// Writes frames into one segment, in order, each with one write.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "store/file.h"
#include "store/file_journal/format.h"

namespace store {

// Threading: one thread at a time.
class SegmentWriter {
 public:
  // `file` has header.segment_bytes bytes, with blocks behind all of them.
  SegmentWriter(std::unique_ptr<File> file, const format::SegmentHeader& header);

  // True when a frame with `payload_bytes` has room here.
  bool fits(uint64_t payload_bytes) const;

  base::Status write_header();

  // Writes the next frame; it is durable after sync().
  // Requires: fits(payload.size()); `durable_seq` is less than the frame's seq.
  base::Status write_frame(std::span<const std::byte> payload, uint64_t durable_seq);

  // Any error is final: see File::sync_data.
  base::Status sync() { return file_->sync_data(); }

  const format::SegmentHeader& header() const { return header_; }
  uint64_t next_seq() const { return next_seq_; }
  uint32_t last_crc() const { return last_crc_; }
  uint64_t frames_bytes() const { return offset_ - format::kFirstFrameOffset; }

 private:
  std::unique_ptr<File> file_;
  const format::SegmentHeader header_;
  uint64_t offset_ = format::kFirstFrameOffset;
  uint64_t next_seq_;
  uint32_t last_crc_;
  std::vector<std::byte> buffer_;
};

}  // namespace store
