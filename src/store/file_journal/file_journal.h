// The journal in files of one directory: docs/journal.md says what lies where and why.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "store/file.h"
#include "store/file_journal/data_directory.h"
#include "store/file_journal/format.h"
#include "store/file_journal/recovery.h"
#include "store/file_journal/segment_writer.h"
#include "store/file_journal/spare_pool.h"
#include "store/file_journal/watermark.h"
#include "store/journal.h"

namespace store {

struct FileJournalOptions {
  std::string directory;
  uint64_t segment_bytes = 0;  // 0: by the volume, see segment_bytes_for.
  uint64_t budget_bytes = uint64_t{4} << 30U;
  std::optional<uint64_t> reserve_bytes;  // Nothing: by the volume, see reserve_bytes_for.
  uint32_t spare_count = 2;
  bool allow_volatile = false;  // Also on network, memory and overlay volumes.
};

uint64_t segment_bytes_for(uint64_t volume_bytes);
uint64_t reserve_bytes_for(uint64_t volume_bytes);
uint64_t ballast_bytes_for(uint64_t reserve_bytes);

// Threading: as Journal says.
class FileJournal final : public Journal {
 public:
  // `files` and `random` must outlive this. `random` has to be one that nobody can foretell: the
  // salts keep the bytes of a client from being taken for a frame.
  FileJournal(FileSystem& files, base::Random& random, FileJournalOptions options);
  ~FileJournal() override;

  base::Result<JournalRecovery> open(const FrameVisitor& visit) override;
  base::Status append(uint64_t seq, std::span<const std::byte> payload) override;
  base::Status trim(uint64_t seq_needed) override;
  base::Status prepare() override;
  base::Status close() override;
  JournalSpace space() const override;

 private:
  base::Status check_volume(const Volume& volume) const;
  base::Result<DirectoryListing> open_directory();
  base::Status open_watermark(const DirectoryListing& listing);
  base::Status open_pool(const DirectoryListing& listing, uint64_t volume_bytes);
  base::Status finish_trim(const DirectoryListing& listing);
  base::Status take_over(const RecoveredJournal& found);
  base::Status rewrite_unsure(const std::vector<UnsureFrame>& frames);

  // A segment that has no name of the journal's yet.
  struct NewSegment {
    SpareFile spare;
    std::unique_ptr<SegmentWriter> writer;
  };
  // What a new segment follows on, and what it must have room for.
  struct SegmentStart {
    uint64_t first_seq = 0;
    uint32_t previous_crc = 0;
    uint64_t frames_bytes = 0;
  };
  base::Result<NewSegment> begin_segment(const SegmentStart& start);
  base::Status finish_segment(NewSegment segment);
  base::Status rotate(uint64_t payload_bytes);
  base::Status release_tail();
  base::Status write_mark(bool clean);
  base::Status write_frame(std::span<const std::byte> payload);
  base::Status stop_for_good(base::Status status);
  base::Status refusal() const;
  void publish();

  // Constant after open().
  const DataDirectory directory_;
  base::Random& random_;
  const FileJournalOptions options_;
  std::unique_ptr<File> lock_;

  // Of the one thread that calls.
  std::unique_ptr<SparePool> pool_;
  std::unique_ptr<WatermarkFile> mark_;
  std::deque<HeldSegment> held_;
  std::unique_ptr<SegmentWriter> active_;  // None until there is something to write.
  uint64_t read_end_offset_ = 0;  // In the newest segment read: where the frames that count end.
  uint64_t last_seq_ = 0;
  uint32_t last_crc_ = 0;
  uint64_t first_index_ = 1;
  std::optional<base::Error> stopped_;  // The error that ended all writing.

  // Any thread's.
  std::atomic<uint64_t> bytes_used_{0};
  std::atomic<uint64_t> bytes_budget_;
  std::atomic<uint64_t> bytes_free_ = UINT64_MAX;
  std::atomic<uint64_t> bytes_kept_{0};
  std::atomic<DiskLevel> level_{DiskLevel::kFine};
  std::atomic<bool> prepare_pending_{false};
};

}  // namespace store
