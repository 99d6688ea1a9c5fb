// Reads a whole data directory of a stopped server, or a copy of one, and says what is in it.
// Changes no byte.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "core/state.h"
#include "engine/machine.h"
#include "store/file.h"
#include "store/file_journal/data_directory.h"

namespace repair {

// What was found in one file.
struct FileReport {
  std::string name;
  std::string text;
  bool is_sound = true;  // As far as the file alone tells.
};

// A job whose row cannot be read: a server answers CORRUPT for it, and serves all others.
struct SetAside {
  core::JobId id;
  base::Error error;
};

struct Examination {
  std::vector<FileReport> files;
  // What would refuse a start; nothing: the server serves all that it had promised, but for what
  // stands in the two lists below.
  std::optional<base::Error> damage;
  std::vector<SetAside> set_aside;  // By id.
  std::vector<std::string> flaws;   // Of the tables, where no job can be named.
  store::TablesSummary tables;
  uint64_t last_seq = 0;
  uint64_t torn_bytes = 0;  // Of a last frame that was never acknowledged.
  uint64_t digest = 0;      // See state_digest.h. 0: the start is refused.
  base::Now now;            // The last moment that tables and journal tell of.

  // As a start would have it; up to the damage, if there is.
  const core::State& state() const { return machine->state(); }

  bool is_good() const { return !damage && set_aside.empty() && flaws.empty(); }

  std::unique_ptr<base::SystemRandom> random = std::make_unique<base::SystemRandom>();
  std::unique_ptr<engine::Machine> machine;
};

// Takes the lock of a data directory for reading, for as long as the answer lives; null where there
// is no lock to take. Errors: NOTFOUND, when there is no data directory here; UNAVAILABLE, when a
// server holds it; IO.
base::Result<std::unique_ptr<store::File>> hold(store::FileSystem& files,
                                                const std::string& directory);

// Verifies journal and tables, every row of them, and how they fit. Requires: the directory is
// held, or nobody else writes to it. Errors: IO; damage is no error but the result.
base::Result<Examination> examine(store::FileSystem& files, const std::string& directory);

}  // namespace repair
