// Finds every frame of a segment that can still be read, before and behind damage. A start never
// does this: it is for looking at a damaged journal and for saving what is left of it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/file.h"
#include "store/file_journal/format.h"

namespace store {

// A place where a sound header of this segment's frames stands.
struct ScannedFrame {
  format::FrameHeader header;
  uint64_t offset = 0;
  bool is_whole = false;  // The payload verifies as well.
};

struct SegmentScan {
  uint64_t file_bytes = 0;
  std::optional<format::SegmentHeader> header;  // None: it does not verify.
  uint64_t salt = 0;                            // Of the frames below. 0: none was found.
  std::vector<ScannedFrame> frames;             // By offset; of one salt.
};

// Scans the whole file. Without a sound header, the frames are those of the salt that has the
// newest one: what a recycled file held before is older. Errors: IO.
base::Result<SegmentScan> scan_segment(File& file);

// Returns the payload of a frame that is whole. Errors: IO; CORRUPT, when it reads differently now.
base::Result<std::vector<std::byte>> read_scanned(File& file, const ScannedFrame& frame);

}  // namespace store
