#include "store/sqlite/sqlite_tables.h"

#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "store/sqlite/flush.h"
#include "store/sqlite/row_columns.h"
#include "store/sqlite/sql_texts.h"
#include "store/sqlite/sqlite_reader.h"

namespace store {
namespace {

using base::ErrorCode;

constexpr int64_t kApplicationId = 0x44726179;
constexpr int64_t kFormat = 1;

// Of SQLite's log, when it is worth a warning.
constexpr uint64_t kLogBytesLarge = uint64_t{1} << 30U;

base::Result<int64_t> number_of(Connection& connection, const char* sql) {
  Statement statement;
  TRY(statement.prepare(connection, sql));
  if (!TRY(statement.step())) return 0;
  return statement.number(0);
}

}  // namespace

SqliteTables::SqliteTables(FileSystem& files, const SqliteTablesOptions& options)
    : directory_(options.directory),
      path_(options.directory + "/tables.db"),
      log_path_(path_ + "-wal"),  // tidy: allow word because it is SQLite's own name
      backup_lock_path_(options.directory + "/backup.lock"),
      vfs_(files) {}

SqliteTables::~SqliteTables() = default;

namespace {
// What of its log SQLite may keep for the next time, once it is in the file.
uint64_t log_bytes_kept(uint64_t volume_bytes) {
  constexpr uint64_t kMiB = uint64_t{1} << 20U;
  return std::clamp(volume_bytes / 32, kMiB, 64 * kMiB);
}
}  // namespace

base::Result<TablesSummary> SqliteTables::open() {
  ASSERT(flush_ == nullptr, "{} opened twice", path_);
  // Makes the file. A backup may hold it already.
  const auto lock = vfs_.files().lock(backup_lock_path_);
  if (!lock && lock.error().code != ErrorCode::kUnavailable) return lock.error();
  TRY(connection_.open(path_, vfs_.name()));
  TRY(connection_.run(kConnectionSql));
  const Volume volume = TRY(vfs_.files().volume(directory_));
  TRY(connection_.run(
      fmt::format("PRAGMA journal_size_limit = {}", log_bytes_kept(volume.total_bytes)).c_str()));
  TRY(make_schema());
  TRY(change_table_.attach(connection_));
  auto flush = std::make_unique<Flush>(connection_, change_table_);
  TRY(flush->prepare());
  flush_ = std::move(flush);
  const Meta& meta = flush_->meta();
  TRY(verify_lane_sums(connection_, meta));
  TRY(verify_side_sums(connection_, meta));
  return TablesSummary{meta.applied_seq, meta.rows.row_count, meta.side_count};
}

base::Status SqliteTables::make_schema() {
  const int64_t application = TRY(number_of(connection_, "PRAGMA application_id"));
  const int64_t format = TRY(number_of(connection_, "PRAGMA user_version"));
  if (application == kApplicationId && format == kFormat) return {};
  const bool empty = TRY(number_of(connection_, "SELECT count(*) FROM sqlite_schema")) == 0;
  if (application != 0 || format != 0 || !empty) {
    return base::fail(ErrorCode::kCorrupt,
                      "{}: not a file of this version: application_id {}, user_version {}", path_,
                      application, format);
  }
  TRY(connection_.run("BEGIN IMMEDIATE"));
  TRY(connection_.run(kSchemaSql));
  return connection_.run("COMMIT");
}

base::Status SqliteTables::apply(const Changes& changes) {
  ASSERT(flush_ != nullptr, "not open");
  TRY(flush_->apply(changes));
  base::Status tidied = reclaim();
  if (tidied) tidied = checkpoint();
  connection_.let_pages_go();
  // The changes are durable. Without room they stay where they are until the next flush; damage of
  // what is not in use concerns nobody yet, and a flush or the scrubber will meet it.
  if (!tidied && tidied.error().code == ErrorCode::kCorrupt) {
    LOG(kError, "the tables are damaged where they have free pages",
        {"error", tidied.error().message});
    return {};
  }
  if (!tidied && tidied.error().code != ErrorCode::kDiskFull) return tidied;
  return {};
}

// Gives pages back that nobody uses, once they are a good part of the file: a disk that was full of
// jobs has room again when they are done. Some at a time, since each is moved.
base::Status SqliteTables::reclaim() {
  constexpr int64_t kFreePagesMin = 256;  // 4 MiB.
  constexpr int64_t kFreePagesShare = 4;  // Of the file: the fourth part.
  const int64_t free_pages = TRY(number_of(connection_, "PRAGMA freelist_count"));
  if (free_pages < kFreePagesMin) return {};
  const int64_t pages = TRY(number_of(connection_, "PRAGMA page_count"));
  if (free_pages * kFreePagesShare < pages) return {};
  // What is moved goes through the log, which must not take the room that it is to bring. A page
  // that is free already at the end of the file costs nothing.
  constexpr int64_t kPageBytes = 16'384;
  constexpr int64_t kMovedPagesMax = 2'048;
  const Volume volume = TRY(vfs_.files().volume(directory_));
  const int64_t most =
      std::min(kMovedPagesMax, static_cast<int64_t>(volume.free_bytes / 8) / kPageBytes);
  const int64_t used_pages = pages - free_pages;
  const int64_t count = used_pages <= most ? free_pages : most;
  if (count == 0) return {};
  return connection_.run(fmt::format("PRAGMA incremental_vacuum({})", count).c_str());
}

// Unless a backup copies the file. It ends, so there is no bound.
base::Status SqliteTables::checkpoint() {
  const auto lock = vfs_.files().lock(backup_lock_path_);
  if (!lock) {
    watch_log(lock.error());
    return {};
  }
  log_is_large_ = false;
  return connection_.checkpoint();
}

void SqliteTables::watch_log(const base::Error& held) {
  checkpoints_held_.fetch_add(1, std::memory_order_relaxed);
  if (log_is_large_) return;
  const auto log = vfs_.files().open_to_read(log_path_);
  if (!log) return;
  const auto bytes = (*log)->size();
  if (!bytes || *bytes < kLogBytesLarge) return;
  log_is_large_ = true;
  LOG(kWarning, "the log of the tables grows while a backup runs", {"file", log_path_},
      {"bytes", *bytes}, {"held_by", held.message});
}

base::Result<std::unique_ptr<TablesReader>> SqliteTables::make_reader() {
  ASSERT(flush_ != nullptr, "not open");
  auto reader = std::make_unique<SqliteReader>();
  TRY(reader->open(path_, vfs_.name()));
  return reader;
}

base::Status SqliteTables::close() {
  ASSERT(flush_ != nullptr, "not open");
  flush_.reset();
  // SQLite brings all that is left into the file when the last connection closes.
  const auto lock = vfs_.files().lock(backup_lock_path_);
  if (!lock) connection_.keep_log();
  return connection_.close();
}

}  // namespace store
