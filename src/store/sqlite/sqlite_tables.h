// Tables in one SQLite file, `tables.db`. The layout is in schema_1.sql.
#pragma once

#include <memory>
#include <string>

#include "store/file.h"
#include "store/sqlite/change_table.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_vfs.h"
#include "store/tables.h"

namespace store {

class Flush;

struct SqliteTablesOptions {
  std::string directory;  // It exists, and this process holds its lock.
};

// Threading: as Tables says.
class SqliteTables final : public Tables {
 public:
  // `files` must outlive this.
  SqliteTables(FileSystem& files, const SqliteTablesOptions& options);
  ~SqliteTables() override;

  base::Result<TablesSummary> open() override;
  base::Status apply(const Changes& changes) override;
  base::Result<std::unique_ptr<TablesReader>> make_reader() override;
  base::Status close() override;

 private:
  base::Status make_schema();
  base::Status verify_lanes();
  base::Status verify_side();

  const std::string path_;
  SqliteVfs vfs_;
  Connection connection_;
  ChangeTable change_table_;
  std::unique_ptr<Flush> flush_;  // What is prepared on the connection.
};

}  // namespace store
