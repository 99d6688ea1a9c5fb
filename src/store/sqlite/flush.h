// One transaction that brings changes into the tables: job rows, lanes, side records, meta.
//
// Threading: that of the connection.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "store/sqlite/change_table.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sums.h"

namespace store {

class Flush {
 public:
  // Both must outlive this.
  Flush(Connection& connection, ChangeTable& change_table)
      : connection_(connection), change_table_(change_table) {}

  // Loads what `apply` goes on from.
  base::Status prepare();
  base::Status apply(const Changes& changes);

  const Meta& meta() const { return meta_; }

 private:
  base::Status write(const Changes& changes, Meta& meta);
  base::Status erase_rows(std::span<const core::JobId> erased);
  base::Status note_lost(std::span<const core::JobId> run);
  base::Status note_lost(core::JobId id);
  base::Status put_row(const JobRow& row);
  base::Status update_row(const CheckedRow& checked);
  base::Status write_lanes(const Changes& changes, Meta& meta);
  base::Status write_side(std::span<const SideRecord> side, Meta& meta);
  void subtract_old();
  RowSums& difference_of(core::JobId id);

  Connection& connection_;
  ChangeTable& change_table_;
  SumsTables sums_;
  Meta meta_;
  uint64_t ids_end_ = 0;  // No id from here on has ever had a row.

  // Of the running `apply`.
  std::vector<CheckedRow> inserts_;
  std::map<uint64_t, RowSums> differences_;  // By block; one for each that changes.
  // Rows that ought to have been there, in order: a damaged page has lost them. They are counted as
  // rows all the same, which their lanes prove.
  std::vector<core::JobId> lost_;
  LaneRecord lane_;

  Statement look_up_;
  Statement in_index_;
  Statement erase_;
  Statement update_;
  Statement insert_;
  Statement side_check_;
  Statement put_side_;
  Statement erase_side_;
};

}  // namespace store
