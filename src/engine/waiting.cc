#include "engine/waiting.h"

#include <algorithm>
#include <queue>

#include "base/assert.h"
#include "core/limits.h"

namespace engine {

using core::limits::kFetchBlockMsCap;
using core::limits::kWaitBlockMsCap;

namespace {

// 0 stands for "as long as the server allows".
base::EngineTime deadline_of(base::EngineTime now, int64_t block_ms, int64_t cap_ms) {
  return now + base::Duration{block_ms == 0 ? cap_ms : std::min(block_ms, cap_ms)};
}

}  // namespace

const core::Fetch& Waiting::fetch_of(const Waiter& waiter) const {
  return std::get<core::Fetch>(waiter.request->command.body);
}

void Waiting::add(Request& request, Waiter waiter) {
  waiter.request = &request;
  const Number number = next_++;
  deadlines_.emplace(waiter.deadline, number);
  const bool alone = by_session_.emplace(request.session, number).second;
  ASSERT(alone, "session {} waits twice", request.session);
  waiters_.emplace(number, std::move(waiter));
}

void Waiting::add_fetch(Request& request, base::EngineTime now) {
  const auto& fetch = std::get<core::Fetch>(request.command.body);
  const Number number = next_;
  add(request, {.deadline = deadline_of(now, fetch.block_ms.value_or(0), kFetchBlockMsCap)});
  for (const std::string_view queue : fetch.queues) {
    auto found = fetches_by_queue_.find(queue);
    if (found == fetches_by_queue_.end()) {
      found = fetches_by_queue_.emplace(std::string(queue), std::set<Number>{}).first;
    }
    found->second.insert(number);
  }
}

void Waiting::add_wait(Request& request, std::vector<core::JobId> jobs, base::EngineTime now) {
  const auto& wait = std::get<core::Wait>(request.command.body);
  for (const core::JobId job : jobs) waits_by_job_[job.value].insert(next_);
  add(request,
      {.deadline = deadline_of(now, wait.block_ms, kWaitBlockMsCap), .jobs = std::move(jobs)});
}

void Waiting::add_operation_wait(Request& request, uint64_t operation, base::EngineTime now) {
  const auto& wait = std::get<core::OperationWait>(request.command.body);
  waits_by_operation_[operation].insert(next_);
  add(request,
      {.deadline = deadline_of(now, wait.block_ms, kWaitBlockMsCap), .operation = operation});
}

void Waiting::add_event_read(Request& request, base::EngineTime now) {
  const auto& read = std::get<core::EventRead>(request.command.body);
  event_reads_.insert(next_);
  add(request, {.deadline = deadline_of(now, read.block_ms.value_or(0), kWaitBlockMsCap),
                .for_events = true});
}

Request* Waiting::remove(Number number) {
  const auto found = waiters_.find(number);
  ASSERT(found != waiters_.end());
  const Waiter& waiter = found->second;
  Request* request = waiter.request;
  deadlines_.erase({waiter.deadline, number});
  by_session_.erase(request->session);
  for (const core::JobId job : waiter.jobs) {
    const auto waits = waits_by_job_.find(job.value);
    if (waits == waits_by_job_.end()) continue;  // A job that was named twice.
    waits->second.erase(number);
    if (waits->second.empty()) waits_by_job_.erase(waits);
  }
  if (const auto waits = waits_by_operation_.find(waiter.operation);
      waits != waits_by_operation_.end()) {
    waits->second.erase(number);
    if (waits->second.empty()) waits_by_operation_.erase(waits);
  }
  event_reads_.erase(number);
  if (waiter.is_fetch()) {
    for (const std::string_view queue : fetch_of(waiter).queues) {
      const auto fetches = fetches_by_queue_.find(queue);
      if (fetches == fetches_by_queue_.end()) continue;  // A queue that was named twice.
      fetches->second.erase(number);
      if (fetches->second.empty()) fetches_by_queue_.erase(fetches);
    }
  }
  waiters_.erase(found);
  return request;
}

// The first round: the fetches of all woken queues in order of arrival, as long as there is
// something left to give. Returns those that got a job.
Waiting::Choices Waiting::first_round(core::Context& context,
                                      const std::vector<core::Queue*>& woken) {
  using Cursor = std::pair<Number, const std::set<Number>*>;
  std::priority_queue<Cursor, std::vector<Cursor>, std::greater<>> cursors;
  for (const core::Queue* queue : woken) {
    const auto fetches = fetches_by_queue_.find(queue->name);
    if (fetches != fetches_by_queue_.end()) {
      cursors.emplace(*fetches->second.begin(), &fetches->second);
    }
  }
  const auto anything_left = [&] {
    return std::ranges::any_of(woken,
                               [](const core::Queue* queue) { return !queue->ready.empty(); });
  };
  Choices got;
  Number last = 0;
  while (!cursors.empty() && anything_left() && may_give()) {
    const auto [number, fetches] = cursors.top();
    cursors.pop();
    const auto next = fetches->upper_bound(number);
    if (next != fetches->end()) cursors.emplace(*next, fetches);
    if (number == last) continue;  // It waits for two of the queues.
    last = number;
    const Waiter& waiter = waiters_.at(number);
    core::Answer& answer = waiter.request->answer;
    answer.clear();
    const size_t mark = core::open_leases(answer);
    core::FetchChoice choice(context.state, fetch_of(waiter));
    if (give(context, choice, answer)) got.emplace_back(number, std::move(choice));
    core::close_leases(answer, mark);
  }
  return got;
}

// Gives the fetch one more job. Notes if that one has to be read first.
bool Waiting::give(core::Context& context, core::FetchChoice& choice, core::Answer& answer) {
  const size_t before = answer.reply.tape().size();
  const bool given = core::grant_next(context, choice, answer);
  take_room(answer.reply.tape().size() - before);
  if (given) return true;
  missed_ = missed_ || answer.misses;
  return false;
}

void Waiting::feed(core::Context& context, std::vector<Request*>& answered) {
  const std::vector<core::Queue*> woken = context.state.take_woken();
  if (woken.empty() || fetches_by_queue_.empty()) return;
  missed_ = false;
  Choices got = first_round(context, woken);
  // The array's head is the first thing in the reply: its count stands right behind the tag.
  constexpr size_t kMark = 1;
  std::vector<Choices::value_type*> hungry;
  for (auto& fetch : got) hungry.push_back(&fetch);
  while (!hungry.empty() && may_give()) {
    std::erase_if(hungry, [&](Choices::value_type* fetch) {
      auto& [number, choice] = *fetch;
      core::Answer& answer = waiters_.at(number).request->answer;
      if (!may_give() || static_cast<int64_t>(answer.grants.size()) >= choice.fetch().count)
        return true;
      if (!give(context, choice, answer)) return true;
      core::close_leases(answer, kMark);
      return false;
    });
  }
  for (const auto& [number, choice] : got) {
    Request* request = remove(number);
    request->answer.misses = missed_;
    answered.push_back(request);
  }
  // Nobody is served before who has waited longer: the rest goes on when the record is there, or
  // when these replies are on their way.
  if (!may_give())
    std::ranges::for_each(woken, [&](core::Queue* queue) { context.state.wake(*queue); });
}

void Waiting::answer_wait(const core::Context& context, Number number,
                          std::vector<Request*>& answered, Parked& parked) {
  const Waiter& waiter = waiters_.at(number);
  if (!has_room() || !core::ready_to_tell(context.state, waiter.jobs)) {
    std::vector<core::JobId> jobs = waiter.jobs;
    parked.add_wait(*remove(number), std::move(jobs));
    return;
  }
  const core::Sight sight = core::sight_of(std::get<core::Wait>(waiter.request->command.body));
  core::Reply& reply = waiter.request->answer.reply;
  core::write_wait(reply, context.state, waiter.jobs, sight, context.now);
  take_room(reply.tape().size());
  answered.push_back(remove(number));
}

void Waiting::finish(const core::Context& context, const std::vector<core::JobId>& jobs,
                     std::vector<Request*>& answered, Parked& parked) {
  std::set<Number> touched;
  for (const core::JobId job : jobs) {
    const auto waits = waits_by_job_.find(job.value);
    if (waits != waits_by_job_.end()) touched.insert(waits->second.begin(), waits->second.end());
  }
  for (const Number number : touched) {
    const Waiter& waiter = waiters_.at(number);
    const bool any = std::get<core::Wait>(waiter.request->command.body).any;
    if (core::wait_is_over(context.state, waiter.jobs, any)) {
      answer_wait(context, number, answered, parked);
    }
  }
}

void Waiting::finish_operation(const core::Context& context, uint64_t operation,
                               std::vector<Request*>& answered) {
  const auto waits = waits_by_operation_.find(operation);
  if (waits == waits_by_operation_.end()) return;
  for (const Number number : std::set<Number>(waits->second)) {
    Request* request = remove(number);
    core::write_operation(request->answer.reply, context.state, operation);
    answered.push_back(request);
  }
}

void Waiting::tell_events(const core::EventLog& events, std::vector<Request*>& answered) {
  const uint64_t end = events.end().seq;
  if (event_reads_.empty() || events_seen_ == end) return;
  for (const Number number : std::set<Number>(event_reads_)) {
    if (!has_room()) return;  // They are told in the next step.
    const auto& read = std::get<core::EventRead>(waiters_.at(number).request->command.body);
    if (!core::has_events(events, read)) continue;
    Request* request = remove(number);
    core::write_events(request->answer.reply, events, read);
    take_room(request->answer.reply.tape().size());
    answered.push_back(request);
  }
  events_seen_ = end;
}

// What it is told when its time is up, and nothing of what it waits for has come.
void Waiting::answer_in_vain(const core::Context& context, Number number,
                             std::vector<Request*>& answered) {
  const Waiter waiter = waiters_.at(number);
  Request* request = remove(number);
  core::Reply& reply = request->answer.reply;
  if (waiter.operation != 0) {
    core::write_operation(reply, context.state, waiter.operation);
  } else if (waiter.for_events) {
    core::EventRead read = std::get<core::EventRead>(request->command.body);
    // It goes on from the same place when there is room.
    if (!has_room()) read.count = 0;
    core::write_events(reply, *context.events, read);
    take_room(reply.tape().size());
  } else {
    request->answer.clear();
    reply.array(0);
  }
  answered.push_back(request);
}

void Waiting::expire(const core::Context& context, bool all, std::vector<Request*>& answered,
                     Parked& parked) {
  while (!deadlines_.empty() && (all || deadlines_.begin()->first <= context.now.engine)) {
    const Number number = deadlines_.begin()->second;
    if (waiters_.at(number).jobs.empty()) {
      answer_in_vain(context, number, answered);
    } else {
      answer_wait(context, number, answered, parked);
    }
  }
}

Request* Waiting::remove_session(uint64_t session) {
  const auto found = by_session_.find(session);
  return found == by_session_.end() ? nullptr : remove(found->second);
}

base::EngineTime Waiting::next_deadline() const {
  return deadlines_.empty() ? base::EngineTime::never() : deadlines_.begin()->first;
}

}  // namespace engine
