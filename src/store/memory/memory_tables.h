// Tables that keep their rows in memory: for tests and simulation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "store/tables.h"

namespace store {

// What outlives the tables: their disk. One MemoryTables at a time has it open.
// Threading: any thread.
class MemoryRows {
 public:
  // From now on the row of `id` does not verify.
  void damage(core::JobId id);
  // The next apply fails with `code`, and does nothing.
  void fail_apply(base::ErrorCode code);

 private:
  friend class MemoryTables;
  friend class MemoryReader;

  struct Row {
    JobHeader header;
    std::string record;
    std::string args;
    bool damaged = false;
  };

  base::Status refusal(const Changes& changes);
  void put(const JobRow& row);
  static base::Result<JobRow> answer(const Row& row, bool with_args);

  std::mutex mutex_;  // Guards all below.
  std::map<core::JobId, Row> rows_;
  std::map<std::string, std::string, std::less<>> side_;
  uint64_t applied_seq_ = 0;
  std::optional<base::ErrorCode> failure_;
  bool is_open_ = false;
};

// Threading: as Tables says.
class MemoryTables final : public Tables {
 public:
  // `disk` must outlive this.
  explicit MemoryTables(MemoryRows& disk) : disk_(disk) {}
  ~MemoryTables() override;

  base::Result<TablesSummary> open() override;
  base::Status apply(const Changes& changes) override;
  base::Result<std::unique_ptr<TablesReader>> make_reader() override;
  base::Status close() override;

 private:
  MemoryRows& disk_;
  bool is_open_ = false;
};

}  // namespace store
