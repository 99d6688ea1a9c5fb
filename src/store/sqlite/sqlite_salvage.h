// Reads what can be read of damaged tables: every record counts for itself, and a damaged page of
// the file ends nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_vfs.h"
#include "store/tables.h"

namespace store {

// Threading: one thread.
class SqliteSalvage {
 public:
  // `files` must outlive this.
  SqliteSalvage(FileSystem& files, const std::string& directory);

  // Errors: NOTFOUND, when there is no file; CORRUPT, when nothing of it can be read; IO.
  base::Status open();

  // Returns nothing when meta cannot be read.
  std::optional<uint64_t> applied_seq();

  // Visits all side records that verify, those of one kind after those of another. `lost` is told
  // of what could not be read.
  base::Status side(const SideVisitor& visit, const DamageVisitor& lost);

  // Visits all jobs of which rows, lanes or the index know; those of a lost row with the error.
  base::Status rows(const RowVisitor& visit, const DamageVisitor& lost);

 private:
  using Ids = std::vector<core::JobId>;
  base::Status side_of(char kind, const SideVisitor& visit, const DamageVisitor& lost);
  base::Error hidden(std::string_view what) const;
  base::Result<bool> collect(const char* sql, Ids& ids);
  base::Result<bool> collect_from_lanes(const std::string& order, Ids& ids,
                                        const DamageVisitor& lost);

  const std::string path_;
  SqliteVfs vfs_;
  Connection connection_;
  SqliteReader reader_;
};

}  // namespace store
