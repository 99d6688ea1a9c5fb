// What an operator says: pauses of types, settings of queues, words to workers.
#include <algorithm>
#include <initializer_list>

#include "model/step.h"

namespace model {
namespace {

constexpr int64_t kLengthMax = 1'000'000'000'000;
constexpr int64_t kIdleMs = 300'000;

bool refused_set(const QueueSet& set) {
  const QueueSettings& change = set.change;
  const bool none = !change.length_max && !change.attempts && !change.backoff && !change.lease_ms &&
                    !change.timeout_ms && !change.keep_ms && !change.crashes && !change.alert_ms &&
                    !change.age_ms && set.defaults.empty();
  if (none || !valid_name(set.queue)) return true;
  if (change.backoff && !parse_backoff(*change.backoff)) return true;
  return outside(change.length_max, 0, kLengthMax) || outside(change.attempts, 0, kRunsMax) ||
         outside(change.lease_ms, 0, kDayMs) || outside(change.timeout_ms, 0, kDurationMsMax) ||
         outside(change.keep_ms, 0, kDurationMsMax) || outside(change.crashes, 0, kRunsMax) ||
         outside(change.alert_ms, 0, kDurationMsMax) || outside(change.age_ms, 0, kDurationMsMax);
}

template <typename T>
void set_one(std::optional<T>& setting, const std::optional<T>& change) {
  if (change) setting = change;
}

// The same where 0 can only mean the server's own.
void set_or_reset(std::optional<int64_t>& setting, const std::optional<int64_t>& change) {
  set_one(setting, change);
  if (setting == 0) setting.reset();
}

void reset(QueueSettings& settings, const std::string& option) {
  if (option == "MAXLEN") settings.length_max.reset();
  if (option == "ATTEMPTS") settings.attempts.reset();
  if (option == "BACKOFF") settings.backoff.reset();
  if (option == "LEASE") settings.lease_ms.reset();
  if (option == "TIMEOUT") settings.timeout_ms.reset();
  if (option == "KEEP") settings.keep_ms.reset();
  if (option == "CRASHES") settings.crashes.reset();
  if (option == "ALERT") settings.alert_ms.reset();
  if (option == "AGE") settings.age_ms.reset();
}

bool refused_type(const std::string& type, const std::optional<std::string>& queue) {
  return !valid_name(type) || (queue && !valid_name(*queue));
}

}  // namespace

Reply Step::type_pause(const TypePause& pause) {
  if (refused_type(pause.type, pause.queue)) return error_reply("BADREQ");
  w_.type_pauses[{pause.type, pause.queue.value_or("")}] = pause.reason;
  return ok_reply();
}

// Without a queue it ends every pause of the type.
Reply Step::type_resume(const TypeResume& resume) {
  if (refused_type(resume.type, resume.queue)) return error_reply("BADREQ");
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
  if (refused_set(set)) return error_reply("BADREQ");
  const auto known = w_.queues.find(set.queue);
  QueueSettings settings = known == w_.queues.end() ? QueueSettings{} : known->second.settings;
  const QueueSettings before = settings;
  const QueueSettings& change = set.change;
  set_or_reset(settings.length_max, change.length_max);
  set_or_reset(settings.attempts, change.attempts);
  set_or_reset(settings.lease_ms, change.lease_ms);
  set_one(settings.timeout_ms, change.timeout_ms);
  set_one(settings.keep_ms, change.keep_ms);
  set_or_reset(settings.crashes, change.crashes);
  set_or_reset(settings.alert_ms, change.alert_ms);
  set_or_reset(settings.age_ms, change.age_ms);
  set_one(settings.backoff, change.backoff);
  for (const std::string& option : set.defaults) reset(settings, option);
  if (settings != before) w_.queues[set.queue].settings = settings;
  return ok_reply();
}

Reply Step::tell_worker(const TellWorker& tell) {
  if (tell.worker.empty() || tell.worker.size() > kWorkerBytesMax) return error_reply("BADREQ");
  const auto known = w_.workers.find(tell.worker);
  if (known == w_.workers.end()) return error_reply("NOTFOUND");
  std::string& state = known->second.state;
  if (state != "stop") state = tell.stop ? "stop" : "quiet";
  return ok_reply();
}

Reply Step::worker_list() {
  forget_idle_workers();
  Reply reply;
  reply.kind = Reply::Kind::kWorkers;
  reply.workers = worker_views(w_);
  return reply;
}

std::string Step::worker_state(const std::string& worker) const {
  const auto known = w_.workers.find(worker);
  return known == w_.workers.end() ? "run" : known->second.state;
}

void Step::hear_worker(const std::string& worker) {
  w_.workers[worker].heard = w_.now;
}

void Step::forget_idle_workers() {
  std::erase_if(w_.workers, [&](const auto& worker) {
    return worker.second.heard.engine_ms + kIdleMs <= w_.now.engine_ms;
  });
}

std::vector<WorkerView> worker_views(const World& world) {
  std::map<std::string, int64_t> leases;
  for (const auto& [id, job] : world.jobs) {
    if (job.view.lease) ++leases[job.view.lease->worker];
  }
  std::vector<WorkerView> views;
  for (const auto& [name, worker] : world.workers) {
    views.push_back(WorkerView{name, worker.state, worker.heard.wall_ms, leases[name]});
  }
  return views;
}

}  // namespace model
