// SQLite's door to files, on store/file.h: what it writes and syncs goes the way of all else that
// store/ writes, and so through the fault layer of the crash build.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "store/file.h"
#include "store/sqlite/shared_file.h"

struct sqlite3_vfs;

namespace store {

// Threading: any thread; each connection is used by one.
class SqliteVfs {
 public:
  // `files` must outlive this, and this all connections opened with it.
  explicit SqliteVfs(FileSystem& files);
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;
  ~SqliteVfs();

  const std::string& name() const { return name_; }

  FileSystem& files() { return files_; }
  // Lives as long as this.
  SharedFile& shared(const std::string& path);

 private:
  FileSystem& files_;
  const std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;  // What SQLite knows of it.
  std::mutex mutex_;
  std::map<std::string, SharedFile> shared_;  // By path. Guarded by mutex_.
};

}  // namespace store
