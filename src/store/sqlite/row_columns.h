// The columns of a row of table `job`, there and back.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "store/sqlite/change_table.h"
#include "store/sqlite/connection.h"
#include "store/tables.h"

namespace store {

// In the order of the schema.
enum RowColumn : int {
  kColumnId,
  kColumnState,
  kColumnPriority,
  kColumnInLane,
  kColumnQueue,
  kColumnType,
  kColumnReadySeq,
  kColumnRowCheck,
  kColumnArgsCheck,
  kColumnRecord,
  kColumnArgs,
};

// All of them but args, which a row can be read without.
inline constexpr char kRowColumns[] =
    "id, state, priority, in_lane, queue, type, ready_seq, row_check, args_check, record";

// An id as SQLite has it, which knows no unsigned numbers. Ids of one shard keep their order.
constexpr int64_t row_id(core::JobId id) {
  return static_cast<int64_t>(id.value);
}
constexpr core::JobId job_id(int64_t row) {
  return core::JobId{static_cast<uint64_t>(row)};
}
// A checksum likewise: as a signed number it takes four bytes, not six.
constexpr int64_t stored_check(uint32_t check) {
  return static_cast<int32_t>(check);
}
constexpr uint32_t check_of(int64_t stored) {
  return static_cast<uint32_t>(stored);
}

// Returns the value of a column that holds a number.
int64_t column_number(const CheckedRow& checked, int column);

// Reads the row that `statement` came to, with the columns above, without args if `with_args` is
// false. CORRUPT: it is damaged; the error names it.
enum class Args : uint8_t { kWith, kWithout };
base::Result<JobRow> read_row(const Statement& statement, Args args, const std::string& path);

// The error for a row of table `job`.
tl::unexpected<base::Error> row_error(base::ErrorCode code, const std::string& path, core::JobId id,
                                      std::string_view what);

}  // namespace store
