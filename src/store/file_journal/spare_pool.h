// Where the journal gets its segments from and what becomes of those it has trimmed: written
// spares, the ballast, and how full the disk is.
//
// A segment comes from, in this order: a spare; free space; the ballast. Making a spare, and making
// the ballast again, is left to idle times and to space above the reserve. What is made takes its
// name only when it is wholly written and synced, so a name is the proof.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/file.h"
#include "store/file_journal/data_directory.h"
#include "store/journal.h"

namespace store {

struct SparePoolOptions {
  uint64_t segment_bytes = 0;
  uint64_t reserve_bytes = 0;  // Free space below this raises the disk level.
  uint64_t ballast_bytes = 0;  // 0: none.
  uint32_t spare_count = 0;
};

// A file that may become a segment: its name now and its size, all blocks allocated.
struct SpareFile {
  std::string path;
  uint64_t bytes = 0;
};

// Threading: one thread at a time. Errors other than DISKFULL are final.
class SparePool {
 public:
  // `directory` must outlive this.
  SparePool(const DataDirectory& directory, const SparePoolOptions& options);

  // Takes over what a listing found; removes what is of another size than now wanted.
  base::Status adopt(const DirectoryListing& listing);

  // Finds a file of at least `bytes` bytes for a segment. The caller renames it and calls taken(),
  // or calls not_taken(). DISKFULL: there is none, and nothing was changed.
  base::Result<SpareFile> find(uint64_t bytes);
  void taken(const SpareFile& file);
  base::Status not_taken(const SpareFile& file);

  // Takes back the file of a trimmed segment: it becomes a spare or the ballast, or is removed.
  // Durable after the next sync of the directory.
  base::Status give_back(const SpareFile& file);

  // Sets space aside for the spares that are missing, so that a disk which others fill meanwhile
  // stops no append. No space for them is no error.
  base::Status replenish();

  // Does one bounded step of what is missing: writes a part of a spare, sets the ballast aside.
  base::Status prepare();

  // Does all of it: before the first frame there is time, and under load no spare is written.
  base::Status prepare_first();

  // Looks at the volume anew.
  base::Status refresh();

  DiskLevel level() const { return level_; }
  bool prepare_pending() const { return pending_; }
  // Of the volume, at the last look, beyond the reserve.
  uint64_t free_bytes() const {
    return free_bytes_ - std::min(free_bytes_, options_.reserve_bytes);
  }
  // What can become segments without asking the volume for more.
  uint64_t kept_bytes() const {
    return spares_.size() * options_.segment_bytes + (has_ballast_ ? options_.ballast_bytes : 0);
  }
  uint64_t segment_bytes() const { return options_.segment_bytes; }

 private:
  // A file `spare-<number>`. All its blocks are allocated; syncs into one that is also written cost
  // less.
  struct Spare {
    uint64_t number = 0;
    bool is_written = false;
  };
  // The spare that is being written.
  struct Unfinished {
    std::unique_ptr<File> file;
    uint64_t number = 0;
    uint64_t written = 0;
  };

  base::Result<SpareFile> make_for_use(uint64_t bytes);
  base::Result<bool> set_aside(const std::string& target, uint64_t bytes);
  base::Status step();
  bool has_unwritten() const { return !spares_.empty() && !spares_.front().is_written; }
  base::Result<bool> keep(const std::string& path, const std::string& target);
  bool has_room_for(uint64_t bytes) const;
  bool wants_spare() const { return spares_.size() < options_.spare_count; }
  bool wants_ballast() const { return options_.ballast_bytes > 0 && !has_ballast_; }
  void set_level();

  const DataDirectory& directory_;
  const SparePoolOptions options_;
  // Those that are not written first. The last is used first: its pages are the warmest.
  std::vector<Spare> spares_;
  uint64_t next_number_ = 1;
  bool has_ballast_ = false;
  bool ballast_used_ = false;  // It became a segment, and has not been made again.
  bool full_ = false;          // The last find() found nothing.
  bool denied_ = false;        // A file in the making met a full disk, or a quota.
  uint64_t free_bytes_ = 0;
  std::unique_ptr<Unfinished> unfinished_;
  DiskLevel level_ = DiskLevel::kFine;
  bool pending_ = false;
};

}  // namespace store
