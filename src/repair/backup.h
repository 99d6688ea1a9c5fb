// Backups: a data directory as it was at one point of the order of commits, while its server may
// go on. A copy is made of the tables, then of the journal behind them, and it is then read as
// `dray check` reads it.
//
// A backup that follows lies in generations, folders in one place: each is a data directory of its
// own, to which segments of the journal are added as the server is done with them. When that can't
// go on (the server has let go of the next one), or the segments have become many, a new generation
// is made, and when it is whole, the older ones go. At any time the newest generation that is whole
// can be restored.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "repair/examine.h"
#include "store/file.h"

namespace repair {

struct BackupReport {
  uint64_t last_seq = 0;
  uint64_t segments = 0;
  uint64_t bytes = 0;               // Of tables and frames.
  std::vector<SetAside> set_aside;  // Rows that were damaged before: they are so in the copy.
  std::vector<std::string> flaws;
};

// Requires of `to`: it is not there, or empty. Errors: BADREQ, when it is not; CORRUPT, when the
// source is damaged so that no server would start on the copy; NOTFOUND; UNAVAILABLE, when the
// source changes faster than it can be copied; DISKFULL; IO. After an error nothing is left in
// `to` that a server would serve.
base::Result<BackupReport> back_up(store::FileSystem& files, const std::string& from,
                                   const std::string& to);

// The same of a backup, also of one that follows, into a new data directory.
base::Result<BackupReport> restore(store::FileSystem& files, const std::string& from,
                                   const std::string& to);

// Makes a backup in generations.
// Threading: one thread.
class FollowingBackup {
 public:
  // `files` must outlive this.
  FollowingBackup(store::FileSystem& files, std::string from, std::string to);

  // Makes a generation. Requires of `to`: it is not there, empty, or holds generations.
  base::Result<BackupReport> begin();
  // Adds what the server is done with. A report: a new generation was made.
  base::Result<std::optional<BackupReport>> go_on();

  const std::string& generation() const { return generation_; }  // Its path.
  uint64_t last_seq() const { return last_seq_; }

 private:
  base::Result<bool> add_closed();
  base::Status add(uint64_t index);
  base::Status take_in(uint64_t index);

  store::FileSystem& files_;
  const std::string from_;
  const std::string to_;
  std::string generation_;
  uint64_t first_bytes_ = 0;  // Of the generation, when it was new.
  uint64_t added_bytes_ = 0;
  uint64_t next_index_ = 0;  // The oldest segment of which the copy does not have all.
  uint64_t last_seq_ = 0;
};

}  // namespace repair
