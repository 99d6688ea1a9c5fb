// The fetching thread of a Worker.
#include "sdk/cpp/record.h"
#include "sdk/cpp/worker_state.h"

namespace dray {

using detail::Deadline;
using detail::FetchPlan;
using detail::Held;
using protocol::RespValue;

namespace {
// How long the server may take to end a fetch that waits, when the worker stops.
constexpr milliseconds kFetchEnd{1'000};
}  // namespace

void Worker::State::fetch_until_stopped() {
  int faults = 0;
  FetchPlan plan;
  while (wait_for_plan(plan)) {
    const base::Status done = fetch_once(plan);
    if (done) {
      if (faults > 0) notice("fetching again");
      faults = 0;
    } else if (!is_stopping()) {
      take_fault(done.error(), ++faults);
    }
  }
  fetch_channel_.drop();
}

void Worker::State::take_fault(const base::Error& fault, int faults) {
  if (detail::is_hopeless(fault)) {
    fatal_ = fault;
    stop();
    return;
  }
  fetch_channel_.drop();
  if (faults == 1) notice("cannot fetch, will go on asking: " + fault.message);
  stop_wake_.wait(std::max(fetch_channel_.pause(faults), detail::asked_pause(fault)));
}

bool Worker::State::wait_for_plan(FetchPlan& plan) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (is_stopping()) return false;
    const size_t held = book_.size();
    if (held == 0) runs_alone_ = false;
    plan = planner_.plan({.held = held,
                          .busy = busy_,
                          .quiet = quiet_,
                          .runs_alone = runs_alone_,
                          .now = detail::mono_now()});
    if (plan.kind == FetchPlan::Kind::kFetch) return true;
    if (plan.until.is_never()) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock, plan.until.left());
    }
  }
}

std::string Worker::State::fetch_request(const FetchPlan& plan) const {
  detail::Request words{"JOB.FETCH", name_, "COUNT"};
  words.add(plan.count).add("BLOCK").add(plan.block.count());
  if (plan.holding > 0) words.add("HOLDING").add(static_cast<int64_t>(plan.holding));
  const std::vector<std::string> types = handlers_.types();
  if (!types.empty()) {
    words.add("TYPES").add(static_cast<int64_t>(types.size()));
    for (const std::string& type : types) words.add(type);
  }
  const auto count = static_cast<int64_t>(options_.queues.size());
  if (options_.queues.front().weight > 0) {
    words.add("WEIGHTS").add(count);
    for (const WorkerQueue& queue : options_.queues) words.add(queue.weight);
  }
  words.add("QUEUES").add(count);
  for (const WorkerQueue& queue : options_.queues) words.add(queue.name);
  return words.bytes();
}

base::Status Worker::State::fetch_once(const FetchPlan& plan) {
  detail::Connection* connection = TRY(fetch_channel_.connection());
  const milliseconds answer = target_.answer_timeout;
  TRY(connection->send(fetch_request(plan), Deadline::in(answer)));
  base::Result<RespValue> reply = connection->receive(Deadline::in(answer + plan.block));
  if (is_stopping()) {
    if (!reply) {
      // Closing at once could lose leases that are on their way: that would cost them an attempt
      // and a crash.
      connection->finish_sending();
      reply = connection->receive(Deadline::in(kFetchEnd));
    }
    if (reply && !reply->is_error()) keep_unstarted(*std::move(reply));
    return {};
  }
  if (!reply) return tl::unexpected(std::move(reply).error());
  if (reply->is_error()) return tl::unexpected(detail::error_of(*reply));
  start(*std::move(reply), plan.holding == 0);
  return {};
}

void Worker::State::keep_unstarted(RespValue&& reply) {
  for (RespValue& lease : reply.items) {
    book_.add(std::make_shared<Held>(detail::leased_job_of(std::move(lease)), *this));
  }
}

void Worker::State::start(RespValue&& reply, bool fetched_alone) {
  std::vector<std::shared_ptr<Held>> leases;
  for (RespValue& lease : reply.items) {
    leases.push_back(std::make_shared<Held>(detail::leased_job_of(std::move(lease)), *this));
    book_.add(leases.back());
  }
  if (leases.empty()) return;
  // Before the handlers start: however many they are, beats go out for all of them.
  beat_->watch();
  delivery_->watch();
  {
    const std::lock_guard lock(mutex_);
    to_run_.insert(to_run_.end(), leases.begin(), leases.end());
    busy_ += leases.size();
  }
  for (size_t i = 0; i < leases.size(); ++i) work_.notify_one();
  if (!fetched_alone || options_.concurrency == 1 || !needs_to_be_alone(*leases.back())) return;
  const std::lock_guard lock(mutex_);
  runs_alone_ = true;
}

bool Worker::State::needs_to_be_alone(const Held& held) {
  const std::string bytes = detail::request({"JOB.GET", held.job().id});
  base::Result<RespValue> reply = fetch_channel_.exchange({.bytes = bytes});
  if (!reply || reply->is_error()) return true;
  if (reply->is_nil()) return false;
  return detail::may_die_by_crash(detail::job_record_of(detail::value_of(*std::move(reply))));
}

}  // namespace dray
