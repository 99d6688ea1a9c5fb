#include "store/sqlite/row_columns.h"

#include "base/assert.h"
#include "store/row_check.h"

namespace store {

int64_t column_number(const CheckedRow& checked, int column) {
  const JobHeader& header = checked.row->header;
  switch (column) {
    case kColumnId:
      return row_id(header.id);
    case kColumnState:
      return static_cast<int64_t>(header.state);
    case kColumnPriority:
      return header.priority;
    case kColumnInLane:
      return header.in_lane ? 1 : 0;
    case kColumnQueue:
      return header.queue;
    case kColumnType:
      return header.type;
    case kColumnReadySeq:
      return static_cast<int64_t>(header.ready_seq);
    case kColumnRowCheck:
      return stored_check(checked.row_check);
    case kColumnArgsCheck:
      return stored_check(checked.args_check);
    default:
      ASSERT(false, "column {} holds no number", column);
      return 0;
  }
}

tl::unexpected<base::Error> row_error(base::ErrorCode code, const std::string& path, core::JobId id,
                                      std::string_view what) {
  return base::fail(code, "{}: table job, id {}: job {}: {}", path, row_id(id),
                    core::job_id_text(id), what);
}

base::Result<JobRow> read_row(const Statement& statement, Args args, const std::string& path) {
  JobRow row;
  JobHeader& header = row.header;
  header.id = job_id(statement.number(kColumnId));
  header.state = static_cast<core::JobState>(statement.number(kColumnState));
  header.priority = static_cast<uint8_t>(statement.number(kColumnPriority));
  header.in_lane = statement.number(kColumnInLane) != 0;
  header.queue = static_cast<uint32_t>(statement.number(kColumnQueue));
  header.type = static_cast<uint32_t>(statement.number(kColumnType));
  header.ready_seq = static_cast<uint64_t>(statement.number(kColumnReadySeq));
  row.record = statement.blob(kColumnRecord);
  const uint32_t of_args = check_of(statement.number(kColumnArgsCheck));
  const uint32_t of_row = row_check(header, row.record, of_args);
  bool same = stored_check(of_row) == statement.number(kColumnRowCheck);
  // What did not fit the header was not in the checksum either.
  const CheckedRow checked{&row, of_row, of_args};
  for (int column = kColumnId; same && column <= kColumnArgsCheck; ++column) {
    same = column_number(checked, column) == statement.number(column);
  }
  if (!same || static_cast<uint64_t>(header.state) >= core::kJobStateCount) {
    return row_error(base::ErrorCode::kCorrupt, path, header.id, "the row is damaged");
  }
  if (args == Args::kWithout) return row;
  row.args = statement.blob(kColumnArgs);
  if (args_check(header.id, *row.args) != of_args) {
    return row_error(base::ErrorCode::kCorrupt, path, header.id, "the args are damaged");
  }
  return row;
}

}  // namespace store
