// QUEUE.STATS, LIST, PAUSE and RESUME.
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

void write_stats(Reply& reply, const Queue& queue, base::Now now) {
  uint32_t pairs = 0;
  const size_t mark = reply.map_begin();
  const auto number = [&](std::string_view field, uint64_t value) {
    reply.bulk(field);
    reply.integer(static_cast<int64_t>(value));
    ++pairs;
  };
  for (size_t state = 0; state < kJobStateCount; ++state) {
    const auto name = job_state_name(static_cast<JobState>(state));
    // What is kept of the finished, next to the totals of the same name below.
    const bool kept = is_finished(static_cast<JobState>(state)) &&
                      static_cast<JobState>(state) != JobState::kDead;
    number(kept ? std::string(name) + "_kept" : std::string(name), queue.jobs[state]);
  }
  const Job* oldest = queue.ready.oldest();
  const auto waits_ms = [&] { return (now.engine - oldest->record->ready_at).count(); };
  number("oldest_ms", oldest != nullptr ? static_cast<uint64_t>(waits_ms()) : 0);
  const QueueCounters& counters = queue.counters;
  number("pushed", counters.pushed);
  number("started", counters.started);
  number("succeeded", counters.succeeded);
  number("failed", counters.failed);
  number("retrying", counters.retrying);
  number("retried", counters.retried);
  number("released", counters.released);
  number("lost", counters.lost);
  number("died", counters.dead);
  number("cancelled", counters.cancelled);
  number("expired", counters.expired);
  number("deleted", counters.deleted);
  number("retired", counters.retired);
  number("paused", queue.paused ? 1 : 0);
  if (queue.paused) {
    reply.bulk("pause_reason");
    reply.bulk(queue.pause_reason);
    ++pairs;
  }
  reply.close(mark, pairs);
}

}  // namespace

void apply_queue_stats(Context& context, const QueueStats& stats, Answer& answer) {
  const Status fits = check_name("queue", stats.queue);
  if (!fits) return answer.reply.error(fits.error());
  static const Queue kNever;  // A queue that was never used: all zero.
  const Queue* queue = context.state.find_queue(stats.queue);
  write_stats(answer.reply, queue != nullptr ? *queue : kNever, context.now);
}

void apply_queue_stats_all(Context& context, Answer& answer) {
  uint32_t known = 0;
  const size_t mark = answer.reply.map_begin();
  for (const auto& queue : context.state.queues()) {
    if (!queue->is_known()) continue;
    answer.reply.bulk(queue->name);
    write_stats(answer.reply, *queue, context.now);
    ++known;
  }
  answer.reply.close(mark, known);
}

void apply_queue_list(Context& context, const QueueList& list, Answer& answer) {
  std::vector<std::string_view> names;
  for (const auto& queue : context.state.queues()) {
    if (queue->is_known() && list.sight.sees(queue->name)) names.push_back(queue->name);
  }
  std::ranges::sort(names);
  answer.reply.array(static_cast<uint32_t>(names.size()));
  for (const std::string_view name : names) answer.reply.bulk(name);
}

void apply_queue_pause(Context& context, const QueuePause& pause, Answer& answer) {
  Status fits = check_name("queue", pause.queue);
  if (fits) fits = check_bytes("REASON", pause.reason.size(), limits::kErrorClassBytesMax);
  const bool fresh = context.state.find_queue(pause.queue) == nullptr;
  if (fits && fresh && context.state.queues().size() >= limits::kQueuesMax) {
    fits = base::fail(ErrorCode::kOverloaded, "retry_ms=60000 limit={} queues", limits::kQueuesMax);
  }
  if (!fits) return answer.reply.error(fits.error());
  emit(context, QueuePut{.name = pause.queue, .paused = true, .reason = pause.reason});
  answer.reply.ok();
}

void apply_queue_resume(Context& context, const QueueResume& resume, Answer& answer) {
  const Status fits = check_name("queue", resume.queue);
  if (!fits) return answer.reply.error(fits.error());
  const Queue* queue = context.state.find_queue(resume.queue);
  if (queue != nullptr && queue->paused) {
    emit(context, QueuePut{.name = resume.queue, .paused = false});
  }
  answer.reply.ok();
}

}  // namespace core
