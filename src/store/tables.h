// Where jobs lie that outlive memory: one row per job, and side records. The engine's changes come
// here in the background, netted out, in large batches; the journal is trimmed behind them.
//
// A ready job of which dispatch needs no more than its header stands in a lane: the headers of
// 4096 ids in one record, so that a start reads millions of them in moments. Jobs in no lane are
// found by their state.
//
// Errors of all calls: CORRUPT names file, table and id; DISKFULL; IO, which is fail-stop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "core/job.h"

namespace store {

// What of a job can be asked for by SQL, and what a lane keeps of it.
struct JobHeader {
  core::JobId id;
  core::JobState state = core::JobState::kReady;
  uint8_t priority = 0;
  bool in_lane = false;  // Only if ready. The start reads the record of a job otherwise.
  uint32_t queue = 0;    // Codes; the side records say for which names.
  uint32_t type = 0;
  uint64_t ready_seq = 0;

  bool operator==(const JobHeader&) const = default;
};

// The tables take record and args as they are, and do not look into them. Args seldom change and
// lie apart: who puts a new state of a job need not have them at hand. A flush has, and gives them.
struct JobRow {
  JobHeader header;
  std::string_view record;
  std::optional<std::string_view> args;  // In a change, nothing: the row's args stay as they are.
};

// What is neither a job nor found by one. An empty `value` in a change: the record goes.
struct SideRecord {
  std::string_view key;
  std::optional<std::string_view> value;
};

// All that became of the store's content between two journal sequences. The views must outlive the
// call that takes them.
struct Changes {
  std::span<const JobRow> rows;         // Put; in order of ids, each once.
  std::span<const core::JobId> erased;  // In order of ids, each once, none of `rows`.
  std::span<const SideRecord> side;     // No key twice.
  uint64_t applied_seq = 0;             // Of the last journal frame whose effects are in.
};

struct TablesSummary {
  uint64_t applied_seq = 0;  // 0: nothing has been applied yet.
  uint64_t rows = 0;
  uint64_t side_records = 0;
};

// Is told of each row, or, in the place of a row that is damaged or missing, what is wrong with it.
// Views live until the visitor returns; its error ends the reading and is the answer.
using RowVisitor = std::function<base::Status(core::JobId, const base::Result<JobRow>&)>;
using HeaderVisitor = std::function<void(const JobHeader&)>;
using SideVisitor = std::function<base::Status(std::string_view key, std::string_view value)>;
using DamageVisitor = std::function<void(const base::Error&)>;

// Reads what was applied, each call in one view of it that no `apply` changes.
// Threading: one thread at a time; any number of readers beside the thread that applies.
class TablesReader {
 public:
  TablesReader() = default;
  TablesReader(const TablesReader&) = delete;
  TablesReader& operator=(const TablesReader&) = delete;
  virtual ~TablesReader() = default;

  // Visits one row for each of `ids`, in their order; NOTFOUND in the place of one without row.
  // Quickest where ids follow one another.
  virtual base::Status read(std::span<const core::JobId> ids, const RowVisitor& visit) = 0;

  // For the start: all jobs in lanes in their ready order (by ready_seq), then all that are in
  // none, finished ones too, by state and id, without args.
  virtual base::Status scan_lanes(const HeaderVisitor& visit) = 0;
  virtual base::Status scan_rest(const RowVisitor& visit) = 0;
  virtual base::Status scan_side(const SideVisitor& visit) = 0;

  // Verifies a slice of the rows from `from` on, with their lanes and sums. Returns where the next
  // slice begins; nothing after the last one. An error means that it could not be told.
  virtual base::Result<std::optional<core::JobId>> verify(core::JobId from,
                                                          const DamageVisitor& damaged) = 0;
  // The same for all else that a start needs: side records, and the counts and sums of the whole.
  virtual base::Status verify_rest(const DamageVisitor& damaged) = 0;

  // A call that is under way ends soon, with an error. Threading: any thread.
  virtual void interrupt() {}
};

// Threading: one thread at a time (the flush thread); its readers may be used meanwhile.
class Tables {
 public:
  Tables() = default;
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;
  virtual ~Tables() = default;

  // Makes the tables if there are none. Verifies counts and sums and all lanes, so that every job
  // in a lane is accounted for; a row is verified when it is read.
  virtual base::Result<TablesSummary> open() = 0;

  // Does all or nothing; durable when it returns. After DISKFULL or CORRUPT (args are to stay of a
  // job that has no row) nothing was done and the tables can be used on; after IO only closed.
  // Requires: applied_seq is not less than before.
  virtual base::Status apply(const Changes& changes) = 0;

  // Requires: this is open, and outlives the reader; all readers are gone before `close`.
  virtual base::Result<std::unique_ptr<TablesReader>> make_reader() = 0;

  virtual base::Status close() = 0;
};

}  // namespace store
