// Reads a journal back and decides whether what it read is all that was ever acknowledged.
#pragma once
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "store/file_journal/data_directory.h"
#include "store/file_journal/format.h"
#include "store/journal.h"

namespace store {

// A segment that is held, as far as it counts.
struct HeldSegment {
  uint64_t index = 0;
  uint64_t first_seq = 0;
  uint64_t frames_bytes = 0;  // Of the frames that count.
  uint64_t file_bytes = 0;
};

// A frame that was read but that nothing proves to be on the disk: its bytes may have come out of
// the kernel's cache, after a sync that never returned or that failed.
struct UnsureFrame {
  uint64_t seq = 0;
  uint64_t offset = 0;
  uint32_t payload_bytes = 0;
  uint32_t previous_crc = 0;
};

struct RecoveredJournal {
  std::vector<HeldSegment> segments;  // Oldest first.
  std::vector<UnsureFrame> unsure;    // Oldest first, all in the newest segment.
  uint64_t last_seq = 0;              // Of the newest frame, unsure ones included.
  uint32_t last_crc = 0;
  uint64_t tail_offset = 0;  // Where the newest segment's frames end.
  uint64_t torn_bytes = 0;
};

// Reads all segments that `mark` holds to be needed and hands each frame with a payload to `visit`.
// Changes nothing. Errors: CORRUPT names file and offset; IO; what `visit` answers.
base::Result<RecoveredJournal> recover_journal(const DataDirectory& directory,
                                               const DirectoryListing& listing,
                                               const format::Watermark& mark,
                                               const FrameVisitor& visit);

// Reads a data directory as a start would, on a copy or beside a stopped server: takes no lock and
// changes nothing. Frames that can be read before the first damage have been visited when it
// answers. Errors: those that would refuse the start.
base::Result<RecoveredJournal> check_journal(const DataDirectory& directory,
                                             const FrameVisitor& visit);

}  // namespace store
