// Reads a whole data directory of a stopped server, or a copy of one, and says what is in it.
// Changes no byte.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/state.h"
#include "store/file.h"
#include "store/file_journal/data_directory.h"

namespace repair {

// What was found in one file.
struct FileReport {
  std::string name;
  std::string text;
  bool is_sound = true;  // As far as the file alone tells.
};

struct Examination {
  std::vector<FileReport> files;
  // What would refuse a start; nothing: the server serves all that it had promised.
  std::optional<base::Error> damage;
  uint64_t last_seq = 0;
  uint64_t torn_bytes = 0;             // Of a last frame that was never acknowledged.
  std::unique_ptr<core::State> state;  // As a start would have it; up to the damage, if there is.
  base::Now now;                       // The last moment that the journal tells of.
};

// Takes the lock of a data directory for reading, for as long as the answer lives; null where there
// is no lock to take. Errors: NOTFOUND, when there is no data directory here; UNAVAILABLE, when a
// server holds it; IO.
base::Result<std::unique_ptr<store::File>> hold(store::FileSystem& files,
                                                const std::string& directory);

// Requires: the directory is held. Errors: IO; damage is no error but the result.
base::Result<Examination> examine(store::FileSystem& files, const std::string& directory);

}  // namespace repair
