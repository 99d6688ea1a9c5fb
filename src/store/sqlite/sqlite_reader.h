// A reader of SQLite tables: a connection of its own.
#pragma once

#include <optional>
#include <string>

#include "store/sqlite/connection.h"
#include "store/sqlite/sums.h"
#include "store/tables.h"

namespace store {

// Threading: as TablesReader says.
class SqliteReader final : public TablesReader {
 public:
  SqliteReader() = default;

  base::Status open(const std::string& path, const std::string& vfs);

  base::Status read(std::span<const core::JobId> ids, const RowVisitor& visit) override;
  base::Status scan_lanes(const HeaderVisitor& visit) override;
  base::Status scan_rest(const RowVisitor& visit) override;
  base::Status scan_side(const SideVisitor& visit) override;
  base::Result<std::optional<core::JobId>> verify(core::JobId from,
                                                  const DamageVisitor& damaged) override;
  base::Status verify_rest(const DamageVisitor& damaged) override;
  void interrupt() override { connection_.interrupt(); }

 private:
  base::Result<bool> has_run(std::span<const core::JobId> run);
  base::Status read_run(std::span<const core::JobId> run, const RowVisitor& visit);
  base::Result<bool> read_rows(std::span<const core::JobId>& left, const RowVisitor& visit);
  base::Result<std::optional<uint64_t>> next_block(core::JobId from);
  base::Status scan_side_in_view(const SideVisitor& visit);
  base::Status verify_rest_of(const Meta& meta);
  base::Result<uint64_t> verify_block(uint64_t block, const DamageVisitor& damaged);

  Connection connection_;
  Statement read_;
  Statement run_ids_;
  Statement lanes_up_;
  Statement lanes_down_;
  Statement lane_;
  Statement rest_;
  Statement side_;
  Statement next_row_;
  Statement next_lane_;
  LaneRecord record_;
};

}  // namespace store
