#include "sdk/cpp/fetch_plan.h"

#include <algorithm>

namespace dray::detail {
namespace {

// A fetch beside running handlers says what is held; after this time it may say something else.
constexpr milliseconds kBlockInCompany{1'000};
// Leases whose end is not yet delivered do not pile up when the server is slow to answer.
constexpr size_t kHeldPerThread = 2;

}  // namespace

FetchPlanner::FetchPlanner(const WorkerOptions& options, base::MonoTime now)
    : concurrency_(static_cast<size_t>(options.concurrency)),
      block_(options.block),
      interval_(options.suspect_interval),
      patience_(options.suspect_patience),
      alone_last_(now) {}

FetchPlan FetchPlanner::plan(const FetchState& state) {
  FetchPlan plan;
  if (state.quiet || state.busy >= concurrency_ || state.held >= concurrency_ * kHeldPerThread) {
    return plan;
  }
  if (state.held == 0) {
    alone_last_ = state.now;
    emptying_since_ = {};
    plan.kind = FetchPlan::Kind::kFetch;
    plan.count = 1;
    plan.block = block_;
    return plan;
  }
  // With one thread the next fetch waits for the delivery of the last answer, and is always alone.
  if (state.runs_alone || concurrency_ == 1) return plan;
  const bool is_emptying = emptying_since_ != base::MonoTime{};
  if (is_emptying && state.now < emptying_since_ + patience_) {
    plan.until = Deadline::at(emptying_since_ + patience_);
    return plan;
  }
  if (is_emptying) {  // It took too long: the running handlers are not worth more idle threads.
    emptying_since_ = {};
    alone_last_ = state.now;
  } else if (interval_.count() > 0 && state.now >= alone_last_ + interval_) {
    emptying_since_ = state.now;
    plan.until = Deadline::at(state.now + patience_);
    return plan;
  }
  plan.kind = FetchPlan::Kind::kFetch;
  // Never more than there are threads for; the server's limit of one fetch is 1,000.
  plan.count = static_cast<int>(std::min<size_t>(concurrency_ - state.busy, 1'000));
  plan.holding = state.held;
  plan.block = std::min(block_, kBlockInCompany);
  return plan;
}

bool may_die_by_crash(const JobRecord& job) {
  return !job.finished_state() && (job.suspect || job.crashes + 1 >= job.max_crashes);
}

}  // namespace dray::detail
