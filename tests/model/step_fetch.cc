// JOB.FETCH and JOB.WAIT: which job a worker gets, who waits, who is served; undone grants.
#include <algorithm>

#include "model/step.h"

namespace model {
namespace {

constexpr int64_t kBlockMsMax = 60'000;
constexpr int64_t kCountMax = 1'000;
constexpr int64_t kWeightMax = 1'000'000;
constexpr size_t kQueuesMax = 64;
constexpr size_t kTypesMax = 256;
constexpr size_t kWaitIdsMax = 1'000;
constexpr int64_t kTimeoutSlackMsMin = 5'000;
constexpr int64_t kPriorityMax = 9;

int64_t wait_ms(int64_t block_ms) {
  return block_ms == 0 ? kBlockMsMax : std::min(block_ms, kBlockMsMax);
}

bool refused_fetch(const Fetch& fetch) {
  if (fetch.worker.empty() || fetch.worker.size() > kWorkerBytesMax) return true;
  if (!within(fetch.count.value_or(1), 1, kCountMax)) return true;
  if (fetch.holding.value_or(0) < 0 || fetch.block_ms.value_or(0) < 0) return true;
  if (fetch.queues.empty() || fetch.queues.size() > kQueuesMax) return true;
  if (!std::all_of(fetch.queues.begin(), fetch.queues.end(), valid_name)) return true;
  if (fetch.types) {
    if (fetch.types->empty() || fetch.types->size() > kTypesMax) return true;
    if (!std::all_of(fetch.types->begin(), fetch.types->end(), valid_name)) return true;
  }
  if (!fetch.weights) return false;
  return fetch.weights->size() != fetch.queues.size() ||
         !std::all_of(fetch.weights->begin(), fetch.weights->end(),
                      [](int64_t weight) { return within(weight, 1, kWeightMax); });
}

bool asks_alone(const Fetch& fetch) {
  return fetch.count.value_or(1) == 1 && fetch.holding.value_or(0) == 0;
}

// What the job's priority has grown to.
int64_t priority_at(const Job& job, const std::optional<int64_t>& age_ms, int64_t now_ms) {
  if (!age_ms) return job.view.priority;
  return std::min(job.view.priority + (now_ms - job.ready_since_ms) / *age_ms, kPriorityMax);
}

GrantView grant_view(const Job& job) {
  GrantView grant;
  grant.id = job.view.id;
  grant.token = job.view.lease->token;
  grant.fence = job.view.fence;
  grant.queue = job.view.queue;
  grant.type = job.view.type;
  grant.args = job.view.args;
  grant.attempt = job.view.attempt;
  grant.max_attempts = job.view.max_attempts;
  grant.priority = job.view.priority;
  grant.lease_ms = job.view.lease_ms;
  grant.timeout_ms = job.view.timeout_ms;
  grant.soft_timeout_ms = job.view.soft_timeout_ms;
  grant.pushed_wall_ms = job.view.pushed_wall_ms;
  grant.meta = job.view.meta;
  grant.key = job.view.key;
  grant.progress = job.view.progress;
  return grant;
}

}  // namespace

Reply Step::fetch(const Fetch& fetch, const Reply* seen) {
  if (refused_fetch(fetch)) return error_reply("BADREQ");
  hear_worker(fetch.worker);
  Reply reply;
  reply.kind = Reply::Kind::kLeases;
  const auto count = static_cast<size_t>(fetch.count.value_or(1));
  while (reply.leases.size() < count && !candidates(fetch).empty()) {
    const size_t i = reply.leases.size();
    const bool shown = seen != nullptr && i < seen->leases.size();
    if (!shown && i > 0 && seen != nullptr && seen->cut) break;
    reply.leases.push_back(grant(fetch, conn_, shown ? &seen->leases[i] : nullptr, "the fetch"));
  }
  if (!reply.leases.empty() || !fetch.block_ms) return reply;
  Waiter waiter;
  waiter.conn = conn_;
  waiter.until_ms = w_.now.engine_ms + wait_ms(*fetch.block_ms);
  waiter.fetch = fetch;
  w_.waiters.push_back(waiter);
  reply.kind = Reply::Kind::kBlocked;
  return reply;
}

// The jobs that may be granted next: one with STRICT, one per queue with WEIGHTS.
std::vector<std::string> Step::candidates(const Fetch& fetch) const {
  std::vector<std::string> ids;
  if (worker_state(fetch.worker) != "run") return ids;
  for (const std::string& queue : fetch.queues) {
    const Job* head = head_of(queue, fetch);
    if (head == nullptr) continue;
    ids.push_back(head->view.id);
    if (!fetch.weights) break;
  }
  return ids;
}

Job* Step::head_of(const std::string& name, const Fetch& fetch) const {
  const auto queue = w_.queues.find(name);
  if (queue == w_.queues.end() || queue->second.paused) return nullptr;
  // Whether `a` is handed out before `b`.
  const auto before = [&](const Job& a, const Job& b) {
    const std::optional<int64_t>& age_ms = queue->second.settings.age_ms;
    const int64_t of_a = priority_at(a, age_ms, w_.now.engine_ms);
    const int64_t of_b = priority_at(b, age_ms, w_.now.engine_ms);
    return of_a != of_b ? of_a > of_b : a.ready_seq < b.ready_seq;
  };
  Job* head = nullptr;
  for (auto& [id, job] : w_.jobs) {
    if (job.view.state != State::kReady || job.view.queue != name) continue;
    if (fetch.types && std::count(fetch.types->begin(), fetch.types->end(), job.view.type) == 0) {
      continue;
    }
    if (job.view.suspect && !asks_alone(fetch)) continue;
    if (type_paused(job)) continue;
    if (head == nullptr || before(job, *head)) head = &job;
  }
  return head;
}

// Requires: candidates(fetch) is not empty.
GrantView Step::grant(const Fetch& fetch, Conn conn, const GrantView* seen,
                      const std::string& where) {
  const std::vector<std::string> allowed = candidates(fetch);
  std::string id = allowed.front();
  std::string token = made_up_token(++w_.placeholders);
  if (seen != nullptr) {
    if (std::count(allowed.begin(), allowed.end(), seen->id) == 0) {
      throw Mismatch{where + " should have got job " + id +
                     (allowed.size() > 1 ? " (or another queue's first)" : "") + ", got " +
                     seen->id};
    }
    check_token(*seen, where);
    id = seen->id;
    token = seen->token;
  }
  w_.tokens.insert(token);
  Job& job = *find_job(w_, id);
  JobView& view = job.view;
  view.state = State::kRunning;
  ++view.attempt;
  ++view.fence;
  LeaseView lease;
  lease.worker = fetch.worker;
  lease.token = token;
  lease.deadline_engine_ms = w_.now.engine_ms + view.lease_ms;
  if (view.timeout_ms > 0) {
    const int64_t slack = std::max(kTimeoutSlackMsMin, view.timeout_ms / 10);
    lease.timeout_at_engine_ms = w_.now.engine_ms + view.timeout_ms + slack;
  }
  lease.log.emplace();
  view.lease = lease;
  job.granted_deadline = lease.deadline_engine_ms;
  job.lease_alone = asks_alone(fetch);
  ++queue_of(job).started;
  w_.granted.push_back(Granted{conn, LeaseName{id, token}});
  return grant_view(job);
}

void Step::check_token(const GrantView& seen, const std::string& where) {
  if (!valid_token(seen.token)) {
    throw Mismatch{where + " got job " + seen.id + " with a malformed token '" + seen.token + "'"};
  }
  if (w_.tokens.count(seen.token) > 0) {
    throw Mismatch{where + " got job " + seen.id +
                   " with a token that was given before: " + seen.token};
  }
}

void Step::undo(const std::vector<LeaseName>& leases) {
  for (const LeaseName& name : leases) {
    Job* job = find_job(w_, name.id);
    if (job == nullptr || !job->view.lease || job->view.lease->token != name.token) continue;
    --job->view.attempt;
    if (job->view.cancel_requested) {
      finish(*job, State::kCancelled);
    } else {
      make_ready_at_old_place(*job);
    }
  }
}

Reply Step::wait(const Wait& wait) {
  if (wait.ids.empty() || wait.ids.size() > kWaitIdsMax || wait.block_ms < 0) {
    return error_reply("BADREQ");
  }
  if (!std::all_of(wait.ids.begin(), wait.ids.end(), valid_id)) return error_reply("BADREQ");
  Waiter waiter;
  waiter.conn = conn_;
  waiter.until_ms = w_.now.engine_ms + wait_ms(wait.block_ms);
  waiter.wait_any = wait.any;
  for (const std::string& id : wait.ids) {
    const std::optional<std::string> resolved = resolve(id);
    if (!resolved || *resolved > w_.highest_id) return error_reply("NOTFOUND");
    waiter.wait_ids.push_back(*resolved);
  }
  if (wait_holds(waiter)) return wait_answer(waiter.wait_ids);
  w_.waiters.push_back(waiter);
  Reply blocked;
  blocked.kind = Reply::Kind::kBlocked;
  return blocked;
}

bool Step::wait_holds(const Waiter& waiter) const {
  const auto over = [this](const std::string& id) {
    const Job* job = find_job(w_, id);
    return job == nullptr || is_finished(job->view.state);
  };
  const auto& ids = waiter.wait_ids;
  return waiter.wait_any ? std::any_of(ids.begin(), ids.end(), over)
                         : std::all_of(ids.begin(), ids.end(), over);
}

Reply Step::wait_answer(const std::vector<std::string>& ids) const {
  std::vector<Reply> items;
  for (const std::string& id : ids) {
    Reply item;
    const Job* job = find_job(w_, id);
    item.kind = job == nullptr ? Reply::Kind::kGone : Reply::Kind::kJob;
    if (job != nullptr) item.job.push_back(job->view);
    items.push_back(std::move(item));
  }
  return array_reply(std::move(items));
}

void Step::feed(Answers& answers) {
  std::vector<Reply> given(w_.waiters.size());
  for (bool any = true; any;) {
    any = false;
    for (size_t i = 0; i < w_.waiters.size(); ++i) {
      const Waiter& waiter = w_.waiters[i];
      if (!waiter.fetch) continue;
      std::vector<GrantView>& got = given[i].leases;
      if (got.size() >= static_cast<size_t>(waiter.fetch->count.value_or(1))) continue;
      const std::vector<std::string> allowed = candidates(*waiter.fetch);
      if (allowed.empty()) continue;
      const std::string where = "waiting connection " + std::to_string(waiter.conn);
      const auto seen = answers.seen.find(waiter.conn);
      const bool shown = seen != answers.seen.end() && seen->second->leases.size() > got.size();
      const bool cut = seen != answers.seen.end() && seen->second->cut;
      if (!shown && cut && !got.empty()) continue;
      if (!shown && !answers.dry) {
        throw Mismatch{where + " should have got job " + allowed.front() + ", got nothing"};
      }
      got.push_back(grant(*waiter.fetch, waiter.conn,
                          shown ? &seen->second->leases[got.size()] : nullptr, where));
      any = true;
    }
  }
  std::vector<Waiter> still;
  for (size_t i = 0; i < w_.waiters.size(); ++i) {
    const Waiter& waiter = w_.waiters[i];
    if (given[i].leases.empty()) {
      still.push_back(waiter);
      continue;
    }
    given[i].kind = Reply::Kind::kLeases;
    settle(answers, waiter.conn, given[i]);
  }
  w_.waiters = std::move(still);
}

void Step::answer_over(Answers& answers, bool time_came) {
  std::vector<Waiter> still;
  for (const Waiter& waiter : w_.waiters) {
    const bool time_up = time_came && waiter.until_ms <= w_.now.engine_ms;
    const bool holds = !waiter.fetch && wait_holds(waiter);
    if (!time_up && !holds) {
      still.push_back(waiter);
      continue;
    }
    Reply expected = waiter.fetch ? Reply{} : wait_answer(waiter.wait_ids);
    if (waiter.fetch) expected.kind = Reply::Kind::kLeases;
    settle(answers, waiter.conn, expected);
  }
  w_.waiters = std::move(still);
}

// This connection must be answered `expected` now.
void Step::settle(Answers& answers, Conn conn, const Reply& expected) {
  answers.due.push_back(WaiterAnswer{conn, expected});
  if (answers.dry) return;
  const std::string where = "waiting connection " + std::to_string(conn);
  const auto seen = answers.seen.find(conn);
  if (seen == answers.seen.end()) {
    throw Mismatch{where + " should have been answered " + describe(expected)};
  }
  match(expected, *seen->second, where);
  answers.seen.erase(seen);
}

std::vector<WaiterAnswer> Step::serve_waiters(const std::vector<WaiterAnswer>* seen,
                                              bool time_came) {
  Answers answers;
  answers.dry = seen == nullptr;
  if (seen != nullptr) {
    for (const WaiterAnswer& answer : *seen) {
      if (!answers.seen.emplace(answer.conn, &answer.reply).second) {
        throw Mismatch{"connection " + std::to_string(answer.conn) + " was answered twice"};
      }
    }
  }
  feed(answers);
  answer_over(answers, time_came);
  if (!answers.seen.empty()) {
    const auto& [conn, reply] = *answers.seen.begin();
    throw Mismatch{"connection " + std::to_string(conn) +
                   " should not have been answered now, got " + describe(*reply)};
  }
  return answers.due;
}

}  // namespace model
