// Tables in one SQLite file, `tables.db`. The layout is in schema_1.sql.
//
// SQLite keeps a log beside it, and brings it into the file after each flush. Another process that
// locks `backup.lock` (FileSystem::lock_shared; UNAVAILABLE while the file is just being written)
// may copy both while this goes on: until it gives the lock back, the file is not written, and what
// is applied stays in the log. That only grows meanwhile, except that it may begin anew once, with
// another salt in its header, if all that was in it had been brought into the file before: who
// finds the header changed copies the log once more.
#pragma once

#include <atomic>
#include <cstdint>
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

  // How often what was applied was left in the log, for a backup that ran.
  // Threading: any thread may read.
  uint64_t checkpoints_held() const { return checkpoints_held_.load(std::memory_order_relaxed); }

 private:
  base::Status checkpoint();
  void watch_log(const base::Error& held);
  base::Status make_schema();
  base::Status reclaim();

  const std::string directory_;
  const std::string path_;
  const std::string log_path_;
  const std::string backup_lock_path_;
  SqliteVfs vfs_;
  Connection connection_;
  ChangeTable change_table_;
  std::unique_ptr<Flush> flush_;  // What is prepared on the connection.
  std::atomic<uint64_t> checkpoints_held_ = 0;
  bool log_is_large_ = false;  // And a warning said so.
};

}  // namespace store
