#include "sdk/cpp/worker_state.h"

#include <algorithm>
#include <cstdio>

#include "sdk/cpp/access.h"
#include "sdk/cpp/record.h"
#include "sdk/cpp/throw_error.h"

namespace dray {

using detail::Deadline;
using detail::FetchPlan;
using detail::Held;
using detail::Outcome;

namespace {

// How long the last answers may take to be delivered at the stop, beyond the grace.
constexpr milliseconds kLastAnswers{5'000};
// A job of a type without a handler, which nobody should have sent.
constexpr milliseconds kStrangerDelay{5'000};
constexpr int kConcurrencyMax = 1'000;

std::string name_of(const ClientOptions& client, const WorkerOptions& options) {
  if (!options.name.empty()) return options.name;
  if (!client.name.empty()) return client.name;
  base::SystemRandom random;
  return detail::unique_name(random);
}

ClientOptions named(ClientOptions client, const std::string& name) {
  client.name = name;
  return client;
}

[[noreturn]] void refuse_setting(const std::string& message) {
  detail::throw_error(ErrorCode::kBadReq, message);
}

}  // namespace

Worker::State::State(ClientOptions client_in, WorkerOptions options_in)
    : options_(std::move(options_in)),
      name_(name_of(client_in, options_)),
      client_(named(std::move(client_in), name_)),
      target_(detail::target_of(client_.options())),
      fetch_channel_(target_, &stop_wake_),
      planner_(options_, detail::mono_now()) {}

Worker::State::~State() {
  stop();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Worker::State::stop_on_signals(std::initializer_list<int> signals) {
  signals_ = std::make_unique<detail::StopSignals>(signals, [this] {
    if (is_stopping()) hurry();
    stop();
  });
}

void Worker::State::stop() {
  stop_wake_.set();
  wake();
}

void Worker::State::wake() {
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

void Worker::State::hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurry_ = true;
  }
  changed_.notify_all();
}

void Worker::State::notice(std::string_view line) const {
  if (options_.notice) return options_.notice(line);
  // Not fmt::print(), which throws where stderr is gone: this runs on threads that nobody catches.
  std::fputs(fmt::format("dray worker {}: {}\n", name_, line).c_str(), stderr);
}

void Worker::State::tell(WorkerEvent::Kind kind, const Held& held, const Failure* failure) const {
  if (!options_.on_event) return;
  options_.on_event({.kind = kind, .job = held, .elapsed = held.age(), .failure = failure});
}

void Worker::State::report_progress(const std::shared_ptr<Held>& held, std::string data) {
  delivery_->report(held, std::move(data));
}

void Worker::State::report_log(const std::shared_ptr<Held>& held, LogLevel level,
                               std::string text) {
  delivery_->log(held, level, std::move(text));
}

std::vector<Pushed> Worker::State::finish(Held& held, Transaction& transaction,
                                          std::optional<std::string> result) {
  if (!book_.claim(held)) {
    detail::throw_error(ErrorCode::kLeaseLost,
                        "this run of job " + held.job().id + " has ended already");
  }
  const Outcome outcome{.result = std::move(result)};
  std::vector<Pushed> pushed;
  try {
    pushed = detail::Access::commit(transaction, detail::outcome_request(held.job(), outcome));
  } catch (...) {
    book_.unclaim(held);
    // The time limit may have passed meanwhile.
    delivery_->watch();
    throw;
  }
  book_.close(held);
  delivery_->count(WorkerEvent::Kind::kSucceeded);
  tell(WorkerEvent::Kind::kSucceeded, held);
  wake();
  return pushed;
}

void Worker::State::check() const {
  if (delivery_)
    detail::throw_error(ErrorCode::kBadState, "run() was called before on this worker");
  if (options_.queues.empty()) refuse_setting("field=queues is empty: name the queues to serve");
  if (options_.concurrency < 1 || options_.concurrency > kConcurrencyMax) {
    refuse_setting(fmt::format("field=concurrency must be from 1 to {}", kConcurrencyMax));
  }
  if (handlers_.empty()) refuse_setting("no handler: call on(type, function) before run()");
  const auto is_weighted = [](const WorkerQueue& queue) { return queue.weight > 0; };
  const bool any_weighted = std::ranges::any_of(options_.queues, is_weighted);
  if (any_weighted && !std::ranges::all_of(options_.queues, is_weighted)) {
    refuse_setting("field=queues either all of them have a weight >= 1, or none has");
  }
}

detail::Beat::Hooks Worker::State::beat_hooks() {
  return {.notice = [this](std::string_view line) { notice(line); },
          .lost =
              [this](const Held& held) {
                delivery_->count(WorkerEvent::Kind::kLost);
                notice("job " + held.job().id + " is not ours any more: its lease is over");
                tell(WorkerEvent::Kind::kLost, held);
                wake();
              },
          .wish =
              [this](detail::WorkerWish wish) {
                if (wish == detail::WorkerWish::kStop) stop();
                {
                  const std::lock_guard lock(mutex_);
                  quiet_ = wish != detail::WorkerWish::kRun;
                }
                changed_.notify_all();
              }};
}

detail::Delivery::Hooks Worker::State::delivery_hooks() {
  return {.notice = [this](std::string_view line) { notice(line); },
          .closed =
              [this](const Held& held, WorkerEvent::Kind how, const Failure* failure) {
                tell(how, held, failure);
                wake();
              }};
}

void Worker::State::start_threads() {
  delivery_ =
      std::make_unique<detail::Delivery>(target_, book_, options_.cancel_grace, delivery_hooks());
  beat_ = std::make_unique<detail::Beat>(target_, name_, book_, beat_hooks());
  threads_.reserve(static_cast<size_t>(options_.concurrency));
  for (int i = 0; i < options_.concurrency; ++i) threads_.emplace_back([this] { run_handlers(); });
}

WorkerReport Worker::State::run() {
  check();
  start_threads();
  fetch_until_stopped();
  wait_for_handlers(options_.grace);
  if (options_.cancel_grace.count() > 0) {
    for (const auto& held : book_.all()) held->cancel(CancelReason::kStopping);
    wait_for_handlers(options_.cancel_grace);
  }
  give_back_unfinished();
  delivery_->stop(kLastAnswers);
  beat_->stop();
  signals_.reset();
  WorkerReport report = delivery_->report_so_far();
  report.released += returned_;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    report.unfinished = busy_;
  }
  work_.notify_all();
  if (fatal_) detail::throw_error(base::error_word(fatal_->code), fatal_->message);
  return report;
}

void Worker::State::wait_for_handlers(milliseconds most) {
  const Deadline until = Deadline::in(most);
  std::unique_lock lock(mutex_);
  while (busy_ > 0 && !hurry_ && !until.is_over()) changed_.wait_for(lock, until.left());
}

void Worker::State::give_back_unfinished() {
  const auto unfinished = book_.claim_all();
  if (unfinished.empty()) return;
  for (const auto& held : unfinished) held->cancel(CancelReason::kStopping);
  detail::Request words{"WORKER.BYE", name_, "LEASES"};
  words.add(static_cast<int64_t>(unfinished.size()));
  for (const auto& held : unfinished) words.add(held->job().id).add(held->job().token);
  detail::Target target = target_;
  target.retry_for = kLastAnswers;
  detail::Channel channel(target, nullptr);
  const std::string bytes = words.bytes();
  const auto reply = channel.exchange({.bytes = bytes});
  if (reply && !reply->is_error()) {
    returned_ += unfinished.size();
  } else {
    notice("unfinished jobs could not be given back; they come back when their leases run out");
  }
  for (const auto& held : unfinished) {
    book_.close(*held);
    tell(WorkerEvent::Kind::kReleased, *held);
  }
}

void Worker::State::run_handlers() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [&] { return ended_ || !to_run_.empty(); });
    if (to_run_.empty()) return;
    const std::shared_ptr<Held> held = std::move(to_run_.front());
    to_run_.pop_front();
    lock.unlock();
    run_one(held);
    lock.lock();
    --busy_;
    changed_.notify_all();
  }
}

void Worker::State::run_one(const std::shared_ptr<Held>& held) {
  tell(WorkerEvent::Kind::kStarted, *held);
  std::optional<Outcome> ran = handlers_.run(*held);
  if (!ran) {
    ran = Outcome{.kind = Outcome::Kind::kRelease, .delay = kStrangerDelay};
    notice("job " + held->job().id + " has type " + held->job().type + ", which was not asked for");
  }
  // A run beyond its limit has failed, whatever it returned; otherwise it would depend on which of
  // the two threads came first.
  if (held->cancel_reason() == CancelReason::kTimeout) ran = detail::timed_out(held->job());
  // Who was told that the worker stops and gave up is given back, like who does not listen.
  const bool gave_up = ran->kind == Outcome::Kind::kFail && !ran->failure.permanent;
  if (gave_up && held->cancel_reason() == CancelReason::kStopping) {
    ran = Outcome{.kind = Outcome::Kind::kRelease};
  }
  if (book_.claim(*held)) delivery_->deliver(held, *std::move(ran));
}

}  // namespace dray
