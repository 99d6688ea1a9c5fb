#include "store/sqlite/flush.h"

#include <algorithm>
#include <functional>
#include <string>

#include "base/assert.h"
#include "base/crc32c.h"
#include "store/row_check.h"
#include "store/sqlite/id_runs.h"
#include "store/sqlite/row_columns.h"

namespace store {
namespace {

bool in_order(std::span<const JobRow> rows) {
  const auto not_before = [](const JobRow& a, const JobRow& b) {
    return a.header.id >= b.header.id;
  };
  return std::adjacent_find(rows.begin(), rows.end(), not_before) == rows.end();
}

bool in_order(std::span<const core::JobId> ids) {
  return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end();
}

}  // namespace

base::Status Flush::prepare() {
  TRY(sums_.prepare(connection_));
  TRY(look_up_.prepare(connection_,
                       "SELECT id, row_check, args_check FROM job "
                       "WHERE id BETWEEN ? AND ? ORDER BY id"));
  std::string states;
  for (size_t state = 0; state < core::kJobStateCount; ++state) states += fmt::format(",{}", state);
  TRY(in_index_.prepare(connection_, fmt::format("SELECT 1 FROM job INDEXED BY job_rest WHERE "
                                                 "in_lane = 0 AND state IN ({}) AND id = ?",
                                                 states.substr(1))
                                         .c_str()));
  TRY(erase_.prepare(connection_, "DELETE FROM job WHERE id BETWEEN ? AND ?"));
  // OR ROLLBACK: no copies of all changed pages are kept for the case that a statement fails; the
  // transaction is rolled back then anyway.
  TRY(update_.prepare(connection_,
                      "UPDATE OR ROLLBACK job SET state = ?, priority = ?, in_lane = ?, queue = ?, "
                      "type = ?, ready_seq = ?, row_check = ?, args_check = ?, record = ?, "
                      "args = ifnull(?, args) WHERE id = ?"));
  TRY(insert_.prepare(connection_, "INSERT OR ROLLBACK INTO job SELECT * FROM change"));
  TRY(side_check_.prepare(connection_, "SELECT side_check FROM side WHERE key = ?"));
  TRY(put_side_.prepare(connection_, "INSERT OR REPLACE INTO side VALUES (?, ?, ?)"));
  TRY(erase_side_.prepare(connection_, "DELETE FROM side WHERE key = ?"));
  meta_ = TRY(sums_.load_meta());
  Statement last;
  TRY(last.prepare(connection_, "SELECT id FROM job ORDER BY id DESC LIMIT 1"));
  if (TRY(last.step())) ids_end_ = job_id(last.number(0)).value + 1;
  return {};
}

base::Status Flush::apply(const Changes& changes) {
  ASSERT(in_order(changes.rows) && in_order(changes.erased), "ids out of order");
  ASSERT(changes.applied_seq >= meta_.applied_seq, "{} after {}", changes.applied_seq,
         meta_.applied_seq);
  TRY(connection_.run("BEGIN IMMEDIATE"));
  Meta meta = meta_;
  base::Status done = write(changes, meta);
  if (done) done = connection_.run("COMMIT");
  change_table_.show({});
  if (!done) {
    if (connection_.in_transaction()) {
      base::ignore(connection_.run("ROLLBACK"), "the error before it is the one to know");
    }
    return done;
  }
  meta_ = meta;
  if (!changes.rows.empty()) {
    ids_end_ = std::max(ids_end_, changes.rows.back().header.id.value + 1);
  }
  return {};
}

base::Status Flush::write(const Changes& changes, Meta& meta) {
  differences_.clear();
  inserts_.clear();
  lost_.clear();
  TRY(erase_rows(changes.erased));
  for (const JobRow& row : changes.rows) TRY(put_row(row));
  std::ranges::sort(lost_);
  change_table_.show(inserts_);
  if (!inserts_.empty()) TRY(insert_.run());
  TRY(write_lanes(changes, meta));
  TRY(write_side(changes.side, meta));
  meta.applied_seq = changes.applied_seq;
  return sums_.save_meta(meta);
}

RowSums& Flush::difference_of(core::JobId id) {
  return differences_[Lane::block_of(id)];
}

// Takes the row that `look_up_` came to out of its block's sums.
void Flush::subtract_old() {
  difference_of(job_id(look_up_.number(0))).subtract(check_of(look_up_.number(1)));
}

base::Status Flush::erase_rows(std::span<const core::JobId> erased) {
  while (!erased.empty()) {
    const auto run = take_run(erased);
    look_up_.bind(1, row_id(run.front())).bind(2, row_id(run.back()));
    size_t found = 0;
    while (TRY(look_up_.step())) {
      subtract_old();
      ++found;
    }
    if (found < run.size()) TRY(note_lost(run));
    TRY(erase_.bind(1, row_id(run.front())).bind(2, row_id(run.back())).run());
  }
  return {};
}

// Notes those of the run that have no row.
base::Status Flush::note_lost(std::span<const core::JobId> run) {
  for (const core::JobId id : run) {
    const bool is_there = TRY(look_up_.bind(1, row_id(id)).bind(2, row_id(id)).step());
    look_up_.reset();
    if (!is_there) TRY(note_lost(id));
  }
  return {};
}

// A row that is not there though it ought to be. What only a lane knows of can be taken out of it;
// an entry of the index goes with its row and no other way.
base::Status Flush::note_lost(core::JobId id) {
  const bool is_known = TRY(in_index_.bind(1, row_id(id)).step());
  in_index_.reset();
  if (is_known) {
    return row_error(base::ErrorCode::kCorrupt, connection_.path(), id,
                     "a damaged page of the file hides the row");
  }
  lost_.push_back(id);
  difference_of(id);  // Its lane is looked at, whatever else changes there.
  return {};
}

// Replaces the row if there is one; otherwise it is put with the others that are new.
base::Status Flush::put_row(const JobRow& row) {
  const core::JobId id = row.header.id;
  CheckedRow checked{&row};
  bool is_new = true;
  if (id.value < ids_end_ && TRY(look_up_.bind(1, row_id(id)).bind(2, row_id(id)).step())) {
    is_new = false;
    subtract_old();
    checked.args_check = check_of(look_up_.number(2));
    look_up_.reset();
  }
  if (row.args) {
    checked.args_check = args_check(id, *row.args);
  } else if (is_new) {
    return row_error(base::ErrorCode::kCorrupt, connection_.path(), id,
                     "there is no row whose args could stay");
  }
  if (is_new && id.value < ids_end_) TRY(note_lost(id));
  checked.row_check = row_check(row.header, row.record, checked.args_check);
  difference_of(id).add(checked.row_check);
  if (!is_new) return update_row(checked);
  inserts_.push_back(checked);
  return {};
}

base::Status Flush::update_row(const CheckedRow& checked) {
  const JobRow& row = *checked.row;
  for (int column = kColumnState; column <= kColumnArgsCheck; ++column) {
    update_.bind(column, column_number(checked, column));
  }
  update_.bind(kColumnRecord, row.record);
  if (row.args) {
    update_.bind(kColumnArgs, *row.args);
  } else {
    update_.bind_null(kColumnArgs);
  }
  return update_.bind(kColumnArgs + 1, row_id(row.header.id)).run();
}

base::Status Flush::write_lanes(const Changes& changes, Meta& meta) {
  auto row = changes.rows.begin();
  auto erased = changes.erased.begin();
  auto lost = lost_.begin();
  for (const auto& [block, difference] : differences_) {
    if (TRY(sums_.load(block, lane_))) meta.lane_count -= 1;
    uint64_t counted_without_row = 0;
    for (; lost != lost_.end() && Lane::block_of(*lost) == block; ++lost) {
      if (lane_.lane.has(*lost)) ++counted_without_row;
    }
    while (erased != changes.erased.end() && Lane::block_of(*erased) < block) ++erased;
    for (; erased != changes.erased.end() && Lane::block_of(*erased) == block; ++erased) {
      lane_.lane.erase(*erased);
    }
    for (; row != changes.rows.end() && Lane::block_of(row->header.id) == block; ++row) {
      if (row->header.in_lane) {
        lane_.lane.put(row->header);
      } else {
        lane_.lane.erase(row->header.id);
      }
    }
    RowSums& sums = lane_.sums;
    meta.rows -= sums;
    sums += difference;
    sums.row_count -= counted_without_row;
    if (sums.row_count == 0) sums.row_sum = 0;  // What a damaged check has left of it.
    sums.rest_count = sums.row_count - lane_.lane.count();
    meta.rows += sums;
    if (sums.row_count > Lane::kIds || sums.row_count < lane_.lane.count()) {
      return base::fail(base::ErrorCode::kCorrupt,
                        "{}: table lane, block {}: it does not count the rows that there are",
                        connection_.path(), block);
    }
    if (sums.row_count > 0) meta.lane_count += 1;
    TRY(sums_.save(lane_));
  }
  return {};
}

base::Status Flush::write_side(std::span<const SideRecord> side, Meta& meta) {
  for (const SideRecord& record : side) {
    if (TRY(side_check_.bind(1, record.key).step())) {
      meta.side_count -= 1;
      meta.side_sum -= check_of(side_check_.number(0));
      side_check_.reset();
    }
    if (!record.value) {
      TRY(erase_side_.bind(1, record.key).run());
      continue;
    }
    const uint32_t check = side_check(record.key, *record.value);
    meta.side_count += 1;
    meta.side_sum += check;
    TRY(put_side_.bind(1, record.key).bind(2, *record.value).bind(3, stored_check(check)).run());
  }
  return {};
}

}  // namespace store
