// One connection to an SQLite file, and its statements, with our errors and lifetimes.
//
// Threading: one thread at a time; it is made without SQLite's own locks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace store {

class Connection;

// A prepared statement. Parameters count from 1, columns from 0, as SQLite has it.
class Statement {
 public:
  Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  // Requires: the text is ours. `connection` must outlive this.
  base::Status prepare(Connection& connection, const char* sql);

  Statement& bind(int parameter, int64_t number);
  Statement& bind(int parameter, std::string_view blob);  // Must outlive the statement's run.

  Statement& bind_null(int parameter);

  // Returns whether there is a row. After the last one, and after an error, it is reset.
  base::Result<bool> step();
  // For a statement that answers nothing.
  base::Status run();
  void reset();

  // Of the row that `step` came to; views live until the next call.
  int64_t number(int column) const;
  std::string_view blob(int column) const;

 private:
  Connection* connection_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Opens `path`, made if it is not there. `vfs`: the name of SQLite's door to files.
  base::Status open(const std::string& path, const std::string& vfs);
  // From now on closing the last connection leaves what was committed where it is.
  void keep_log();
  // Requires: no statement of it lives.
  base::Status close();

  // Runs a text of statements whose answers do not matter.
  base::Status run(const char* sql);
  // Brings what was committed into the file, as far as no reader needs the older state.
  base::Status checkpoint();

  // A statement that runs ends with an error. Threading: any thread, while this is open.
  void interrupt();
  // Gives back the memory of pages that were read or written.
  void let_pages_go();

  // Turns an answer of SQLite that is not OK into an error that names the file.
  tl::unexpected<base::Error> error(int code) const;

  bool in_transaction() const;
  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  sqlite3* handle_ = nullptr;
};

// A view for as long as it lives: all statements of the connection see the same state.
class ReadView {
 public:
  explicit ReadView(Connection& connection) : connection_(connection) {}
  ReadView(const ReadView&) = delete;
  ReadView& operator=(const ReadView&) = delete;
  ~ReadView();

  base::Status begin();

 private:
  Connection& connection_;
};

}  // namespace store
