// The tables of a data directory as they lie there, opened in the way of a start, but so that no
// byte of the directory changes. Beside a killed server they are what a start would make of
// `tables.db` and its log together.
//
// Threading: one thread.
#pragma once
#include <memory>
#include <string>

#include "base/result.h"
#include "repair/scratch_calls.h"
#include "store/file.h"
#include "store/sqlite/sqlite_tables.h"

namespace repair {

inline constexpr std::string_view kTablesName = "tables.db";
inline constexpr std::string_view kTablesLogName =
    "tables.db-wal";  // tidy: allow word because it is SQLite's own name

// A start writes a few pages at most; what SQLite would like to do at the end is refused.
inline constexpr uint64_t kScratchBytesMax = uint64_t{4} << 20U;

class TablesView {
 public:
  // `files` must outlive this.
  TablesView(store::FileSystem& files, const std::string& directory);

  // As of store::Tables. Where there is no file, there are no rows and applied_seq is 0.
  base::Result<store::TablesSummary> open() { return tables_.open(); }
  base::Result<std::unique_ptr<store::TablesReader>> make_reader() { return tables_.make_reader(); }

 private:
  ScratchCalls calls_;
  store::FileSystem files_;
  store::SqliteTables tables_;
};

}  // namespace repair
