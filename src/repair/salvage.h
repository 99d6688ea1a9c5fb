// Makes a new data directory of everything that can still be read in a damaged one.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/file.h"

namespace repair {

// What was lost, and what is in the new directory.
struct Account {
  std::vector<std::pair<uint64_t, uint64_t>> frames_lost;  // First and last seq of each run.
  std::vector<std::string> unread;  // Files and places that could not be read, for people.
  uint64_t bytes_unread = 0;        // Of the places; a missing file's are not known.
  uint64_t rows_read = 0;           // Of the tables; the next ones too.
  uint64_t rows_lost = 0;
  uint64_t records_lost = 0;  // Side records, and pages that may hide some or rows.
  bool tables_lost = false;   // Nothing of them could be read.
  uint64_t frames_read = 0;   // Behind the tables.
  uint64_t effects_left_out = 0;
  uint64_t jobs_lost = 0;  // As far as effects that could be read name them.
  uint64_t steps_supplied = 0;
  uint64_t jobs = 0;
  uint64_t last_seq = 0;  // The newest frame that was read.

  bool is_whole() const {
    return frames_lost.empty() && effects_left_out == 0 && rows_lost == 0 && records_lost == 0 &&
           !tables_lost;
  }
};

// Requires: the directory `from` is held; `to` is not there, or empty. Changes nothing in `from`.
// Errors: BADREQ; IO; DISKFULL.
base::Result<Account> salvage(store::FileSystem& files, const std::string& from,
                              const std::string& to);

std::string text_of(const Account& account);
std::string json_of(const Account& account);

}  // namespace repair
