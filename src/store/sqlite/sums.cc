#include "store/sqlite/sums.h"

#include <array>
#include <span>

#include "base/crc32c.h"
#include "store/sqlite/row_columns.h"

namespace store {
namespace {

template <size_t N>
uint32_t check(const std::array<uint64_t, N>& numbers, std::string_view bytes = {}) {
  const uint32_t crc = base::crc32c(std::as_bytes(std::span(numbers)));
  return base::crc32c(std::as_bytes(std::span(bytes)), crc);
}

uint32_t lane_check(uint64_t block, const RowSums& sums, std::string_view jobs) {
  return check(std::array<uint64_t, 4>{block, sums.row_count, sums.row_sum, sums.rest_count}, jobs);
}

uint32_t meta_check(const Meta& meta) {
  return check(std::array<uint64_t, 7>{meta.applied_seq, meta.lane_count, meta.rows.row_count,
                                       meta.rows.row_sum, meta.rows.rest_count, meta.side_count,
                                       meta.side_sum});
}

uint64_t unsigned_number(const Statement& statement, int column) {
  return static_cast<uint64_t>(statement.number(column));
}

RowSums sums_at(const Statement& statement, int column) {
  return {unsigned_number(statement, column), unsigned_number(statement, column + 1),
          unsigned_number(statement, column + 2)};
}

void bind_sums(Statement& statement, int parameter, const RowSums& sums) {
  statement.bind(parameter, static_cast<int64_t>(sums.row_count))
      .bind(parameter + 1, static_cast<int64_t>(sums.row_sum))
      .bind(parameter + 2, static_cast<int64_t>(sums.rest_count));
}

}  // namespace

void RowSums::add(uint32_t row_check) {
  *this += RowSums{1, row_check, 0};
}

void RowSums::subtract(uint32_t row_check) {
  *this -= RowSums{1, row_check, 0};
}

RowSums& RowSums::operator+=(const RowSums& other) {
  row_count += other.row_count;
  row_sum += other.row_sum;
  rest_count += other.rest_count;
  return *this;
}

RowSums& RowSums::operator-=(const RowSums& other) {
  row_count -= other.row_count;
  row_sum -= other.row_sum;
  rest_count -= other.rest_count;
  return *this;
}

base::Result<RowSums> read_lane_sums(const Statement& statement, const std::string& path) {
  const uint64_t block = unsigned_number(statement, 0);
  const RowSums sums = sums_at(statement, 1);
  if (stored_check(lane_check(block, sums, statement.blob(4))) != statement.number(5)) {
    return base::fail(base::ErrorCode::kCorrupt, "{}: table lane, block {}: the record is damaged",
                      path, block);
  }
  return sums;
}

base::Status read_lane(const Statement& statement, const std::string& path, LaneRecord& record) {
  record.sums = TRY(read_lane_sums(statement, path));
  const uint64_t block = unsigned_number(statement, 0);
  return base::with_context(record.lane.decode(block, statement.blob(4)),
                            fmt::format("{}: table lane, block {}", path, block));
}

base::Status verify_lane_sums(Connection& connection, const Meta& meta) {
  uint64_t lane_count = 0;
  RowSums sums;
  Statement lanes;
  TRY(lanes.prepare(connection, fmt::format("SELECT {} FROM lane", kLaneColumns).c_str()));
  while (TRY(lanes.step())) {
    lane_count += 1;
    sums += TRY(read_lane_sums(lanes, connection.path()));
  }
  if (lane_count == meta.lane_count && sums == meta.rows) return {};
  return base::fail(base::ErrorCode::kCorrupt,
                    "{}: table lane: {} records of {} rows, {} in no lane, sum {}; table "
                    "meta, id 1 says {} of {}, {}, {}",
                    connection.path(), lane_count, sums.row_count, sums.rest_count, sums.row_sum,
                    meta.lane_count, meta.rows.row_count, meta.rows.rest_count, meta.rows.row_sum);
}

base::Status verify_side_sums(Connection& connection, const Meta& meta) {
  uint64_t count = 0;
  uint64_t sum = 0;
  Statement side;
  TRY(side.prepare(connection, "SELECT side_check FROM side"));
  while (TRY(side.step())) {
    count += 1;
    sum += check_of(side.number(0));
  }
  if (count == meta.side_count && sum == meta.side_sum) return {};
  return base::fail(base::ErrorCode::kCorrupt,
                    "{}: table side: {} records, sum {}; table meta, id 1 says {}, {}",
                    connection.path(), count, sum, meta.side_count, meta.side_sum);
}

base::Status verify_rest_count(Connection& connection, const Meta& meta, uint64_t count) {
  if (count == meta.rows.rest_count) return {};
  return base::fail(base::ErrorCode::kCorrupt,
                    "{}: index job_rest: {} jobs in no lane; table meta, id 1 says {}",
                    connection.path(), count, meta.rows.rest_count);
}

base::Status SumsTables::prepare(Connection& connection) {
  connection_ = &connection;
  TRY(load_.prepare(connection,
                    fmt::format("SELECT {} FROM lane WHERE block = ?", kLaneColumns).c_str()));
  TRY(save_.prepare(
      connection,
      fmt::format("INSERT OR REPLACE INTO lane ({}) VALUES (?, ?, ?, ?, ?, ?)", kLaneColumns)
          .c_str()));
  TRY(erase_.prepare(connection, "DELETE FROM lane WHERE block = ?"));
  TRY(load_meta_.prepare(connection,
                         "SELECT applied_seq, lane_count, row_count, row_sum, rest_count, "
                         "side_count, side_sum, meta_check FROM meta"));
  return save_meta_.prepare(connection,
                            "INSERT OR REPLACE INTO meta (id, applied_seq, lane_count, row_count, "
                            "row_sum, rest_count, side_count, side_sum, meta_check) "
                            "VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)");
}

base::Result<bool> SumsTables::load(uint64_t block, LaneRecord& record) {
  record.lane.reset(block);
  record.sums = {};
  if (!TRY(load_.bind(1, static_cast<int64_t>(block)).step())) return false;
  const base::Status read = read_lane(load_, connection_->path(), record);
  load_.reset();
  TRY(read);
  return true;
}

base::Status SumsTables::save(const LaneRecord& record) {
  const auto block = static_cast<int64_t>(record.lane.block());
  if (record.sums.row_count == 0) return erase_.bind(1, block).run();
  const std::string jobs = record.lane.encode();
  save_.bind(1, block).bind(5, jobs);
  bind_sums(save_, 2, record.sums);
  save_.bind(6, stored_check(lane_check(record.lane.block(), record.sums, jobs)));
  return save_.run();
}

base::Result<Meta> SumsTables::load_meta() {
  Meta meta;
  if (!TRY(load_meta_.step())) return meta;
  meta.applied_seq = unsigned_number(load_meta_, 0);
  meta.lane_count = unsigned_number(load_meta_, 1);
  meta.rows = sums_at(load_meta_, 2);
  meta.side_count = unsigned_number(load_meta_, 5);
  meta.side_sum = unsigned_number(load_meta_, 6);
  const bool same = load_meta_.number(7) == stored_check(meta_check(meta));
  load_meta_.reset();
  if (!same) {
    return base::fail(base::ErrorCode::kCorrupt, "{}: table meta, id 1: the record is damaged",
                      connection_->path());
  }
  return meta;
}

base::Status SumsTables::save_meta(const Meta& meta) {
  save_meta_.bind(1, static_cast<int64_t>(meta.applied_seq))
      .bind(2, static_cast<int64_t>(meta.lane_count))
      .bind(6, static_cast<int64_t>(meta.side_count))
      .bind(7, static_cast<int64_t>(meta.side_sum))
      .bind(8, stored_check(meta_check(meta)));
  bind_sums(save_meta_, 3, meta.rows);
  return save_meta_.run();
}

}  // namespace store
