#include "store/sqlite/sqlite_salvage.h"

#include <algorithm>
#include <set>
#include <utility>

#include "store/row_check.h"
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
  TRY(connection_.open(path_, vfs_.name()));
  return reader_.open(path_, vfs_.name());
}

std::optional<uint64_t> SqliteSalvage::applied_seq() {
  SumsTables sums;
  if (!sums.prepare(connection_)) return std::nullopt;
  const auto meta = sums.load_meta();
  if (!meta) return std::nullopt;
  return meta->applied_seq;
}

base::Status SqliteSalvage::side(const SideVisitor& visit, const DamageVisitor& lost) {
  // What was lost of one kind says nothing of the others. All kinds that there may be:
  for (char kind = 'a'; kind <= 'z'; ++kind) TRY(side_of(kind, visit, lost));
  return {};
}

// Forwards up to the first damaged page, then backwards down to the last one.
base::Status SqliteSalvage::side_of(char kind, const SideVisitor& visit,
                                    const DamageVisitor& lost) {
  const std::string begin(1, kind);
  const std::string end(1, static_cast<char>(kind + 1));
  std::set<std::string> seen;
  for (const char* order : {"ASC", "DESC"}) {
    Statement select;
    TRY(select.prepare(connection_, fmt::format("SELECT key, value, side_check FROM side WHERE key "
                                                ">= ? AND key < ? ORDER BY key {}",
                                                order)
                                        .c_str()));
    select.bind(1, begin).bind(2, end);
    const bool is_whole = TRY(run_as_far_as_possible(select, [&]() -> base::Status {
      const std::string_view key = select.blob(0);
      const std::string_view value = select.blob(1);
      if (!seen.emplace(key).second) return {};
      if (stored_check(side_check(key, value)) == select.number(2)) return visit(key, value);
      lost({ErrorCode::kCorrupt,
            fmt::format("{}: table side, key \"{}\": the record is damaged", path_, key)});
      return {};
    }));
    if (is_whole) break;
    if (order[0] == 'A') lost(hidden(fmt::format("records of kind {} in table side", kind)));
  }
  return {};
}

base::Error SqliteSalvage::hidden(std::string_view what) const {
  return {ErrorCode::kCorrupt, fmt::format("{}: a damaged page may hide {}", path_, what)};
}

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

base::Status SqliteSalvage::rows(const RowVisitor& visit, const DamageVisitor& lost) {
  Ids ids;
  if (!TRY(collect("SELECT id FROM job ORDER BY id", ids))) {
    lost(hidden("rows of table job"));
    TRY(collect("SELECT id FROM job ORDER BY id DESC", ids));
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
  for (size_t at = 0; at < ids.size(); at += kIdsAtOnce) {
    TRY(reader_.read(std::span(ids).subspan(at, std::min(kIdsAtOnce, ids.size() - at)), visit));
  }
  return {};
}

}  // namespace store
