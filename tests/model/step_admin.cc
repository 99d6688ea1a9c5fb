// What an operator says: pauses of types, settings of queues, words to workers.
#include <algorithm>
#include <initializer_list>

#include "model/step.h"

namespace model {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kRunsMax = 1'000;
constexpr int64_t kLengthMax = 1'000'000'000'000;
constexpr int64_t kHeardMs = 60'000;
constexpr size_t kWorkerBytesMax = 128;
const std::string kReset = "0";

bool outside(const std::optional<int64_t>& value, int64_t high) {
  return value && !within(*value, 0, high);
}

bool refused(const QueueSet& set) {
  const QueueSettings& change = set.change;
  const bool none = !change.length_max && !change.attempts && !change.backoff && !change.lease_ms &&
                    !change.timeout_ms && !change.keep_ms && !change.crashes && !change.alert_ms;
  if (none || !valid_name(set.queue)) return true;
  if (change.backoff && *change.backoff != kReset && !parse_backoff(*change.backoff)) return true;
  return outside(change.length_max, kLengthMax) || outside(change.attempts, kRunsMax) ||
         outside(change.lease_ms, kDayMs) || outside(change.timeout_ms, kDurationMsMax) ||
         outside(change.keep_ms, kDurationMsMax) || outside(change.crashes, kRunsMax) ||
         outside(change.alert_ms, kDurationMsMax);
}

void set_one(std::optional<int64_t>& setting, const std::optional<int64_t>& change) {
  if (!change) return;
  setting = *change == 0 ? std::nullopt : change;
}

bool refused(const std::string& type, const std::optional<std::string>& queue) {
  return !valid_name(type) || (queue && !valid_name(*queue));
}

}  // namespace

Reply Step::type_pause(const TypePause& pause) {
  if (refused(pause.type, pause.queue)) return error_reply("BADREQ");
  w_.type_pauses[{pause.type, pause.queue.value_or("")}] = pause.reason;
  return ok_reply();
}

// Without a queue it ends every pause of the type.
Reply Step::type_resume(const TypeResume& resume) {
  if (refused(resume.type, resume.queue)) return error_reply("BADREQ");
  if (resume.queue) {
    w_.type_pauses.erase({resume.type, *resume.queue});
  } else {
    std::erase_if(w_.type_pauses,
                  [&](const auto& pause) { return pause.first.first == resume.type; });
  }
  return ok_reply();
}

bool Step::type_paused(const Job& job) const {
  return w_.type_pauses.count({job.view.type, ""}) > 0 ||
         w_.type_pauses.count({job.view.type, job.view.queue}) > 0;
}

Reply Step::queue_set(const QueueSet& set) {
  if (refused(set)) return error_reply("BADREQ");
  QueueSettings& settings = w_.queues[set.queue].settings;
  const QueueSettings& change = set.change;
  set_one(settings.length_max, change.length_max);
  set_one(settings.attempts, change.attempts);
  set_one(settings.lease_ms, change.lease_ms);
  set_one(settings.timeout_ms, change.timeout_ms);
  set_one(settings.keep_ms, change.keep_ms);
  set_one(settings.crashes, change.crashes);
  set_one(settings.alert_ms, change.alert_ms);
  if (change.backoff) settings.backoff = change.backoff;
  if (settings.backoff == kReset) settings.backoff.reset();
  return ok_reply();
}

// Of a name that was not heard of lately either is right: that there is no such worker, or that the
// word will be told to whoever comes by that name.
Reply Step::tell_worker(const TellWorker& tell, const Reply* seen) {
  if (tell.worker.empty() || tell.worker.size() > kWorkerBytesMax) return error_reply("BADREQ");
  const auto heard = w_.workers_heard_ms.find(tell.worker);
  const bool known =
      w_.told_workers.count(tell.worker) > 0 ||
      (heard != w_.workers_heard_ms.end() && w_.now.engine_ms - heard->second <= kHeardMs);
  if (!known && seen != nullptr && seen->code == "NOTFOUND") return error_reply("NOTFOUND");
  std::string& told = w_.told_workers[tell.worker];
  if (tell.stop) {
    told = "stop";
  } else if (told.empty()) {
    told = "quiet";
  }
  return ok_reply();
}

std::string Step::worker_state(const std::string& worker) const {
  const auto told = w_.told_workers.find(worker);
  return told == w_.told_workers.end() ? "run" : told->second;
}

void Step::hear_worker(const std::string& worker) {
  w_.workers_heard_ms[worker] = w_.now.engine_ms;
}

void Step::end_worker(const std::string& worker) {
  w_.told_workers.erase(worker);
  w_.workers_heard_ms.erase(worker);
}

}  // namespace model
