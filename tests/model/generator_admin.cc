// The words of what an operator says, of logs and of queries.
#include <algorithm>

#include "model/generator.h"
#include "model/step.h"

namespace model {
namespace {

using words::kBackoffs;
using words::kMost;
using words::kQueues;
using words::kTypes;
using words::kWorkers;

size_t log_bytes(const Job& job) {
  size_t bytes = 0;
  for (const LogLine& line : job.view.lease->log->lines) bytes += line.text.size();
  return bytes;
}

// An attempt with so long a log is given more of it, so that lines have to go.
const Job* with_long_log(const World& world) {
  constexpr size_t kLong = 80'000;
  for (const auto& [id, job] : world.jobs) {
    if (job.view.state == State::kRunning && log_bytes(job) >= kLong) return &job;
  }
  return nullptr;
}

}  // namespace

// Beside the weights of all others, which come to about 130. In the order of admin_verb().
std::vector<int64_t> Generator::admin_weights(const World& world, bool running) const {
  const int64_t logs = with_long_log(world) != nullptr ? 50 : 10;
  const auto weight = [](bool on, int64_t most) { return on ? most : 0; };
  return {weight(options_.logs, running ? logs : 1),
          weight(options_.types, 6),
          weight(options_.queue_settings, 6),
          weight(options_.edit, 8),
          weight(options_.workers, 3),
          weight(options_.operations, 4),
          weight(options_.queries, 8)};
}

Verb Generator::admin_verb(const World& world, size_t which) {
  switch (which) {
    case 0:
      return log(world);
    case 1:
      return type_verb();
    case 2:
      return queue_set();
    case 3:
      return edit(world);
    case 4:
      return worker_verb(world);
    case 5:
      return operation(world);
    default:
      return query_verb(world);
  }
}

Log Generator::log(const World& world) {
  Log log{lease(world), pick<std::string>({"debug", "info", "warn", "error"}), bytes()};
  if (long_logs_ && chance(40))
    log.text = std::string(pick<size_t>({90'000, 130'000, 262'112}), 'l');
  const Job* job = with_long_log(world);
  if (job != nullptr && chance(70)) {
    log.lease = LeaseName{named(world, job->view.id), job->view.lease->token};
    log.text = std::string(static_cast<size_t>(between(60'000, 200'000)), 'm');
  }
  if (options_.malformed && chance(3)) log.level = pick<std::string>({"", "fatal"});
  if (options_.malformed && chance(1)) log.text = std::string(262'113, 'x');
  return log;
}

Verb Generator::type_verb() {
  std::string type = pick(kTypes);
  std::optional<std::string> queue;
  if (chance(50)) queue = pick(kQueues);
  if (options_.malformed && chance(3)) type = pick<std::string>({"", "with space"});
  if (options_.malformed && chance(2)) queue = pick<std::string>({"", "with space"});
  if (chance(72)) return TypeResume{type, queue};
  return TypePause{type, queue, chance(50) ? "incident" : ""};
}

QueueSet Generator::queue_set() {
  QueueSet set{chance(3) ? "q4" : pick(kQueues), {}, {}};
  QueueSettings& change = set.change;
  if (chance(35)) change.length_max = pick<int64_t>({0, 0, 0, 2, 6, 15});
  if (chance(25)) change.attempts = pick<int64_t>({0, 1, 2, 5});
  if (chance(20)) change.backoff = pick(kBackoffs);
  if (chance(20)) change.lease_ms = pick<int64_t>({0, 1'000, 7'000});
  if (chance(20)) change.timeout_ms = pick<int64_t>({0, 3'000, 50'000});
  if (chance(15)) change.keep_ms = pick<int64_t>({0, 500, 61'000});
  if (chance(20)) change.crashes = pick<int64_t>({0, 1, 2});
  if (chance(20)) change.alert_ms = pick<int64_t>({0, 60'000});
  if (chance(25)) change.age_ms = pick<int64_t>({0, 1, 500, 3'000, 60'000});
  if (chance(15)) add_defaults(set);
  if (options_.malformed && chance(6)) spoil(set);
  return set;
}

void Generator::add_defaults(QueueSet& set) {
  QueueSettings& change = set.change;
  if (chance(50)) change = QueueSettings{};
  const bool all = chance(50);
  const auto add = [&](const char* option, bool is_set) {
    if (!is_set && (all || chance(30))) set.defaults.emplace_back(option);
  };
  add("MAXLEN", change.length_max.has_value());
  add("ATTEMPTS", change.attempts.has_value());
  add("BACKOFF", change.backoff.has_value());
  add("LEASE", change.lease_ms.has_value());
  add("TIMEOUT", change.timeout_ms.has_value());
  add("KEEP", change.keep_ms.has_value());
  add("CRASHES", change.crashes.has_value());
  add("ALERT", change.alert_ms.has_value());
  add("AGE", change.age_ms.has_value());
}

// Keeps no option twice: that would be refused for another reason.
void Generator::spoil(QueueSet& set) {
  set.defaults.clear();
  QueueSettings& change = set.change;
  switch (between(0, 9)) {
    case 0:
      set.queue = pick<std::string>({"", "with space"});
      break;
    case 1:
      change = QueueSettings{};
      break;
    case 2:
      change.length_max = -1;
      break;
    case 3:
      change.attempts = pick<int64_t>({-1, 1'001});
      break;
    case 4:
      change.backoff = pick<std::string>({"", "fixed", "0", "list:"});
      break;
    case 5:
      change.lease_ms = pick<int64_t>({-1, 86'400'001});
      break;
    case 6:
      change.timeout_ms = pick<int64_t>({-1, 315'576'000'001});
      break;
    case 7:
      change.crashes = pick<int64_t>({-1, 1'001});
      break;
    case 8:
      change.age_ms = pick<int64_t>({-1, 315'576'000'001});
      break;
    default:
      change.keep_ms = pick<int64_t>({-1, kMost});
      break;
  }
}

Edit Generator::edit(const World& world) {
  std::vector<std::string> waiting;
  for (const auto& [id, job] : world.jobs) {
    if (job.view.state == State::kScheduled || job.view.state == State::kReady) {
      waiting.push_back(id);
    }
  }
  Edit edit;
  const bool likely = !waiting.empty() && chance(allow_malformed_ ? 80 : 95);
  const std::string id_likely = likely ? pick(waiting) : "";
  edit.id = likely ? named(world, id_likely) : id(world);
  if (chance(30)) edit.queue = pick(kQueues);
  for (const auto& [name, queue] : world.queues) {  // One that may be full.
    if (queue.settings.length_max && chance(10)) edit.queue = name;
  }
  if (chance(30)) edit.priority = pick<int64_t>({0, 5, 5, 9});
  if (chance(20)) edit.args = bytes();
  if (chance(20)) edit.type = pick(kTypes);
  if (chance(20)) {
    edit.delay_ms = pick<int64_t>({0, 0, 1, 500, 5'000});
  } else if (chance(20)) {
    edit.at_wall_ms = world.now.wall_ms + pick<int64_t>({-100'000, 0, 1, 1'000, 3'700'000});
    if (chance(5)) edit.at_wall_ms = 0;
  }
  if (chance(40)) add_options(edit);
  // How long a command of an ended lease may be repeated then is left open.
  if (!likely || find_job(world, id_likely)->view.fence > 0) edit.keep_ms.reset();
  const bool empty = !edit.queue && !edit.priority && !edit.args && !edit.type && !edit.delay_ms &&
                     !edit.at_wall_ms;
  if (empty) edit.priority = 7;
  if (options_.malformed && allow_malformed_ && chance(4)) spoil(edit);
  return edit;
}

// How the job runs.
void Generator::add_options(Edit& edit) {
  if (chance(25)) edit.attempts = between(1, 6);
  if (chance(25)) edit.backoff = pick(kBackoffs);
  if (chance(20)) edit.timeout_ms = pick<int64_t>({0, 3'000, 50'000});
  if (chance(15)) edit.soft_timeout_ms = pick<int64_t>({0, 2'000});
  if (chance(20)) edit.lease_ms = pick<int64_t>({1'000, 7'000, 30'000});
  if (chance(25)) edit.expire_ms = pick<int64_t>({1, 2'000, 60'000});
  if (chance(20)) edit.crashes = between(1, 4);
  if (chance(25)) edit.keep_ms = pick<int64_t>({0, 500, 61'000});
}

void Generator::spoil(Edit& edit) {
  Edit nothing;
  nothing.id = edit.id;
  switch (between(0, 9)) {
    case 0:
      edit = nothing;
      break;
    case 8:
      edit.attempts = pick<int64_t>({0, 1'001});
      break;
    case 9:
      edit.backoff = "fixed";
      break;
    case 1:
      edit.queue = pick<std::string>({"", "with space"});
      break;
    case 2:
      edit.type = pick<std::string>({"", "with space"});
      break;
    case 3:
      edit.priority = pick<int64_t>({-1, 10});
      break;
    case 4:
      edit.delay_ms = pick<int64_t>({-1, kMost});
      edit.at_wall_ms.reset();
      break;
    case 5:
      edit.at_wall_ms = -1;
      edit.delay_ms.reset();
      break;
    case 6:
      edit.at_wall_ms = 1;
      edit.delay_ms = 1;
      break;
    default:
      edit.args = std::string(1'048'577, 'x');
      break;
  }
}

// Who was told to be quiet mostly says good-bye soon, or nobody would work in the end.
Verb Generator::worker_verb(const World& world) {
  std::vector<std::string> told;
  for (const auto& [name, known] : world.workers) {
    if (known.state != "run") told.push_back(name);
  }
  if (!told.empty() && chance(70)) {
    if (chance(70)) return Bye{pick(told), leases(world, 1)};
    return Beat{pick(told), leases(world, 2)};
  }
  if (chance(30)) return WorkerList{};
  std::string worker = chance(85) ? pick(kWorkers) : "nobody";
  if (options_.malformed && chance(15)) worker = chance(50) ? "" : std::string(129, 'w');
  return TellWorker{worker, chance(40)};
}

Verb Generator::operation(const World& world) {
  const std::string queue = pick<std::string>({"q1", "q1", "q2", "q3", "q3", "q4", "nowhere"});
  switch (weighted({50, 16, 14, options_.edit ? 30 : 0, options_.malformed ? 2 : 0})) {
    case 0: {
      BulkWhere bulk;
      bulk.verb = pick<BulkVerb>(
          {BulkVerb::kRetry, BulkVerb::kRetry, BulkVerb::kCancel, BulkVerb::kDelete});
      bulk.query = query(world);
      if (chance(40)) bulk.limit = between(1, 3);
      if (options_.malformed && chance(4)) bulk.limit = pick<int64_t>({0, -1});
      return bulk;
    }
    case 1:
      return QueuePurge{queue};
    case 2:
      for (const auto& [id, job] : world.jobs) {  // One that may not be deleted now.
        if (job.view.state == State::kRunning && chance(50)) return QueueDelete{job.view.queue};
      }
      return QueueDelete{queue};
    case 3:
      return edit_where(world);
    default:
      if (chance(50)) return QueuePurge{"with space"};
      return QueueDelete{"with space"};
  }
}

EditWhere Generator::edit_where(const World& world) {
  EditWhere edit{query(world), std::nullopt, this->edit(world)};
  if (chance(60)) edit.query = pick<std::string>({"state:ready", "state:scheduled", "type:*"});
  if (chance(40)) edit.limit = between(1, 3);
  if (options_.malformed && allow_malformed_ && chance(4)) edit.limit = pick<int64_t>({0, -1});
  if (options_.malformed && chance(2))
    edit.edit.args = std::string(pick<size_t>({65'536, 65'537}), 'x');
  if (edit.edit.keep_ms) {  // As of one job: some may have been leased.
    edit.edit.keep_ms.reset();
    edit.edit.priority = 3;
  }
  return edit;
}

Verb Generator::query_verb(const World& world) {
  if (!world.listings.empty() && chance(60)) {
    const Listing& going = pick(world.listings);
    JobList next{going.query, going.cursor, std::nullopt};
    if (chance(70)) next.count = between(1, 5);
    return next;
  }
  std::optional<std::string> text;
  if (chance(85)) text = query(world);
  if (chance(50)) return JobCount{text};
  JobList list{text, std::nullopt, std::nullopt};
  if (chance(30)) list.cursor = "0";
  if (chance(70)) list.count = between(1, 5);
  if (options_.malformed && chance(4)) list.count = pick<int64_t>({0, -1, 1'001});
  return list;
}

std::string Generator::query(const World& world) {
  if (options_.malformed && chance(5)) {
    return pick<std::string>({"", "dead", "state:", "state:nope", "colour:red", "queue:with/slash",
                              "attempt:>", "attempt:>x", "age:>5", "age:>5y", "id:nonsense"});
  }
  std::string text = term(world);
  const int64_t more = pick<int64_t>({0, 0, 1, 1, 2});
  for (int64_t i = 0; i < more; ++i) text += " " + term(world);
  return text;
}

std::string Generator::term(const World& world) {
  switch (weighted({40, 20, 15, 8, 12, 12})) {
    case 0:
      return "state:" + pick<std::string>({"scheduled", "ready", "running", "succeeded", "dead",
                                           "dead", "cancelled", "expired"});
    case 1:
      return "queue:" + pick<std::string>({"q1", "q2", "q3", "q*", "nowhere", "*", "q1*"});
    case 2:
      return "type:" + pick<std::string>({"a", "b", "a*", "*", "ab"});
    case 3:
      if (world.jobs.empty()) return "id:" + id_after(world.highest_id);
      return "id:" + (chance(70) ? world.jobs.rbegin()->first : world.jobs.begin()->first);
    case 4:
      return "attempt:>" + std::to_string(between(0, 3));
    default:
      return "age:>" + pick<std::string>({"0ms", "1500ms", "1s", "30s", "10m", "1h", "2d"});
  }
}

}  // namespace model
