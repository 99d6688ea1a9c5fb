#include "core/audit.h"

#include <algorithm>

#include "core/state.h"

namespace core {
namespace {

// Whether something will move the job on: a worker, a timer, or whoever looks at dead jobs.
bool is_in_limbo(const State& state, const Job& job) {
  const bool has_timer = state.timers().holds(job);
  switch (job.state) {
    case JobState::kWaiting:
      return true;  // For parents, which no job has yet.
    case JobState::kScheduled:
      return !has_timer && !state.wall_timers().holds(job);
    case JobState::kReady:
      return !job.linked;
    case JobState::kRunning:
      return !has_timer;
    case JobState::kDead:
      return false;
    default:
      return !has_timer && !job.linked;  // In the history.
  }
}

}  // namespace

int64_t unaccounted_jobs(const State& state) {
  int64_t missing = 0;
  for (const auto& queue : state.queues()) {
    const QueueCounters& counters = queue->counters;
    missing += static_cast<int64_t>(counters.pushed - counters.deleted - counters.retired);
    missing += queue->balance;
    for (const uint64_t jobs : queue->jobs) missing -= static_cast<int64_t>(jobs);
  }
  return missing - static_cast<int64_t>(state.damaged() + state.damaged_removed());
}

void Audit::begin(const State& state) {
  running_ = true;
  seen_ = 0;
  last_ = state.jobs().places();
  counts_.assign(state.queues().size(), Counts{});
  report_ = {};
}

bool Audit::step(const State& state, uint32_t places_most) {
  const uint32_t end = last_ - seen_ > places_most ? seen_ + places_most : last_;
  state.jobs().for_each_in_places(seen_ + 1, end, [&](const Job& job) { look(state, job); });
  seen_ = end;
  if (seen_ < last_) return false;
  compare(state);
  running_ = false;
  return true;
}

void Audit::note(const State& state, const Job& job, int64_t by) {
  if (!was_seen(state.jobs().place_of(job))) return;
  counts_of(*job.queue)[static_cast<size_t>(job.state)] += by;
}

Audit::Counts& Audit::counts_of(const Queue& queue) {
  if (queue.index >= counts_.size()) counts_.resize(queue.index + 1);
  return counts_[queue.index];
}

void Audit::look(const State& state, const Job& job) {
  ++report_.jobs;
  ++counts_of(*job.queue)[static_cast<size_t>(job.state)];
  if (is_in_limbo(state, job)) {
    find(fmt::format("job {} of queue '{}' is {}, and nothing will move it on", job_id_text(job.id),
                     job.queue->name, job_state_name(job.state)));
  }
  if (job.record == nullptr && (!job.in_tables || job.written != Written::kClean)) {
    find(fmt::format("job {} of queue '{}' has a record neither in memory nor in the tables",
                     job_id_text(job.id), job.queue->name));
  }
}

void Audit::compare(const State& state) {
  counts_.resize(std::max(counts_.size(), state.queues().size()));
  for (const auto& queue : state.queues()) {
    for (size_t i = 0; i < kJobStateCount; ++i) {
      const int64_t found = counts_[queue->index][i];
      if (static_cast<int64_t>(queue->jobs[i]) == found) continue;
      find(fmt::format("queue '{}' counts {} jobs {}, but has {}", queue->name, queue->jobs[i],
                       job_state_name(static_cast<JobState>(i)), found));
    }
  }
}

void Audit::find(std::string text) {
  ++report_.findings;
  if (report_.texts.size() < kTextsMax) report_.texts.push_back(std::move(text));
}

}  // namespace core
