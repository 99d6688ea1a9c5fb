// Reads one segment, frame after frame, out of a file that may hold anything.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/file.h"
#include "store/file_journal/format.h"

namespace store {

// A frame that verified. `payload` is valid until the reader's next call.
struct SegmentFrame {
  format::FrameHeader header;
  uint64_t offset = 0;
  std::span<const std::byte> payload;
};

// What stands where the next frame would have to start. Only the first three can be the end of what
// was written before a crash; a misplaced frame is never written by a journal.
enum class SegmentStop : uint8_t {
  kNothing,     // Nothing of this segment, or the end of the file.
  kTornHeader,  // A header with this segment's salt and a wrong checksum.
  kTornFrame,   // The header of the next frame; its payload does not verify.
  kMisplaced,   // A header of this segment that has no place here.
};

// Memory is bounded by the file's size, whatever the bytes claim.
// Threading: one thread at a time.
class SegmentReader {
 public:
  // Reads the header. Errors: CORRUPT, when it does not verify or denies the file's size; IO.
  // `file` must outlive the reader.
  static base::Result<SegmentReader> open(File& file);

  const format::SegmentHeader& header() const { return header_; }
  uint64_t file_bytes() const { return file_bytes_; }

  // Returns the next frame, or nothing where reading has to stop. Errors: IO.
  base::Result<std::optional<SegmentFrame>> next();

  // The place, seq and chain value at which the next frame has to stand.
  uint64_t offset() const { return offset_; }
  uint64_t next_seq() const { return next_seq_; }
  uint32_t last_crc() const { return last_crc_; }

  // Why the last next() gave nothing, for people as well.
  SegmentStop stop() const { return stop_; }
  const std::string& stop_text() const { return stop_text_; }

  // The header at offset() when stop() is kTornFrame.
  const format::FrameHeader& torn_header() const { return torn_header_; }

  // Looks behind offset() for the header of a frame of this segment with a seq above next_seq().
  // Frames are synced one by one, so one that is there proves that next_seq() was durable.
  base::Result<std::optional<SegmentFrame>> find_later_frame();

 private:
  SegmentReader(File& file, const format::SegmentHeader& header, uint64_t file_bytes);

  // Returns `bytes` bytes at `offset`, or fewer at the end of the file.
  base::Result<std::span<const std::byte>> bytes_at(uint64_t offset, uint64_t bytes);
  std::optional<SegmentFrame> stop_at(SegmentStop stop, std::string text);
  std::optional<SegmentFrame> stop_at_header(std::span<const std::byte> block,
                                             format::HeaderFault fault);
  bool misplaced(const format::FrameHeader& frame);

  File* file_;
  format::SegmentHeader header_;
  uint64_t file_bytes_;
  uint64_t offset_ = format::kFirstFrameOffset;
  uint64_t next_seq_;
  uint32_t last_crc_;
  SegmentStop stop_ = SegmentStop::kNothing;
  std::string stop_text_;
  format::FrameHeader torn_header_;
  std::vector<std::byte> buffer_;
  uint64_t buffer_offset_ = 0;  // Of buffer_'s first byte in the file.
};

}  // namespace store
