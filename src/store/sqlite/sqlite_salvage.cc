#include "store/sqlite/sqlite_salvage.h"

#include <algorithm>
#include <set>
#include <utility>

#include "store/row_check.h"
#include "store/sqlite/first_page.h"
#include "store/sqlite/index_page.h"
#include "store/sqlite/page_stamp.h"
#include "store/sqlite/row_columns.h"
#include "store/sqlite/sums.h"

namespace store {
namespace {

using base::ErrorCode;

constexpr size_t kIdsAtOnce = 4096;

// Runs a statement until a damaged page ends it; `row` is called for each row. Returns whether none
// did.
template <class Row>
base::Result<bool> run_as_far_as_possible(Statement& statement, Row row) {
  while (true) {
    const base::Result<bool> more = statement.step();
    if (!more && more.error().code == ErrorCode::kCorrupt) return false;
    if (!TRY(more)) return true;
    TRY(row());
  }
}

}  // namespace

SqliteSalvage::SqliteSalvage(FileSystem& files, const std::string& directory)
    : path_(directory + "/tables.db"), vfs_(files) {}

base::Status SqliteSalvage::open() {
  TRY(vfs_.files().open_to_read(path_));
  // The head of the file and its schema are those of any other one: what is damaged there would
  // lead astray.
  TRY(write_first_page(vfs_.files(), path_));
  TRY(connection_.open(path_, vfs_.name()));
  connection_.keep_log();
  return reader_.open(path_, vfs_.name());
}

std::optional<uint64_t> SqliteSalvage::applied_seq() {
  SumsTables sums;
  if (!sums.prepare(connection_)) return std::nullopt;
  const auto meta = sums.load_meta();
  if (!meta) return std::nullopt;
  return meta->applied_seq;
}

// --- Tables whose pages are damaged.

// Runs `scan` forwards and, where a damaged page ends that, backwards, and over each part of the
// table that stands below such a page; so it may meet a record more than once. `what` is what the
// page hides.
base::Status SqliteSalvage::scan_parts(std::string_view table, std::string_view what,
                                       const Scan& scan, const DamageVisitor& lost) {
  if (TRY(scan("ASC"))) return {};
  lost(hidden(what));
  TRY(scan("DESC"));
  if (!map_) {
    const base::Status brought = connection_.checkpoint();
    // What its log holds is more than there is scratch for, or damaged: no map tells of that.
    if (!brought) return {};
    TRY(map_.emplace().read(vfs_.files(), path_));
  }
  const uint32_t root = TRY(root_of(table));
  const base::Status scanned = scan_below(table, root, scan);
  TRY(set_root(table, root));
  return scanned;
}

// A page of a tree is the root of a smaller one, and SQLite reads that as a table of its own.
base::Status SqliteSalvage::scan_below(std::string_view table, uint32_t root, const Scan& scan) {
  std::vector<uint32_t> left = {root};
  std::set<uint32_t> seen;
  while (!left.empty()) {
    const uint32_t page = left.back();
    left.pop_back();
    if (!seen.insert(page).second) continue;
    const base::Status set = set_root(table, page);
    // A damaged map may name pages that no table can have.
    if (!set && set.error().code != ErrorCode::kCorrupt) return set;
    if (set && TRY(scan("ASC"))) continue;
    if (set) TRY(scan("DESC"));
    if (set) TRY(scan_inner(table, page, scan));
    const std::vector<uint32_t> below = map_->below(page);
    left.insert(left.end(), below.begin(), below.end());
  }
  return {};
}

// Records that stand in a page above others, between two that are damaged.
base::Status SqliteSalvage::scan_inner(std::string_view table, uint32_t page, const Scan& scan) {
  const auto file = TRY(vfs_.files().open_to_write(path_));
  const uint64_t offset = uint64_t{page - 1} * kTablesPageBytes;
  std::vector<std::byte> bytes(kTablesPageBytes);
  TRY(file->read_at(offset, bytes));
  const std::vector<std::byte> before = bytes;
  if (!make_leaf(bytes)) return {};
  TRY(file->write_at(offset, bytes));
  connection_.let_pages_go();
  TRY(set_root(table, page));
  TRY(scan("ASC"));
  TRY(scan("DESC"));
  TRY(file->write_at(offset, before));
  connection_.let_pages_go();
  return {};
}

base::Result<uint32_t> SqliteSalvage::root_of(std::string_view table) {
  Statement select;
  TRY(select.prepare(
      connection_,
      fmt::format("SELECT rootpage FROM sqlite_schema WHERE name = '{}'", table).c_str()));
  if (!TRY(select.step()))
    return base::fail(ErrorCode::kCorrupt, "{}: there is no {}", path_, table);
  const auto page = static_cast<uint32_t>(select.number(0));
  select.reset();
  return page;
}

base::Status SqliteSalvage::set_root(std::string_view table, uint32_t page) {
  TRY(connection_.run("PRAGMA writable_schema = ON"));
  TRY(connection_.run(
      fmt::format("UPDATE sqlite_schema SET rootpage = {} WHERE name = '{}'", page, table)
          .c_str()));
  TRY(connection_.run("PRAGMA writable_schema = RESET"));  // The schema is read again.
  // Each change would stay in the log, and that in memory.
  TRY(connection_.checkpoint());
  Statement first;
  return first.prepare(connection_, fmt::format("SELECT 1 FROM {}", table).c_str());
}

base::Error SqliteSalvage::hidden(std::string_view what) const {
  return {ErrorCode::kCorrupt, fmt::format("{}: a damaged page may hide {}", path_, what)};
}

// --- Side records.

base::Status SqliteSalvage::side(const SideVisitor& visit, const DamageVisitor& lost) {
  // What was lost of one kind says nothing of the others. All kinds that there may be:
  for (char kind = 'a'; kind <= 'z'; ++kind) TRY(side_of(kind, visit, lost));
  return {};
}

base::Status SqliteSalvage::side_of(char kind, const SideVisitor& visit,
                                    const DamageVisitor& lost) {
  const std::string begin(1, kind);
  const std::string end(1, static_cast<char>(kind + 1));
  std::set<std::string> seen;
  std::set<std::string> told;  // Of damaged ones.
  const Scan scan = [&](const char* order) -> base::Result<bool> {
    Statement select;
    TRY(select.prepare(connection_, fmt::format("SELECT key, value, side_check FROM side WHERE "
                                                "key >= ? AND key < ? ORDER BY key {}",
                                                order)
                                        .c_str()));
    select.bind(1, begin).bind(2, end);
    return run_as_far_as_possible(select, [&]() -> base::Status {
      const std::string_view key = select.blob(0);
      const std::string_view value = select.blob(1);
      if (stored_check(side_check(key, value)) == select.number(2)) {
        return seen.emplace(key).second ? visit(key, value) : base::Status();
      }
      const base::Error damaged{
          ErrorCode::kCorrupt,
          fmt::format("{}: table side, key \"{}\": the record is damaged", path_, key)};
      if (told.insert(damaged.message).second) lost(damaged);
      return {};
    });
  };
  return scan_parts("side", fmt::format("records of kind {} in table side", kind), scan, lost);
}

// --- Rows of jobs.

// Returns whether all could be read.
base::Result<bool> SqliteSalvage::collect(const char* sql, Ids& ids) {
  Statement select;
  TRY(select.prepare(connection_, sql));
  return run_as_far_as_possible(select, [&]() -> base::Status {
    ids.push_back(job_id(select.number(0)));
    return {};
  });
}

base::Result<bool> SqliteSalvage::collect_from_lanes(const std::string& order, Ids& ids,
                                                     const DamageVisitor& lost) {
  Statement select;
  TRY(select.prepare(
      connection_,
      fmt::format("SELECT {} FROM lane ORDER BY block {}", kLaneColumns, order).c_str()));
  auto record = std::make_unique<LaneRecord>();
  return run_as_far_as_possible(select, [&]() -> base::Status {
    const base::Status read = read_lane(select, path_, *record);
    if (!read) {
      lost(read.error());
      return {};
    }
    record->lane.visit([&](const JobHeader& header) { ids.push_back(header.id); });
    return {};
  });
}

// Of tables that are damaged: those that verify are visited, and added to `saved`. The ids of
// others are added to `ids`.
base::Status SqliteSalvage::rows_of_parts(const RowVisitor& visit, const DamageVisitor& lost,
                                          std::set<core::JobId>& saved, Ids& ids) {
  const Scan scan = [&](const char* order) -> base::Result<bool> {
    Statement select;
    TRY(select.prepare(
        connection_,
        fmt::format("SELECT {}, args FROM job ORDER BY id {}", kRowColumns, order).c_str()));
    return run_as_far_as_possible(select, [&]() -> base::Status {
      const core::JobId id = job_id(select.number(kColumnId));
      const base::Result<JobRow> row = read_row(select, Args::kWith, path_);
      if (!row) ids.push_back(id);
      if (!row || !saved.insert(id).second) return {};
      return visit(id, row);
    });
  };
  return scan_parts("job", "rows of table job", scan, lost);
}

base::Status SqliteSalvage::rows(const RowVisitor& visit, const DamageVisitor& lost) {
  Ids ids;
  std::set<core::JobId> saved;
  if (!TRY(collect("SELECT id FROM job ORDER BY id", ids))) {
    TRY(rows_of_parts(visit, lost, saved, ids));
  }
  if (!TRY(collect("SELECT id FROM job INDEXED BY job_rest WHERE in_lane = 0 ORDER BY state, id",
                   ids))) {
    lost(hidden("entries of index job_rest"));
    TRY(
        collect("SELECT id FROM job INDEXED BY job_rest WHERE in_lane = 0 "
                "ORDER BY state DESC, id DESC",
                ids));
  }
  if (!TRY(collect_from_lanes("ASC", ids, lost))) {
    lost(hidden("lanes"));
    TRY(collect_from_lanes("DESC", ids, [](const base::Error&) {}));
  }
  std::ranges::sort(ids);
  const auto same = std::ranges::unique(ids);
  ids.erase(same.begin(), same.end());
  std::erase_if(ids, [&](core::JobId id) { return saved.contains(id); });
  for (size_t at = 0; at < ids.size(); at += kIdsAtOnce) {
    TRY(reader_.read(std::span(ids).subspan(at, std::min(kIdsAtOnce, ids.size() - at)), visit));
  }
  return {};
}

}  // namespace store
