// What the tables know of their own content: counts and sums of checksums, per lane and in all. A
// row that is lost or is an old one shows in them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "store/lane.h"
#include "store/sqlite/connection.h"

namespace store {

// Of rows of table `job`. Differences count as well: they wrap, and only sums have a meaning.
// `rest_count` follows from the lane, not from what a row says of itself.
struct RowSums {
  uint64_t row_count = 0;
  uint64_t row_sum = 0;     // Of row_check.
  uint64_t rest_count = 0;  // In no lane.

  void add(uint32_t row_check);
  void subtract(uint32_t row_check);
  RowSums& operator+=(const RowSums& other);
  RowSums& operator-=(const RowSums& other);
  bool operator==(const RowSums&) const = default;
};

// A record of table `lane`.
struct LaneRecord {
  Lane lane;
  RowSums sums;
};

// The record of table `meta`.
struct Meta {
  uint64_t applied_seq = 0;
  uint64_t lane_count = 0;
  RowSums rows;
  uint64_t side_count = 0;
  uint64_t side_sum = 0;
};

// The columns that `read_lane` takes, in their order.
inline constexpr char kLaneColumns[] = "block, row_count, row_sum, rest_count, jobs, lane_check";

// Fills `record` from the row that `statement` came to; `read_lane_sums` leaves the lane alone.
// CORRUPT names it.
base::Status read_lane(const Statement& statement, const std::string& path, LaneRecord& record);
base::Result<RowSums> read_lane_sums(const Statement& statement, const std::string& path);

// Whether the sums of all lanes, or of all side records, are those of meta. CORRUPT says which are
// not. What the records hold is verified when they are read.
base::Status verify_lane_sums(Connection& connection, const Meta& meta);
base::Status verify_side_sums(Connection& connection, const Meta& meta);
// The same for the jobs in no lane, as their index has them.
base::Status verify_rest_count(Connection& connection, const Meta& meta, uint64_t count);

// Reads and writes lanes and meta.
class SumsTables {
 public:
  base::Status prepare(Connection& connection);

  // Fills `record` with that of `block`; returns false, and an empty one, if there is none.
  base::Result<bool> load(uint64_t block, LaneRecord& record);
  base::Status save(const LaneRecord& record);  // Without rows it goes.

  base::Result<Meta> load_meta();  // Before the first save: all zero.
  base::Status save_meta(const Meta& meta);

 private:
  Connection* connection_ = nullptr;
  Statement load_;
  Statement save_;
  Statement erase_;
  Statement load_meta_;
  Statement save_meta_;
};

}  // namespace store
