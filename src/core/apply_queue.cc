// QUEUE.STATS, LIST, PAUSE and RESUME; TYPE.PAUSE and RESUME.
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

// What the queue is set to. Returns how many pairs it wrote.
uint32_t write_settings(Reply& reply, const Queue& queue, int64_t oldest_ms) {
  uint32_t pairs = 0;
  const auto number = [&](std::string_view field, int64_t value) {
    reply.bulk(field);
    reply.integer(value);
    ++pairs;
  };
  for (size_t i = 0; i < kQueueNumberCount; ++i) {
    const std::optional<int64_t>& value = queue.settings.numbers[i];
    if (value) number(kQueueNumberNames[i], *value);
  }
  if (const auto& alert_ms = queue.settings.of(QueueNumber::kAlertMs)) {
    number("alert", oldest_ms > *alert_ms ? 1 : 0);
  }
  if (queue.settings.backoff) {
    reply.bulk("backoff");
    reply.bulk(backoff_text(*queue.settings.backoff));
    ++pairs;
  }
  return pairs;
}

// The types that are paused, everywhere or in this queue, if there are any. Returns how many pairs
// it wrote.
uint32_t write_paused_types(Reply& reply, const State& state, const Queue& queue) {
  const auto one = [&](std::string_view type, std::string_view scope, std::string_view reason) {
    reply.map(3);
    reply.bulk("type");
    reply.bulk(type);
    reply.bulk("in");
    reply.bulk(scope);
    reply.bulk("reason");
    reply.bulk(reason);
  };
  const std::vector<TypeName*>& everywhere = state.type_pauses().everywhere();
  const std::vector<const TypeName*>& here = queue.ready.held();
  if (everywhere.empty() && here.empty()) return 0;
  reply.bulk("paused_types");
  reply.array(static_cast<uint32_t>(everywhere.size() + here.size()));
  for (const TypeName* type : everywhere) one(type->name, "all", type->pause_reason);
  for (const TypeName* type : here) {
    one(type->name, "queue", *TypePauses::reason_in(queue, *type));
  }
  return 1;
}

// How long the queue's oldest ready job has been ready.
int64_t waited_ms(const Queue& queue, const Job& oldest, base::Now now) {
  const bool known = !oldest.record;
  ASSERT(!known || queue.oldest_known.is_of(oldest), "job {} was not read", oldest.id.value);
  return (now.engine - (known ? queue.oldest_known.ready_at : oldest.record->ready_at)).count();
}

// Fills the map that was begun. Returns how many pairs it wrote.
uint32_t write_stats(Reply& reply, const Queue& queue, base::Now now) {
  uint32_t pairs = 0;
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
  const int64_t oldest_ms = oldest != nullptr ? waited_ms(queue, *oldest, now) : 0;
  number("oldest_ms", static_cast<uint64_t>(oldest_ms));
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
  return pairs + write_settings(reply, queue, oldest_ms);
}

}  // namespace

void apply_queue_stats(Context& context, const QueueStats& stats, Answer& answer) {
  const Status fits = check_name("queue", stats.queue);
  if (!fits) return answer.reply.error(fits.error());
  static const Queue kNever;  // A queue that was never used: all zero.
  const Queue* queue = context.state.find_queue(stats.queue);
  if (queue == nullptr) queue = &kNever;
  const size_t mark = answer.reply.map_begin();
  uint32_t pairs = write_stats(answer.reply, *queue, context.now);
  pairs += write_paused_types(answer.reply, context.state, *queue);
  answer.reply.close(mark, pairs);
}

std::vector<Queue*> queues_told(const State& state, const QueueStatsAll& stats) {
  const auto has_work = [](const Queue& queue) {
    uint64_t finished = 0;
    uint64_t all = 0;
    for (size_t at = 0; at < kJobStateCount; ++at) {
      all += queue.jobs[at];
      if (is_finished(static_cast<JobState>(at))) finished += queue.jobs[at];
    }
    return all > finished;
  };
  std::vector<Queue*> told;
  for (const bool with_work : {true, false}) {
    for (const auto& queue : state.queues()) {
      if (!queue->is_known()) continue;
      if (told.size() == stats.queues_max) return told;
      if (has_work(*queue) == with_work) told.push_back(queue.get());
    }
  }
  return told;
}

void apply_queue_stats_all(Context& context, const QueueStatsAll& stats, Answer& answer) {
  const std::vector<Queue*> told = queues_told(context.state, stats);
  answer.reply.map(static_cast<uint32_t>(told.size()));
  for (const Queue* queue : told) {
    answer.reply.bulk(queue->name);
    const size_t stats = answer.reply.map_begin();
    answer.reply.close(stats, write_stats(answer.reply, *queue, context.now));
  }
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
  if (fits) fits = check_queue_bound(context.state, pause.queue);
  if (fits) fits = check_not_deleted(context.state, pause.queue);
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

namespace {

Status check_type_pause(const State& state, const TypePause& pause) {
  TRY(check_name("type", pause.type));
  if (!pause.queue.empty()) TRY(check_name("QUEUE", pause.queue));
  TRY(check_bytes("REASON", pause.reason.size(), limits::kErrorClassBytesMax));
  TRY(check_type_bound(state, pause.type));
  if (!pause.queue.empty()) TRY(check_queue_bound(state, pause.queue));
  if (state.type_pauses().count() < limits::kTypePausesMax) return {};
  return base::fail(ErrorCode::kQuota, "limit={} pauses of types: resume some, or pause queues",
                    limits::kTypePausesMax);
}

}  // namespace

void apply_type_pause(Context& context, const TypePause& pause, Answer& answer) {
  const Status fits = check_type_pause(context.state, pause);
  if (!fits) return answer.reply.error(fits.error());
  emit(context,
       TypePausePut{
           .type = pause.type, .queue = pause.queue, .paused = true, .reason = pause.reason});
  answer.reply.ok();
}

// Without a queue it ends the pauses of single queues too: the type runs again.
void apply_type_resume(Context& context, const TypeResume& resume, Answer& answer) {
  Status fits = check_name("type", resume.type);
  if (fits && !resume.queue.empty()) fits = check_name("QUEUE", resume.queue);
  if (!fits) return answer.reply.error(fits.error());
  answer.reply.ok();
  const TypeName* type = context.state.find_type(resume.type);
  if (type == nullptr) return;
  std::vector<std::string_view> queues;
  for (const TypeName::Pause& pause : type->paused_in) {
    if (resume.queue.empty() || pause.queue->name == resume.queue) {
      queues.push_back(pause.queue->name);
    }
  }
  if (type->paused && resume.queue.empty()) emit(context, TypePausePut{.type = resume.type});
  for (const std::string_view queue : queues) {
    emit(context, TypePausePut{.type = resume.type, .queue = queue});
  }
}

}  // namespace core
