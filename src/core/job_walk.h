// Goes over the jobs that a query picks, in order of id, in steps: the engine does other things
// between two of them. Each job is looked at once, as it is then.
//
// Threading: as State. Lifetime: the query must outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "base/time.h"
#include "core/query.h"
#include "core/state.h"

namespace core {

class JobWalk {
 public:
  enum class Order : uint8_t { kUp, kDown };
  enum class Step : uint8_t {
    kDone,  // All jobs have been looked at.
    kMore,  // The step is over: there was as much to look at as it may, or the visitor had enough.
    kMisses,  // The next one's record is being read.
  };
  // Is told of each job that the query picks. Returns whether to go on after it.
  using Visit = std::function<bool(Job&)>;

  static constexpr uint8_t kAllStates = 0xff;

  struct Scope {
    JobId first = {};  // Both are included.
    JobId last = {};
    uint8_t states = kAllStates;  // As bits; the query may leave fewer.
    bool with_records = false;    // The visitor needs them.
  };
  JobWalk(const Query& query, Order order, const Scope& scope);
  JobWalk(Query&& query, Order order, const Scope& scope) = delete;  // It would be gone.

  // Looks at jobs, at most at `most` ids. The visitor may change, finish or remove the job.
  Step step(State& state, base::Now now, size_t most, const Visit& visit);

  // The id to look at next. Jobs before it have been looked at.
  JobId next() const { return next_; }
  bool is_done() const { return done_; }
  // Ids that were looked at so far, and records that were needed.
  uint64_t ids() const { return ids_; }
  uint64_t records() const { return records_; }

 private:
  struct Look {
    State& state;
    size_t left;  // Ids that may be looked at yet.
  };

  bool has_any(const IdBlocks::Block& block) const;
  bool header_fits_all(const Job& job) const;
  bool record_fits_all(const Job& job, base::Now now) const;
  bool has_terms_of(QueryField field) const;
  std::optional<JobId> skip_to_block(Look& look, JobId from) const;
  std::optional<JobId> next_named(JobId from) const;
  std::optional<JobId> after(JobId id) const;
  std::optional<JobId> next_candidate(Look& look, JobId from, Job*& found) const;
  void want_ahead(Look look, JobId from);
  void leave_behind(State& state);
  void learn_names(const State& state);

  const Query& query_;
  Order order_;
  Scope scope_;
  std::vector<JobId> only_;  // If the query names ids: these, in order.
  bool has_only_ = false;
  // By index: whether a queue or a type fits (empty: all do); and bits of the indexes that do, for
  // blocks.
  std::vector<bool> queue_fits_;
  std::vector<bool> type_fits_;
  uint64_t queue_bits_ = 0;
  uint64_t type_bits_ = 0;
  // Asked for by this walk and not passed yet, in its order.
  std::deque<JobId> asked_;
  JobId next_;
  bool done_ = false;
  uint64_t ids_ = 0;
  uint64_t records_ = 0;
};

}  // namespace core
