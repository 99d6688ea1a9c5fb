#include "sdk/cpp/delivery.h"

#include <algorithm>

namespace dray::detail {
namespace {

// What is sent in one go, and so may have to be sent again. The last one may be larger.
constexpr size_t kItemsPerGo = 256;
constexpr size_t kBytesPerGo = size_t{8} << 20;
// How long progress and lines of logs are offered to a server that is away or refuses them. How a
// run ended is offered until the server takes it or says that the lease is over.
constexpr milliseconds kPatience{10 * 60 * 1'000};

bool is_refused_today(const base::Error& error) {
  return is_refused_for_now(error) || error.code == base::ErrorCode::kDiskFull ||
         error.code == base::ErrorCode::kStoreReadOnly;
}

std::string_view level_word(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

// Whether the lease is over, so that the answer is nobody's business any more.
bool is_not_ours(const base::Error& error) {
  return error.code == base::ErrorCode::kLeaseLost || error.code == base::ErrorCode::kGone ||
         error.code == base::ErrorCode::kNotFound;
}

}  // namespace

Delivery::Delivery(Target target, LeaseBook& book, milliseconds cancel_grace, Hooks hooks)
    : book_(book),
      cancel_grace_(cancel_grace),
      hooks_(std::move(hooks)),
      channel_(std::move(target), &ended_),
      thread_([this] { run(); }) {}

Delivery::~Delivery() {
  if (thread_.joinable()) stop(milliseconds{0});
}

void Delivery::deliver(const std::shared_ptr<Held>& held, Outcome outcome) {
  {
    const std::lock_guard lock(mutex_);
    add(held, sendable(std::move(outcome)));
  }
  changed_.notify_all();
}

size_t Delivery::bytes_of(const Item& item) {
  if (const auto* outcome = std::get_if<Outcome>(&item.what)) {
    const Failure& failure = outcome->failure;
    return (outcome->result ? outcome->result->size() : 0) + failure.message.size() +
           failure.trace.size();
  }
  const auto* line = std::get_if<LogLine>(&item.what);
  return line != nullptr ? line->text.size() : std::get<Progress>(item.what).data.size();
}

// Requires: mutex_ is held.
void Delivery::add(const std::shared_ptr<Held>& held,
                   std::variant<Outcome, Progress, LogLine> what) {
  const bool is_end = std::holds_alternative<Outcome>(what);
  const Deadline patience = is_end ? Deadline::never() : Deadline::in(kPatience);
  waiting_.push_back(Item{held, std::move(what), patience});
}

void Delivery::report(const std::shared_ptr<Held>& held, std::string progress) {
  {
    const std::lock_guard lock(mutex_);
    const auto same = std::ranges::find_if(waiting_, [&](const Item& item) {
      return item.held == held && std::holds_alternative<Progress>(item.what);
    });
    if (same != waiting_.end()) {
      same->what = Progress{std::move(progress)};
      return;
    }
    add(held, Progress{std::move(progress)});
  }
  changed_.notify_all();
}

void Delivery::log(const std::shared_ptr<Held>& held, LogLevel level, std::string text) {
  {
    const std::lock_guard lock(mutex_);
    if (!log_is_known_) return;
    if (log_lines_ < kLogLinesMax) {
      ++log_lines_;
      add(held, LogLine{level, sendable_text(std::move(text))});
      changed_.notify_all();
      return;
    }
    if (std::exchange(log_was_lost_, true)) return;
  }
  hooks_.notice(
      fmt::format("{} lines of logs wait for the server; more are dropped", kLogLinesMax));
}

void Delivery::watch() {
  {
    const std::lock_guard lock(mutex_);
    watch_ = true;
  }
  changed_.notify_all();
}

void Delivery::stop(milliseconds most) {
  {
    std::unique_lock lock(mutex_);
    const Deadline until = Deadline::in(most);
    while ((busy_ || !waiting_.empty()) && !until.is_over()) changed_.wait_for(lock, until.left());
    stopping_ = true;
  }
  ended_.set();
  changed_.notify_all();
  thread_.join();
}

void Delivery::count(WorkerEvent::Kind how) {
  const std::lock_guard lock(mutex_);
  switch (how) {
    case WorkerEvent::Kind::kStarted:
      break;
    case WorkerEvent::Kind::kSucceeded:
      ++report_.succeeded;
      break;
    case WorkerEvent::Kind::kFailed:
      ++report_.failed;
      break;
    case WorkerEvent::Kind::kReleased:
      ++report_.released;
      break;
    case WorkerEvent::Kind::kLost:
      ++report_.lost;
      break;
  }
}

WorkerReport Delivery::report_so_far() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void Delivery::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Deadline limit = book_.next_timeout(cancel_grace_);
    if (waiting_.empty() && !watch_ && !limit.is_over()) {
      if (limit.is_never()) {
        changed_.wait(lock);
      } else {
        changed_.wait_for(lock, limit.left());
      }
      continue;
    }
    watch_ = false;
    std::deque<Item> items;
    size_t bytes = 0;
    while (!waiting_.empty() && items.size() < kItemsPerGo && bytes < kBytesPerGo) {
      bytes += bytes_of(waiting_.front());
      if (std::holds_alternative<LogLine>(waiting_.front().what)) --log_lines_;
      items.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    busy_ = !items.empty();
    lock.unlock();
    fail_timed_out();
    send(std::move(items));
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

// The server would do it as well, a little later; so a stuck handler's job is soon run elsewhere.
void Delivery::fail_timed_out() {
  for (const auto& held : book_.take_timed_out()) held->cancel(CancelReason::kTimeout);
  for (const auto& held : book_.claim_timed_out(cancel_grace_)) {
    deliver(held, timed_out(held->job()));
  }
}

void Delivery::send(std::deque<Item> items) {
  for (int goes = 1; !items.empty(); ++goes) {
    const base::Status done = send_once(items);
    if (items.empty()) return;
    if (!done) {
      channel_.drop();
      if (goes == 1) hooks_.notice("cannot deliver answers yet: " + done.error().message);
    }
    std::erase_if(items, [](const Item& item) { return item.patience.is_over(); });
    fail_timed_out();
    const milliseconds limit = std::max(book_.next_timeout(cancel_grace_).left(), milliseconds{0});
    if (ended_.wait(std::min(channel_.pause(goes), limit))) return;
  }
}

std::string Delivery::request_of(const Item& item) {
  const LeasedJob& job = item.held->job();
  if (const auto* outcome = std::get_if<Outcome>(&item.what)) {
    return outcome_request(job, *outcome).bytes();
  }
  if (const auto* progress = std::get_if<Progress>(&item.what)) {
    return request({"JOB.PROGRESS", job.id, job.token, progress->data});
  }
  const auto& line = std::get<LogLine>(item.what);
  return request({"JOB.LOG", job.id, job.token, level_word(line.level), line.text});
}

// Sends all, reads the answers in order and takes the items out that are done.
base::Status Delivery::send_once(std::deque<Item>& items) {
  std::erase_if(items, [&](const Item& item) { return !book_.is_open(*item.held); });
  if (items.empty()) return {};
  std::string bytes;
  for (const Item& item : items) bytes += request_of(item);
  Connection* connection = TRY(channel_.connection());
  TRY(connection->send(bytes, Deadline::in(channel_.target().answer_timeout)));
  std::deque<Item> again;
  base::Status status;
  while (!items.empty()) {
    base::Result<protocol::RespValue> reply =
        connection->receive(Deadline::in(channel_.target().answer_timeout));
    if (!reply) {
      status = tl::unexpected(std::move(reply).error());
      break;
    }
    if (judge(items.front(), *reply) == Verdict::kAgain) again.push_back(std::move(items.front()));
    items.pop_front();
  }
  // In their old order: a progress must not come behind its job's end.
  std::ranges::move(items, std::back_inserter(again));
  items = std::move(again);
  return status;
}

Delivery::Verdict Delivery::judge(Item& item, const protocol::RespValue& reply) {
  if (std::holds_alternative<Progress>(item.what)) return judge_progress(item, reply);
  if (std::holds_alternative<LogLine>(item.what)) {
    judge_log(item, reply);
    return Verdict::kDone;
  }
  if (reply.is_error()) return refused(item, error_of(reply));
  switch (std::get<Outcome>(item.what).kind) {
    case Outcome::Kind::kAck:
      finish(item, WorkerEvent::Kind::kSucceeded);
      break;
    case Outcome::Kind::kFail:
      finish(item, WorkerEvent::Kind::kFailed);
      break;
    case Outcome::Kind::kRelease:
      finish(item, WorkerEvent::Kind::kReleased);
      break;
  }
  return Verdict::kDone;
}

void Delivery::judge_log(const Item& item, const protocol::RespValue& reply) {
  if (!reply.is_error() || is_not_ours(error_of(reply))) return;
  {
    const std::lock_guard lock(mutex_);
    if (error_of(reply).code == base::ErrorCode::kNotYet) log_is_known_ = false;
    if (std::exchange(log_was_lost_, true)) return;
  }
  hooks_.notice(fmt::format("a line of the log of job {} is refused: {}; more of such are not told",
                            item.held->job().id, reply.text));
}

Delivery::Verdict Delivery::judge_progress(Item& item, const protocol::RespValue& reply) {
  if (!reply.is_error()) {
    const protocol::RespValue* cancelled = reply.find("cancelled");
    if (cancelled != nullptr && cancelled->integer != 0) {
      item.held->cancel(CancelReason::kRequested);
    }
    return Verdict::kDone;
  }
  const base::Error error = error_of(reply);
  if (is_refused_today(error)) return Verdict::kAgain;
  if (is_not_ours(error)) {
    lost(item, error.message);
  } else {
    hooks_.notice(
        fmt::format("progress of job {} is refused: {}", item.held->job().id, reply.text));
  }
  return Verdict::kDone;
}

Delivery::Verdict Delivery::refused(Item& item, const base::Error& error) {
  if (is_refused_today(error)) return Verdict::kAgain;
  const LeasedJob& job = item.held->job();
  if (error.code == base::ErrorCode::kCancelled) {
    // What was asked for: the lease has ended, and the result with it.
    finish(item, WorkerEvent::Kind::kLost);
    return Verdict::kDone;
  }
  auto& outcome = std::get<Outcome>(item.what);
  if (error.code == base::ErrorCode::kTooBig && outcome.kind == Outcome::Kind::kAck) {
    hooks_.notice(fmt::format("result of job {} is refused: {}", job.id, error.message));
    outcome = result_refused(error.message);
    return Verdict::kAgain;
  }
  if (!is_not_ours(error) && !is_answer_refused(outcome)) {
    // Left alone the lease would run out, and count as a crash.
    hooks_.notice(fmt::format("how job {} ended is refused: {}", job.id, error.message));
    outcome = answer_refused(error.message);
    return Verdict::kAgain;
  }
  lost(item, error.message);
  return Verdict::kDone;
}

void Delivery::finish(const Item& item, WorkerEvent::Kind how) {
  book_.close(*item.held);
  count(how);
  const auto* outcome = std::get_if<Outcome>(&item.what);
  const bool has_failed = how == WorkerEvent::Kind::kFailed && outcome != nullptr;
  hooks_.closed(*item.held, how, has_failed ? &outcome->failure : nullptr);
}

void Delivery::lost(const Item& item, const std::string& why) {
  hooks_.notice(fmt::format("job {} is not ours any more: {}", item.held->job().id, why));
  item.held->cancel(CancelReason::kLost);
  finish(item, WorkerEvent::Kind::kLost);
}

}  // namespace dray::detail
