#include "core/job_walk.h"

#include <algorithm>

#include "base/assert.h"
#include "base/base32.h"

namespace core {
namespace {

bool fits(const QueryTerm& term, QueryField field, std::string_view name) {
  return term.field != field || std::ranges::any_of(term.texts, [&](const std::string& pattern) {
           return fits_pattern(pattern, name);
         });
}

// Records that are asked for together, so few that the reader is soon free for others; and their
// bytes, about.
constexpr size_t kRecordsAhead = 64;
constexpr uint64_t kAheadBytesMax = limits::kPoolBytesMax / 4;

// What a look at the record costs, in looks at headers: args may be parsed, texts be searched.
size_t cost_of(const Job& job) {
  constexpr size_t kBytesOfALook = 64;
  return 16 + job.record->bytes / kBytesOfALook;
}

}  // namespace

JobWalk::JobWalk(const Query& query, Order order, const Scope& scope)
    : query_(query),
      order_(order),
      scope_(scope),
      next_(order == Order::kUp ? scope.first : scope.last) {
  scope_.states &= query.states();
  scope_.with_records |= query.needs_record();
  for (const QueryTerm& term : query.terms) {
    if (term.field != QueryField::kId || has_only_) continue;
    has_only_ = true;
    for (const std::string& text : term.texts) {
      const std::optional<uint64_t> id = base::base32_decode_u64(text);
      if (id) only_.push_back(JobId{*id});
    }
    std::ranges::sort(only_);
    const auto same = std::ranges::unique(only_);
    only_.erase(same.begin(), same.end());
  }
  done_ = scope.first > scope.last || scope_.states == 0;
}

bool JobWalk::has_terms_of(QueryField field) const {
  return std::ranges::find(query_.terms, field, &QueryTerm::field) != query_.terms.end();
}

// Names may have come since the last step.
void JobWalk::learn_names(const State& state) {
  const auto learn = [&](const auto& names, QueryField field, std::vector<bool>& fit,
                         uint64_t& bits) {
    if (!has_terms_of(field)) {
      bits = ~uint64_t{0};
      return;
    }
    for (size_t i = fit.size(); i < names.size(); ++i) {
      const std::string& name = names[i]->name;
      fit.push_back(std::ranges::all_of(
          query_.terms, [&](const QueryTerm& term) { return fits(term, field, name); }));
      if (fit.back()) bits |= IdBlocks::bit_of(static_cast<uint32_t>(i));
    }
  };
  learn(state.queues(), QueryField::kQueue, queue_fits_, queue_bits_);
  learn(state.types(), QueryField::kType, type_fits_, type_bits_);
}

bool JobWalk::has_any(const IdBlocks::Block& block) const {
  if ((block.queues & queue_bits_) == 0 || (block.types & type_bits_) == 0) return false;
  for (size_t i = 0; i < kJobStateCount; ++i) {
    if ((scope_.states >> i & 1) != 0 && block.jobs[i] != 0) return true;
  }
  return false;
}

bool JobWalk::header_fits_all(const Job& job) const {
  if ((scope_.states >> static_cast<int>(job.state) & 1) == 0) return false;
  if (!queue_fits_.empty() && !queue_fits_[job.queue->index]) return false;
  if (!type_fits_.empty() && !type_fits_[job.type->index]) return false;
  return std::ranges::all_of(query_.terms, [&](const QueryTerm& term) {
    const bool is_known = term.field <= QueryField::kType;  // From the bits above.
    return is_known || !is_of_header(term.field) || header_fits(term, job);
  });
}

bool JobWalk::record_fits_all(const Job& job, base::Now now) const {
  return std::ranges::all_of(query_.terms, [&](const QueryTerm& term) {
    return is_of_header(term.field) || record_fits(term, job, now);
  });
}

std::optional<JobId> JobWalk::after(JobId id) const {
  if (order_ == Order::kUp) {
    return id >= scope_.last ? std::nullopt : std::optional(JobId{id.value + 1});
  }
  return id <= scope_.first ? std::nullopt : std::optional(JobId{id.value - 1});
}

// Returns the first id from `from` on, in the order of the walk, of whose block something may fit;
// or, when it has looked at as much as it may, where to go on.
std::optional<JobId> JobWalk::skip_to_block(Look& look, JobId from) const {
  const auto& blocks = look.state.blocks().blocks();
  const uint64_t number = IdBlocks::number_of(from);
  const auto is_passed_over = [&](const IdBlocks::Block& block) {
    if (look.left == 0 || has_any(block)) return false;
    --look.left;
    return true;
  };
  if (order_ == Order::kUp) {
    for (auto at = blocks.lower_bound(number); at != blocks.end(); ++at) {
      if (is_passed_over(at->second)) continue;
      const JobId id = std::max(from, IdBlocks::first_of(at->first));
      return id > scope_.last ? std::nullopt : std::optional(id);
    }
    return std::nullopt;
  }
  for (auto at = blocks.upper_bound(number); at != blocks.begin();) {
    --at;
    if (is_passed_over(at->second)) continue;
    const JobId id = std::min(from, IdBlocks::last_of(at->first));
    return id < scope_.first ? std::nullopt : std::optional(id);
  }
  return std::nullopt;
}

// Returns the id of the next job whose header fits, from `from` on, in `found`; or, with null in
// `found`, where to go on. Nothing: there is none.
std::optional<JobId> JobWalk::next_candidate(Look& look, JobId from, Job*& found) const {
  found = nullptr;
  std::optional<JobId> id = has_only_ ? next_named(from) : skip_to_block(look, from);
  while (id && look.left > 0) {
    --look.left;
    Job* job = look.state.find(*id);
    if (job != nullptr && header_fits_all(*job)) {
      found = job;
      return id;
    }
    const uint64_t block = IdBlocks::number_of(*id);
    id = after(*id);
    if (id && has_only_) {
      id = next_named(*id);
    } else if (id && IdBlocks::number_of(*id) != block) {
      id = skip_to_block(look, *id);
    }
  }
  return id;
}

// Returns the first of the ids that the query names, from `from` on.
std::optional<JobId> JobWalk::next_named(JobId from) const {
  std::optional<JobId> id;
  if (order_ == Order::kUp) {
    const auto at = std::ranges::lower_bound(only_, from);
    if (at != only_.end() && *at <= scope_.last) id = *at;
  } else {
    const auto at = std::ranges::upper_bound(only_, from);
    if (at != only_.begin() && *std::prev(at) >= scope_.first) id = *std::prev(at);
  }
  return id;
}

// The records of the jobs that come next are asked for together.
void JobWalk::want_ahead(Look look, JobId from) {
  Residency& residency = look.state.residency();
  size_t most = std::min(kRecordsAhead, residency.wants_within(kAheadBytesMax));
  std::optional<JobId> id = from;
  Job* job = nullptr;
  // The first is needed whatever the room.
  for (most = std::max<size_t>(most, 1); id && most > 0; --most) {
    id = next_candidate(look, *id, job);
    if (job == nullptr) return;
    if (!job->record) {
      residency.want(*job);
      asked_.push_back(*id);
    }
    id = after(*id);
  }
}

// What was read for the walk alone is of no more use: it must not push out of memory what is read
// ahead for the workers.
void JobWalk::leave_behind(State& state) {
  const auto is_passed = [&](JobId id) {
    return done_ || (order_ == Order::kUp ? id < next_ : id > next_);
  };
  for (; !asked_.empty() && is_passed(asked_.front()); asked_.pop_front()) {
    Job* job = state.find(asked_.front());
    if (job != nullptr && job->pooled && Residency::can_leave(*job)) state.residency().let_go(*job);
  }
}

JobWalk::Step JobWalk::step(State& state, base::Now now, size_t most, const Visit& visit) {
  learn_names(state);
  leave_behind(state);
  Look look{state, most};
  while (!done_) {
    Job* job = nullptr;
    const size_t left = look.left;
    const std::optional<JobId> id = next_candidate(look, next_, job);
    ids_ += left - look.left;
    if (id) next_ = *id;
    done_ = !id;
    if (job == nullptr) break;
    if (scope_.with_records && !job->record) {
      if (!job->wanted) want_ahead({state, most}, *id);
      return Step::kMisses;
    }
    if (scope_.with_records) ++records_;
    if (query_.needs_record()) look.left -= std::min(look.left, cost_of(*job));
    const std::optional<JobId> after_it = after(*id);
    done_ = !after_it;
    if (after_it) next_ = *after_it;
    const bool is_picked = !query_.needs_record() || record_fits_all(*job, now);
    if (is_picked && !visit(*job)) break;
  }
  return done_ ? Step::kDone : Step::kMore;
}

}  // namespace core
