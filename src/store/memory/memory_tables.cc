#include "store/memory/memory_tables.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace store {

using base::ErrorCode;

namespace {

constexpr int kVerifyRows = 1'000;

tl::unexpected<base::Error> row_error(ErrorCode code, core::JobId id, const char* what) {
  return base::fail(code, "memory: table job, id {}: job {}: {}", id.value, core::job_id_text(id),
                    what);
}

}  // namespace

void MemoryRows::damage(core::JobId id) {
  const std::lock_guard lock(mutex_);
  const auto row = rows_.find(id);
  ASSERT(row != rows_.end(), "job {} has no row to damage", id.value);
  row->second.damaged = true;
}

void MemoryRows::fail_apply(ErrorCode code) {
  const std::lock_guard lock(mutex_);
  failure_ = code;
}

base::Status MemoryRows::refusal(const Changes& changes) {
  if (failure_) {
    return base::fail(*std::exchange(failure_, std::nullopt), "memory: as the test said");
  }
  for (const JobRow& row : changes.rows) {
    if (row.args || rows_.contains(row.header.id)) continue;
    return row_error(ErrorCode::kCorrupt, row.header.id, "there is no row whose args could stay");
  }
  return {};
}

void MemoryRows::put(const JobRow& row) {
  Row& stored = rows_[row.header.id];
  stored.header = row.header;
  stored.record = row.record;
  if (row.args) stored.args = *row.args;
  stored.damaged = false;
}

base::Result<JobRow> MemoryRows::answer(const Row& row, bool with_args) {
  if (row.damaged) return row_error(ErrorCode::kCorrupt, row.header.id, "the row is damaged");
  JobRow answer{row.header, row.record, std::nullopt};
  if (with_args) answer.args = row.args;
  return answer;
}

// Holds the disk's lock for the whole of each call: that is its view.
class MemoryReader final : public TablesReader {
 public:
  explicit MemoryReader(MemoryRows& disk) : disk_(disk) {}

  base::Status read(std::span<const core::JobId> ids, const RowVisitor& visit) override {
    const std::lock_guard lock(disk_.mutex_);
    for (const core::JobId id : ids) {
      const auto row = disk_.rows_.find(id);
      if (row == disk_.rows_.end()) {
        TRY(visit(id, row_error(ErrorCode::kNotFound, id, "there is none")));
      } else {
        TRY(visit(id, MemoryRows::answer(row->second, true)));
      }
    }
    return {};
  }

  base::Status scan_lanes(const HeaderVisitor& visit) override {
    const std::lock_guard lock(disk_.mutex_);
    std::vector<JobHeader> headers;
    for (const auto& [id, row] : disk_.rows_) {
      if (row.header.in_lane) headers.push_back(row.header);
    }
    std::sort(headers.begin(), headers.end(), [](const JobHeader& a, const JobHeader& b) {
      return std::tie(a.ready_seq, a.id) < std::tie(b.ready_seq, b.id);
    });
    for (const JobHeader& header : headers) visit(header);
    return {};
  }

  base::Status scan_rest(const RowVisitor& visit) override {
    const std::lock_guard lock(disk_.mutex_);
    std::map<std::pair<core::JobState, core::JobId>, const MemoryRows::Row*> rest;
    for (const auto& [id, row] : disk_.rows_) {
      if (!row.header.in_lane) rest[{row.header.state, id}] = &row;
    }
    for (const auto& [place, row] : rest) {
      TRY(visit(place.second, MemoryRows::answer(*row, false)));
    }
    return {};
  }

  base::Status scan_side(const SideVisitor& visit) override {
    const std::lock_guard lock(disk_.mutex_);
    for (const auto& [key, value] : disk_.side_) TRY(visit(key, value));
    return {};
  }

  base::Result<std::optional<core::JobId>> verify(core::JobId from,
                                                  const DamageVisitor& damaged) override {
    const std::lock_guard lock(disk_.mutex_);
    auto row = disk_.rows_.lower_bound(from);
    for (int i = 0; i < kVerifyRows && row != disk_.rows_.end(); ++i, ++row) {
      const base::Result<JobRow> answer = MemoryRows::answer(row->second, true);
      if (!answer) damaged(answer.error());
    }
    if (row == disk_.rows_.end()) return std::optional<core::JobId>();
    return std::optional(row->first);
  }
  base::Status verify_rest(const DamageVisitor& /*damaged*/) override { return {}; }

 private:
  MemoryRows& disk_;
};

MemoryTables::~MemoryTables() {
  const std::lock_guard lock(disk_.mutex_);
  if (is_open_) disk_.is_open_ = false;
}

base::Result<TablesSummary> MemoryTables::open() {
  const std::lock_guard lock(disk_.mutex_);
  ASSERT(!is_open_ && !disk_.is_open_, "opened twice");
  is_open_ = disk_.is_open_ = true;
  return TablesSummary{disk_.applied_seq_, disk_.rows_.size(), disk_.side_.size()};
}

base::Status MemoryTables::apply(const Changes& changes) {
  const std::lock_guard lock(disk_.mutex_);
  ASSERT(is_open_, "not open");
  ASSERT(changes.applied_seq >= disk_.applied_seq_, "{} after {}", changes.applied_seq,
         disk_.applied_seq_);
  TRY(disk_.refusal(changes));
  for (const core::JobId id : changes.erased) disk_.rows_.erase(id);
  for (const JobRow& row : changes.rows) disk_.put(row);
  for (const SideRecord& record : changes.side) {
    if (record.value) {
      disk_.side_.insert_or_assign(std::string(record.key), std::string(*record.value));
    } else {
      disk_.side_.erase(std::string(record.key));
    }
  }
  disk_.applied_seq_ = changes.applied_seq;
  return {};
}

base::Result<std::unique_ptr<TablesReader>> MemoryTables::make_reader() {
  ASSERT(is_open_, "not open");
  return std::make_unique<MemoryReader>(disk_);
}

base::Status MemoryTables::close() {
  const std::lock_guard lock(disk_.mutex_);
  ASSERT(is_open_, "not open");
  is_open_ = disk_.is_open_ = false;
  return {};
}

}  // namespace store
