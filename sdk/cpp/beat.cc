#include "sdk/cpp/beat.h"

#include <algorithm>

#include "sdk/cpp/request.h"

namespace dray::detail {
namespace {

using protocol::RespValue;

// Also without a lease the server hears of the worker, and can ask it to be quiet or to stop.
constexpr milliseconds kIdleBeat{10'000};
// An answer that does not come within this part of the shortest lease is given up, so that there is
// time for another connection before the lease is over.
constexpr int kAnswersPerLease = 4;
constexpr milliseconds kAnswerLeast{100};

// One go per beat: the next one names what is held by then.
Target one_go(Target target) {
  target.retry_for = milliseconds{0};
  return target;
}

bool names(const RespValue* ids, const std::string& id) {
  if (ids == nullptr) return false;
  return std::ranges::any_of(ids->items, [&](const RespValue& item) { return item.text == id; });
}

WorkerWish wish_of(const RespValue& reply) {
  const RespValue* state = reply.find("state");
  if (state == nullptr) return WorkerWish::kRun;
  if (state->text == "quiet") return WorkerWish::kQuiet;
  return state->text == "stop" ? WorkerWish::kStop : WorkerWish::kRun;
}

}  // namespace

Beat::Beat(Target target, std::string worker, LeaseBook& book, Hooks hooks)
    : worker_(std::move(worker)),
      book_(book),
      hooks_(std::move(hooks)),
      channel_(one_go(std::move(target)), &ended_),
      idle_beat_(Deadline::in(kIdleBeat)),
      thread_([this] { run(); }) {}

Beat::~Beat() {
  if (thread_.joinable()) stop();
}

void Beat::watch() {
  {
    const std::lock_guard lock(mutex_);
    ++watches_;
  }
  changed_.notify_all();
}

void Beat::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ended_.set();
  changed_.notify_all();
  thread_.join();
}

bool Beat::wait_until_due() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopping_) return false;
    const uint64_t seen = watches_;
    const Deadline due = Deadline::earlier(book_.next_beat(), idle_beat_);
    if (due.is_over()) return true;
    changed_.wait_for(lock, due.left(), [&] { return stopping_ || watches_ != seen; });
  }
}

void Beat::run() {
  int misses = 0;
  while (wait_until_due()) {
    const auto leases = book_.all();
    const base::Status done = beat_once(leases);
    if (done) {
      if (misses > 0) hooks_.notice("beats reach the server again");
      misses = 0;
      idle_beat_ = Deadline::in(kIdleBeat);
      continue;
    }
    if (misses++ == 0) hooks_.notice("a beat did not reach the server: " + done.error().message);
    // Never so long that a lease could run out between two beats.
    constexpr int kPausesPerLease = 6;
    milliseconds pause = channel_.pause(misses);
    const milliseconds shortest = book_.shortest_lease();
    if (shortest.count() > 0) {
      pause = std::min(pause, std::max(shortest / kPausesPerLease, milliseconds{1}));
    }
    ended_.wait(pause);
  }
}

base::Status Beat::beat_once(const std::vector<std::shared_ptr<Held>>& leases) {
  Request words{"WORKER.BEAT", worker_, "LEASES"};
  words.add(static_cast<int64_t>(leases.size()));
  for (const auto& held : leases) words.add(held->job().id).add(held->job().token);
  milliseconds answer = channel_.target().answer_timeout;
  const milliseconds shortest = book_.shortest_lease();
  if (shortest.count() > 0) {
    answer = std::min(answer, std::max(shortest / kAnswersPerLease, kAnswerLeast));
  }
  const base::MonoTime sent = mono_now();
  const std::string bytes = words.bytes();
  const RespValue reply = TRY(channel_.exchange({.bytes = bytes, .answer = answer}));
  if (reply.is_error()) return tl::unexpected(error_of(reply));
  book_.renewed(leases, sent);
  take(reply, leases);
  return {};
}

// The answer names jobs; it speaks of the leases that this beat named, not of a later one.
void Beat::take(const RespValue& reply, const std::vector<std::shared_ptr<Held>>& leases) {
  const RespValue* cancel = reply.find("cancel");
  const RespValue* lost = reply.find("lost");
  for (const auto& held : leases) {
    if (names(cancel, held->job().id)) held->cancel(CancelReason::kRequested);
    if (!names(lost, held->job().id)) continue;
    if (book_.lose(held->job().token)) hooks_.lost(*held);
  }
  hooks_.wish(wish_of(reply));
}

}  // namespace dray::detail
