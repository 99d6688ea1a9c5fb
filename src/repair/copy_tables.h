// Copies the tables of a data directory, also while a server flushes into them.
//
// While this lives, backup.lock is held, so that the server leaves tables.db as it is and only adds
// to its log. So the file is copied once, however long that takes, and the log after it, again and
// again if need be: file and log together are the state after some flush, at least as new as the
// last one that was over when the log's copying began.
//
// Threading: one thread.
#pragma once
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "store/file.h"
#include "store/file_journal/data_directory.h"

namespace repair {

class TablesCopy {
 public:
  // kLocked: the source may be in use. A backup that is read back is not, and may not be writable.
  enum class Source : uint8_t { kLocked, kStill };

  // Both must outlive this.
  TablesCopy(const store::DataDirectory& source, const store::DataDirectory& target)
      : source_(source), target_(target) {}

  // Takes the lock and copies the file, if there is one. UNAVAILABLE: the lock cannot be had.
  base::Status copy_file(Source source);
  // Copies the log, over what was copied before. Durable after a sync of the directory.
  base::Status copy_log();
  // Removes both from the target.
  base::Status clear();

  uint64_t bytes() const { return file_bytes_ + log_bytes_; }

 private:
  base::Status hold();
  base::Result<uint64_t> copy(std::string_view name);
  base::Result<uint64_t> header_mark() const;

  const store::DataDirectory& source_;
  const store::DataDirectory& target_;
  std::unique_ptr<store::File> lock_;
  uint64_t file_bytes_ = 0;
  uint64_t log_bytes_ = 0;
};

}  // namespace repair
