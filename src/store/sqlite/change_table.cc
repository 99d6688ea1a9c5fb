#include "store/sqlite/change_table.h"

#include <sqlite3.h>

#include <memory>

#include "store/sqlite/row_columns.h"

namespace store {
namespace {

// SQLite calls back with pointers to its own structs, which stand first in ours.
struct Table {
  sqlite3_vtab base{};
  const ChangeTable* source = nullptr;
};

struct Cursor {
  sqlite3_vtab_cursor base{};
  std::span<const CheckedRow> rows;
  size_t place = 0;
};

Cursor& cursor_of(sqlite3_vtab_cursor* cursor) {
  return *reinterpret_cast<Cursor*>(cursor);
}

// SQLite prescribes the parameters. NOLINTNEXTLINE(readability-function-size)
int connect(sqlite3* handle, void* source, int /*count*/, const char* const* /*arguments*/,
            sqlite3_vtab** table, char** /*message*/) {
  const int code = sqlite3_declare_vtab(
      handle,
      "CREATE TABLE x (id, state, priority, in_lane, queue, type, ready_seq, row_check, "
      "args_check, record, args)");
  if (code != SQLITE_OK) return code;
  auto made = std::make_unique<Table>();
  made->source = static_cast<const ChangeTable*>(source);
  *table = &made.release()->base;  // Until `disconnect`.
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  const std::unique_ptr<Table> gone(reinterpret_cast<Table*>(table));
  return SQLITE_OK;
}

int best_index(sqlite3_vtab* /*table*/, sqlite3_index_info* info) {
  info->estimatedCost = 1.0;  // Always read as a whole, as the outer loop.
  return SQLITE_OK;
}

int open_cursor(sqlite3_vtab* /*table*/, sqlite3_vtab_cursor** cursor) {
  *cursor = &std::make_unique<Cursor>().release()->base;  // Until `close_cursor`.
  return SQLITE_OK;
}

int close_cursor(sqlite3_vtab_cursor* cursor) {
  const std::unique_ptr<Cursor> gone(&cursor_of(cursor));
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* cursor, int /*index*/, const char* /*text*/, int /*count*/,
           sqlite3_value** /*values*/) {
  cursor_of(cursor).rows = reinterpret_cast<Table*>(cursor->pVtab)->source->rows();
  cursor_of(cursor).place = 0;
  return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* cursor) {
  cursor_of(cursor).place += 1;
  return SQLITE_OK;
}

int at_end(sqlite3_vtab_cursor* cursor) {
  return cursor_of(cursor).place >= cursor_of(cursor).rows.size() ? 1 : 0;
}

int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
  *id = static_cast<sqlite3_int64>(cursor_of(cursor).place);
  return SQLITE_OK;
}

void answer_blob(sqlite3_context* context, std::string_view bytes) {
  const char* data = bytes.empty() ? "" : bytes.data();
  sqlite3_result_blob64(context, data, bytes.size(), SQLITE_STATIC);
}

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int index) {
  const Cursor& at = cursor_of(cursor);
  const CheckedRow& checked = at.rows[at.place];
  const JobRow& row = *checked.row;
  switch (index) {
    case kColumnRecord:
      answer_blob(context, row.record);
      break;
    case kColumnArgs:
      if (row.args) answer_blob(context, *row.args);
      break;  // Otherwise NULL, which is what no answer is.
    default:
      sqlite3_result_int64(context, column_number(checked, index));
  }
  return SQLITE_OK;
}

sqlite3_module make_module() {
  sqlite3_module module{};  // Without xCreate: there without being created.
  module.xConnect = connect;
  module.xDisconnect = disconnect;
  module.xBestIndex = best_index;
  module.xOpen = open_cursor;
  module.xClose = close_cursor;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = at_end;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

}  // namespace

base::Status ChangeTable::attach(Connection& connection) {
  static const sqlite3_module kModule = make_module();
  const int code = sqlite3_create_module_v2(connection.handle(), "change", &kModule, this, nullptr);
  if (code != SQLITE_OK) return connection.error(code);
  return {};
}

}  // namespace store
