// JOB.LIST and JOB.COUNT: over the jobs that a query picks, in steps.
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

constexpr JobId kOldest{0};
// Records that a page may look at, if it is not asked for more jobs: where they lie far apart, each
// is a read of its own.
constexpr uint64_t kPageRecordsMax = 500;

uint64_t count_of(const State& state, const Query& query) {
  const uint8_t states = query.states();
  uint64_t count = 0;
  for (const auto& queue : state.queues()) {
    const bool is_picked = std::ranges::all_of(query.terms, [&](const QueryTerm& term) {
      return term.field != QueryField::kQueue ||
             std::ranges::any_of(term.texts, [&](const std::string& pattern) {
               return fits_pattern(pattern, queue->name);
             });
    });
    if (!is_picked) continue;
    for (size_t i = 0; i < kJobStateCount; ++i) {
      if ((states >> i & 1) != 0) count += queue->jobs[i];
    }
  }
  return count;
}

void write_page(Reply& reply, const WalkInProgress& page) {
  const bool is_last = page.walk.is_done();
  reply.map(is_last ? 1 : 2);
  if (!is_last) {
    reply.bulk("cursor");
    reply.bulk(job_id_text(page.walk.next()));
  }
  reply.bulk("jobs");
  reply.array(static_cast<uint32_t>(page.picked));
  reply.append(page.jobs);
}

}  // namespace

bool go_on(Context& context, WalkInProgress& progress, const JobWalk::Visit& visit) {
  const JobWalk::Step step =
      progress.walk.step(context.state, context.now, context.walk_ids_most, visit);
  progress.can_go_on = step == JobWalk::Step::kMore;
  return step == JobWalk::Step::kDone;
}

// A page also ends short of its jobs where much had to be looked at: its cursor leads on.
void apply_list(Context& context, const ListJobs& list, Answer& answer) {
  const Status fits = check_range("COUNT", list.count, {1, limits::kListCountMax});
  if (!fits) return answer.reply.error(fits.error());
  if (!answer.walk) {
    const JobId newest{context.state.id_next().value - 1};
    const JobWalk::Scope scope{.first = kOldest,
                               .last = list.cursor ? std::min(*list.cursor, newest) : newest,
                               .with_records = true};
    answer.walk = std::make_unique<WalkInProgress>(
        WalkInProgress{.walk = JobWalk(list.query, JobWalk::Order::kDown, scope)});
  }
  WalkInProgress& page = *answer.walk;
  const uint64_t records_max = std::max(kPageRecordsMax, static_cast<uint64_t>(list.count));
  const auto is_full = [&] {
    return page.picked >= static_cast<uint64_t>(list.count) ||
           page.jobs.tape().size() >= limits::kReplyBytesMax ||
           page.walk.records() >= records_max || page.walk.ids() >= limits::kListIdsMax;
  };
  const bool is_over = go_on(context, page, [&](Job& job) {
    write_job_summary(page.jobs, job, context.now);
    ++page.picked;
    return !is_full();
  });
  if (!is_over && !is_full()) return;
  write_page(answer.reply, page);
  answer.walk.reset();
}

void apply_count(Context& context, const CountJobs& count, Answer& answer) {
  if (count.query.is_counted()) {
    return answer.reply.integer(static_cast<int64_t>(count_of(context.state, count.query)));
  }
  const auto counted = count_picked(context, count.query, {}, answer);
  if (!counted) return answer.reply.error(counted.error());
  if (*counted) answer.reply.integer(static_cast<int64_t>(**counted));
}

base::Result<std::optional<uint64_t>> count_picked(Context& context, const Query& query,
                                                   std::optional<uint8_t> states, Answer& answer) {
  if (!answer.walk) {
    const JobWalk::Scope scope{.first = kOldest,
                               .last = JobId{context.state.id_next().value - 1},
                               .states = states.value_or(JobWalk::kAllStates)};
    answer.walk = std::make_unique<WalkInProgress>(
        WalkInProgress{.walk = JobWalk(query, JobWalk::Order::kUp, scope)});
  }
  WalkInProgress& walk = *answer.walk;
  const bool is_over = go_on(context, walk, [&](Job&) {
    ++walk.picked;
    return true;
  });
  const uint64_t records = walk.walk.records();
  if (!is_over && records < limits::kCountRecordsMax) return std::optional<uint64_t>();
  const uint64_t picked = walk.picked;
  answer.walk.reset();
  if (is_over) return std::optional(picked);
  return base::fail(ErrorCode::kTooBig,
                    "limit={} got=more records that the query has to read: narrow it by state, "
                    "queue, type or id",
                    limits::kCountRecordsMax);
}

}  // namespace core
