#include "store/file_journal/segment_scan.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/crc32c.h"
#include "store/file_journal/data_directory.h"

namespace store {
namespace {

// Every sound frame header in `bytes`, whatever its salt.
std::vector<ScannedFrame> all_frames(std::span<const std::byte> bytes) {
  std::vector<ScannedFrame> frames;
  uint64_t at = format::kFirstFrameOffset;
  while (at + format::kHeaderBytes <= bytes.size()) {
    const auto header = format::decode_frame_header(bytes.subspan(at, format::kHeaderBytes));
    if (!header.has_value()) {
      at += format::kSectorBytes;
      continue;
    }
    const uint64_t room = bytes.size() - at - format::kHeaderBytes;
    const bool whole = header->payload_bytes <= room &&
                       base::crc32c(bytes.subspan(at + format::kHeaderBytes,
                                                  header->payload_bytes)) == header->payload_crc;
    frames.push_back({*header, at, whole});
    // A payload that does not verify may hide the headers of frames behind a shorter one.
    at += whole ? format::frame_bytes(header->payload_bytes) : format::kSectorBytes;
  }
  return frames;
}

}  // namespace

base::Result<SegmentScan> scan_segment(File& file) {
  SegmentScan scan;
  scan.file_bytes = TRY(file.size());
  std::vector<std::byte> bytes(scan.file_bytes);
  bytes.resize(TRY(file.read_at(0, bytes)));
  if (bytes.size() >= format::kHeaderBytes) {
    const auto header = format::decode_segment_header(bytes);
    if (header.has_value()) scan.header = *header;
  }
  scan.frames = all_frames(bytes);
  const auto newest = std::ranges::max_element(
      scan.frames, {}, [](const ScannedFrame& frame) { return frame.header.seq; });
  if (newest != scan.frames.end()) scan.salt = newest->header.salt;
  if (scan.header) scan.salt = scan.header->salt;
  std::erase_if(scan.frames,
                [&](const ScannedFrame& frame) { return frame.header.salt != scan.salt; });
  return scan;
}

base::Result<std::vector<std::byte>> read_scanned(File& file, const ScannedFrame& frame) {
  std::vector<std::byte> payload(frame.header.payload_bytes);
  const size_t got = TRY(file.read_at(frame.offset + format::kHeaderBytes, payload));
  if (got < payload.size() || base::crc32c(payload) != frame.header.payload_crc) {
    return corrupt({file.path(), frame.offset}, "the frame reads differently the second time");
  }
  return payload;
}

}  // namespace store
