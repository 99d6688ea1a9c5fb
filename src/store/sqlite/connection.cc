#include "store/sqlite/connection.h"

#include <sqlite3.h>

#include "base/assert.h"
#include "store/sqlite/page_stamp.h"

namespace store {
namespace {

using base::ErrorCode;

// DISKFULL can be waited out and CORRUPT be named; whatever else SQLite may say of a file that is
// ours alone is fail-stop.
ErrorCode code_of(int answer) {
  switch (answer & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kDiskFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    // What follows is never said of a sound file, since our statements fit it: its head or its
    // schema is damaged, or an index knows other rows than there are.
    case SQLITE_ERROR:
    case SQLITE_READONLY:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

base::Status Statement::prepare(Connection& connection, const char* sql) {
  ASSERT(statement_ == nullptr, "prepared twice: {}", sql);
  connection_ = &connection;
  const int code = sqlite3_prepare_v3(connection.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &statement_, nullptr);
  if (code != SQLITE_OK) return connection.error(code);
  return {};
}

Statement& Statement::bind(int parameter, int64_t number) {
  const int code = sqlite3_bind_int64(statement_, parameter, number);
  ASSERT(code == SQLITE_OK, "parameter {}: {}", parameter, code);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view blob) {
  // A null pointer would bind NULL, not an empty blob.
  const char* data = blob.empty() ? "" : blob.data();
  const int code = sqlite3_bind_blob64(statement_, parameter, data, blob.size(), SQLITE_STATIC);
  ASSERT(code == SQLITE_OK, "parameter {}: {}", parameter, code);
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  const int code = sqlite3_bind_null(statement_, parameter);
  ASSERT(code == SQLITE_OK, "parameter {}: {}", parameter, code);
  return *this;
}

base::Result<bool> Statement::step() {
  ASSERT(statement_ != nullptr, "not prepared");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  const auto error = connection_->error(code);
  sqlite3_reset(statement_);
  return error;
}

base::Status Statement::run() {
  while (TRY(step())) {
  }
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

Connection::~Connection() {
  sqlite3_close_v2(handle_);
}

base::Status Connection::open(const std::string& path, const std::string& vfs) {
  ASSERT(handle_ == nullptr, "{} opened twice", path);
  path_ = path;
  constexpr int kFlags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle_, kFlags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) return error(code);
  int stamp_bytes = PageStamp::kBytes;  // Of a new file.
  const int told = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_RESERVE_BYTES, &stamp_bytes);
  if (told != SQLITE_OK) return error(told);
  return {};
}

void Connection::keep_log() {
  const int code = sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  ASSERT(code == SQLITE_OK, "{}: {}", path_, code);
}

base::Status Connection::close() {
  const int code = sqlite3_close(handle_);
  if (code != SQLITE_OK) return error(code);
  handle_ = nullptr;
  return {};
}

base::Status Connection::run(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

base::Status Connection::checkpoint() {
  const auto passive = SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(  // tidy: allow word because it is SQLite's own name
      handle_, "main", passive, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

void Connection::interrupt() {
  sqlite3_interrupt(handle_);
}

void Connection::let_pages_go() {
  sqlite3_db_release_memory(handle_);
}

tl::unexpected<base::Error> Connection::error(int code) const {
  // The handle's own message says more, where it is of the same error.
  const bool known = handle_ != nullptr && sqlite3_extended_errcode(handle_) == code;
  return base::fail(code_of(code), "{}: {} (SQLite {})", path_,
                    known ? sqlite3_errmsg(handle_) : sqlite3_errstr(code), code);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

base::Status ReadView::begin() {
  return connection_.run("BEGIN");
}

ReadView::~ReadView() {
  if (!connection_.in_transaction()) return;
  base::ignore(connection_.run("ROLLBACK"), "nothing was written, and the view is gone either way");
}

}  // namespace store
