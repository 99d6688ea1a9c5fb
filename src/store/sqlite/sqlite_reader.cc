#include "store/sqlite/sqlite_reader.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "store/row_check.h"
#include "store/sqlite/id_runs.h"
#include "store/sqlite/row_columns.h"
#include "store/sqlite/sql_texts.h"

namespace store {
namespace {

using base::ErrorCode;

// How much a slice of `verify` takes, at the most by one block more: some ten milliseconds.
constexpr int kVerifyBlocks = 8;
constexpr uint64_t kVerifyBytes = uint64_t{16} << 20;

std::string select_lanes(const char* rest) {
  return fmt::format("SELECT {} FROM lane {}", kLaneColumns, rest);
}

}  // namespace

base::Status SqliteReader::open(const std::string& path, const std::string& vfs) {
  TRY(connection_.open(path, vfs));
  TRY(connection_.run(kConnectionSql));
  TRY(read_.prepare(connection_, fmt::format("SELECT {}, args FROM job WHERE id BETWEEN ? AND ? "
                                             "ORDER BY id",
                                             kRowColumns)
                                     .c_str()));
  TRY(run_ids_.prepare(connection_, "SELECT id FROM job WHERE id BETWEEN ? AND ? ORDER BY id"));
  TRY(lanes_up_.prepare(connection_, select_lanes("ORDER BY block").c_str()));
  TRY(lanes_down_.prepare(connection_, select_lanes("ORDER BY block DESC").c_str()));
  TRY(lane_.prepare(connection_, select_lanes("WHERE block = ?").c_str()));
  TRY(rest_.prepare(connection_, fmt::format("SELECT {} FROM job INDEXED BY job_rest WHERE in_lane "
                                             "= 0 ORDER BY state, id",
                                             kRowColumns)
                                     .c_str()));
  TRY(side_.prepare(connection_, "SELECT key, value, side_check FROM side ORDER BY key"));
  TRY(next_row_.prepare(connection_, "SELECT id FROM job WHERE id >= ? ORDER BY id LIMIT 1"));
  return next_lane_.prepare(connection_,
                            "SELECT block FROM lane WHERE block >= ? ORDER BY block LIMIT 1");
}

base::Status SqliteReader::read(std::span<const core::JobId> ids, const RowVisitor& visit) {
  ReadView view(connection_);
  TRY(view.begin());
  while (!ids.empty()) TRY(read_run(take_run(ids), visit));
  return {};
}

// Whether the file has just these rows, in order. In a damaged page rows may stand where they are
// stepped over but not found, or the other way round: which are lost must not hang on what is asked
// for beside them.
base::Result<bool> SqliteReader::has_run(std::span<const core::JobId> run) {
  if (run.size() == 1) return true;
  run_ids_.bind(1, row_id(run.front())).bind(2, row_id(run.back()));
  for (const core::JobId id : run) {
    const base::Result<bool> more = run_ids_.step();
    if (!more && more.error().code == ErrorCode::kCorrupt) return false;
    if (!TRY(more)) return false;
    if (job_id(run_ids_.number(0)) == id) continue;
    run_ids_.reset();
    return false;
  }
  const base::Result<bool> more = run_ids_.step();
  run_ids_.reset();
  if (!more && more.error().code == ErrorCode::kCorrupt) return false;
  return !TRY(more);
}

base::Status SqliteReader::read_run(std::span<const core::JobId> run, const RowVisitor& visit) {
  std::span<const core::JobId> left = run;
  if (TRY(has_run(run)) && TRY(read_rows(left, visit))) return {};
  // From the damaged page on each is asked for alone, to lose no more than is lost.
  while (!left.empty()) {
    std::span<const core::JobId> one = left.first(1);
    left = left.subspan(1);
    if (TRY(read_rows(one, visit)) || one.empty()) continue;
    TRY(visit(one[0], row_error(ErrorCode::kCorrupt, connection_.path(), one[0],
                                "a damaged page of the file hides the row")));
  }
  return {};
}

// Takes what it could answer from `left`; returns false if a damaged page ended that.
base::Result<bool> SqliteReader::read_rows(std::span<const core::JobId>& left,
                                           const RowVisitor& visit) {
  const auto missing_before = [&](core::JobId id) -> base::Status {
    while (!left.empty() && left.front() < id) {
      const core::JobId gone = left.front();
      left = left.subspan(1);
      TRY(visit(gone, row_error(ErrorCode::kNotFound, connection_.path(), gone, "there is none")));
    }
    return {};
  };
  const core::JobId last = left.back();
  read_.bind(1, row_id(left.front())).bind(2, row_id(last));
  base::Result<bool> more = read_.step();
  for (; more && *more; more = read_.step()) {
    const core::JobId id = job_id(read_.number(kColumnId));
    // A damaged page may name any rows, in any order.
    if (left.empty() || id < left.front() || id > last) {
      read_.reset();
      return false;
    }
    const base::Result<JobRow> row = read_row(read_, Args::kWith, connection_.path());
    base::Status visited = missing_before(id);
    left = left.subspan(1);
    if (visited) visited = visit(id, row);
    if (!visited) {
      read_.reset();
      return tl::unexpected(visited.error());
    }
  }
  if (!more && more.error().code == ErrorCode::kCorrupt) return false;
  TRY(std::move(more));
  TRY(missing_before(core::JobId{last.value + 1}));
  return true;
}

base::Status SqliteReader::scan_lanes(const HeaderVisitor& visit) {
  ReadView view(connection_);
  TRY(view.begin());
  ReadyMerge merge;
  while (TRY(lanes_down_.step())) {
    TRY(read_lane(lanes_down_, connection_.path(), record_));
    merge.look(record_.lane);
  }
  while (TRY(lanes_up_.step())) {
    TRY(read_lane(lanes_up_, connection_.path(), record_));
    merge.emit(record_.lane, visit);
  }
  merge.finish(visit);
  return {};
}

base::Status SqliteReader::scan_rest(const RowVisitor& visit) {
  ReadView view(connection_);
  TRY(view.begin());
  uint64_t count = 0;
  while (TRY(rest_.step())) {
    count += 1;
    const base::Result<JobRow> row = read_row(rest_, Args::kWithout, connection_.path());
    const base::Status visited = visit(job_id(rest_.number(kColumnId)), row);
    if (!visited) {
      rest_.reset();
      return visited;
    }
  }
  SumsTables sums;
  TRY(sums.prepare(connection_));
  return verify_rest_count(connection_, TRY(sums.load_meta()), count);
}

base::Status SqliteReader::scan_side(const SideVisitor& visit) {
  ReadView view(connection_);
  TRY(view.begin());
  return scan_side_in_view(visit);
}

base::Status SqliteReader::scan_side_in_view(const SideVisitor& visit) {
  while (TRY(side_.step())) {
    const std::string_view key = side_.blob(0);
    const std::string_view value = side_.blob(1);
    base::Status visited;
    if (stored_check(side_check(key, value)) != side_.number(2)) {
      visited = base::fail(ErrorCode::kCorrupt, "{}: table side, key \"{}\": the record is damaged",
                           connection_.path(), key);
    } else {
      visited = visit(key, value);
    }
    if (!visited) {
      side_.reset();
      return visited;
    }
  }
  return {};
}

base::Result<std::optional<core::JobId>> SqliteReader::verify(core::JobId from,
                                                              const DamageVisitor& damaged) {
  ReadView view(connection_);
  TRY(view.begin());
  uint64_t bytes = 0;
  for (int i = 0; i < kVerifyBlocks && bytes < kVerifyBytes; ++i) {
    const std::optional<uint64_t> block = TRY(next_block(from));
    if (!block) return std::optional<core::JobId>();
    bytes += TRY(verify_block(*block, damaged));
    from = Lane::first_of(*block + 1);
  }
  return std::optional(from);
}

// Returns the first block from that of `from` on of which there are rows or a lane.
base::Result<std::optional<uint64_t>> SqliteReader::next_block(core::JobId from) {
  std::optional<uint64_t> block;
  if (TRY(next_row_.bind(1, row_id(from)).step())) {
    block = Lane::block_of(job_id(next_row_.number(0)));
    next_row_.reset();
  }
  if (TRY(next_lane_.bind(1, static_cast<int64_t>(Lane::block_of(from))).step())) {
    const auto lane = static_cast<uint64_t>(next_lane_.number(0));
    block = std::min(block.value_or(lane), lane);
    next_lane_.reset();
  }
  return block;
}

// Returns how many bytes it read.
base::Result<uint64_t> SqliteReader::verify_block(uint64_t block, const DamageVisitor& damaged) {
  record_.lane.reset(block);
  record_.sums = {};
  if (TRY(lane_.bind(1, static_cast<int64_t>(block)).step())) {
    const base::Status read = read_lane(lane_, connection_.path(), record_);
    lane_.reset();
    if (!read) damaged(read.error());
  }
  RowSums sums;
  size_t in_lane = 0;
  uint64_t bytes = 0;
  read_.bind(1, row_id(Lane::first_of(block)));
  read_.bind(2, row_id(core::JobId{Lane::first_of(block + 1).value - 1}));
  base::Result<bool> more = read_.step();
  for (; more && *more; more = read_.step()) {
    const base::Result<JobRow> row = read_row(read_, Args::kWith, connection_.path());
    if (!row) {
      damaged(row.error());
      continue;
    }
    const JobHeader& header = row->header;
    bytes += row->record.size() + row->args.value_or("").size();
    sums.add(check_of(read_.number(kColumnRowCheck)));
    if (header.in_lane) {
      in_lane += 1;
    } else {
      sums.rest_count += 1;
    }
    if (header.in_lane && !record_.lane.holds(header)) {
      damaged(row_error(ErrorCode::kCorrupt, connection_.path(), header.id,
                        "its lane does not hold it as it is")
                  .value());
    }
  }
  if (!more && more.error().code == ErrorCode::kCorrupt) {
    damaged({ErrorCode::kCorrupt, fmt::format("{}: table job, ids from {} on: a damaged page",
                                              connection_.path(), row_id(Lane::first_of(block)))});
    return bytes;
  }
  TRY(std::move(more));
  if (sums == record_.sums && in_lane == record_.lane.count()) return bytes;
  damaged(
      base::fail(ErrorCode::kCorrupt,
                 "{}: table lane, block {}: {} sound rows with ids from {} on, {} of them in the "
                 "lane, sum {}; the record says {}, {}, {}",
                 connection_.path(), block, sums.row_count, row_id(Lane::first_of(block)), in_lane,
                 sums.row_sum, record_.sums.row_count, record_.lane.count(), record_.sums.row_sum)
          .value());
  return bytes;
}

base::Status SqliteReader::verify_rest(const DamageVisitor& damaged) {
  ReadView view(connection_);
  TRY(view.begin());
  const auto tell = [&](base::Status found) -> base::Status {
    if (found || found.error().code != ErrorCode::kCorrupt) return found;
    damaged(found.error());
    return {};
  };
  SumsTables sums;
  TRY(sums.prepare(connection_));
  const base::Result<Meta> meta = sums.load_meta();
  if (!meta) return tell(tl::unexpected(meta.error()));
  TRY(tell(verify_lane_sums(connection_, *meta)));
  TRY(tell(verify_side_sums(connection_, *meta)));
  TRY(tell(scan_side_in_view([](std::string_view, std::string_view) { return base::Status(); })));
  return tell(verify_rest_of(*meta));
}

base::Status SqliteReader::verify_rest_of(const Meta& meta) {
  Statement count;
  TRY(count.prepare(connection_, "SELECT count(*) FROM job INDEXED BY job_rest WHERE in_lane = 0"));
  TRY(count.step());
  return verify_rest_count(connection_, meta, static_cast<uint64_t>(count.number(0)));
}

}  // namespace store
