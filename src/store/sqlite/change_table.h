// The rows of a change as a table that SQL can read, so that one INSERT … SELECT writes them all
// instead of one statement for each.
//
// Threading: that of the connection.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "store/sqlite/connection.h"
#include "store/tables.h"

namespace store {

// A row to be put, with its checks.
struct CheckedRow {
  const JobRow* row = nullptr;
  uint32_t row_check = 0;
  uint32_t args_check = 0;
};

// Table `change`, with the columns of `job`; args are NULL where the row's are to stay.
class ChangeTable {
 public:
  // This must outlive the connection.
  base::Status attach(Connection& connection);
  // What the table holds from now on; must outlive the statements that read it.
  void show(std::span<const CheckedRow> rows) { rows_ = rows; }
  std::span<const CheckedRow> rows() const { return rows_; }

 private:
  std::span<const CheckedRow> rows_;
};

}  // namespace store
