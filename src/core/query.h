// What a list, a count or an operation is about: terms that all hold for each of its jobs. Made
// from text by the protocol folder; the same for every door.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/job.h"

namespace core {

// Never renumber: operations are stored with their queries.
enum class QueryField : uint8_t {
  kState,
  kQueue,
  kType,
  kId,
  kKey,
  kPriority,
  kAttempt,
  kCrashes,
  kAge,     // Milliseconds since the push.
  kWorker,  // Of the last attempt, or the one that runs.
  kError,   // Words in class or message of the last failure.
  kTag,     // The meta field `tag`, or one of `tags`.
  kMeta,    // A meta field.
  kArgs,    // What args that are JSON have at a path.
};
inline constexpr size_t kQueryFieldCount = 14;

enum class Compare : uint8_t { kIs, kAbove, kAtLeast, kBelow, kAtMost };
inline constexpr size_t kCompareCount = 5;

struct QueryTerm {
  QueryField field = QueryField::kState;
  Compare compare = Compare::kIs;  // Of numbers.
  int64_t number = 0;              // Of numbers; of kState a bit for each state.
  std::string path = {};           // Of kMeta and kArgs.
  std::vector<std::string> texts =
      {};  // Of the others: one of them has to fit. Names may end in *.
  bool operator==(const QueryTerm&) const = default;
};

struct Query {
  std::string text = {};  // As it was sent.
  std::vector<QueryTerm> terms = {};

  // The states that it leaves, as bits.
  uint8_t states() const;
  // Whether its terms look at more than a job's header.
  bool needs_record() const;
  // Whether the counts that queues keep by state answer how many it picks.
  bool is_counted() const;
  bool operator==(const Query&) const = default;
};

// Whether a term that looks at the header, or at the record, holds. Requires for the latter: the
// record is in memory.
bool is_of_header(QueryField field);
bool header_fits(const QueryTerm& term, const Job& job);
bool record_fits(const QueryTerm& term, const Job& job, base::Now now);

// Whether the text fits a name that may end in *.
bool fits_pattern(std::string_view pattern, std::string_view text);

}  // namespace core
