#include "sdk/cpp/held.h"

#include "sdk/cpp/record.h"
#include "sdk/cpp/throw_error.h"

namespace dray::detail {
namespace {

// As the server has it; checked here because the report is not waited for.
constexpr size_t kProgressBytesMax = size_t{64} << 10;

Deadline limit_of(milliseconds duration) {
  return duration.count() > 0 ? Deadline::in(duration) : Deadline::never();
}

}  // namespace

LeasedJob leased_job_of(protocol::RespValue&& reply) {
  const Value raw = value_of(std::move(reply));
  LeasedJob job;
  job.id = raw.text_of("id");
  job.token = raw.text_of("token");
  job.queue = raw.text_of("queue");
  job.type = raw.text_of("type");
  job.args = raw.text_of("args");
  job.key = raw.text_of("key");
  job.attempt = static_cast<int>(raw.integer_of("attempt"));
  job.max_attempts = static_cast<int>(raw.integer_of("max_attempts"));
  job.priority = static_cast<int>(raw.integer_of("priority"));
  job.fence = raw.integer_of("fence");
  job.lease = milliseconds(raw.integer_of("lease_ms"));
  job.timeout = milliseconds(raw.integer_of("timeout_ms"));
  job.soft_timeout = milliseconds(raw.integer_of("soft_timeout_ms"));
  job.pushed = wall_time(raw.integer_of("pushed_ms"));
  if (const Value* progress = raw.find("progress")) job.progress = progress->text;
  job.meta = pairs_of(raw.find("meta"));
  return job;
}

Held::Held(LeasedJob job, HeldOwner& owner)
    : job_(std::move(job)),
      owner_(owner),
      leased_(mono_now()),
      deadline_(limit_of(job_.timeout)),
      soft_deadline_(limit_of(job_.soft_timeout)) {}

void Held::cancel(CancelReason reason) {
  {
    // Under the mutex, so that a wait() between its look and its sleep does not miss it.
    const std::lock_guard lock(mutex_);
    CancelReason none = CancelReason::kNone;
    reason_.compare_exchange_strong(none, reason);
  }
  cancelled_.notify_all();
  // Last, and outside the mutex: it runs callbacks that others have registered.
  stop_.request_stop();
}

milliseconds Held::age() const {
  return std::chrono::floor<milliseconds>(mono_now() - leased_);
}

std::optional<milliseconds> Held::time_left() const {
  if (deadline_.is_never()) return std::nullopt;
  return std::max(deadline_.left(), milliseconds{0});
}

bool Held::soft_timed_out() const {
  return !soft_deadline_.is_never() && soft_deadline_.is_over();
}

CancelReason Held::cancel_reason() const {
  const CancelReason reason = reason_;
  if (reason != CancelReason::kNone) return reason;
  return !deadline_.is_never() && deadline_.is_over() ? CancelReason::kTimeout
                                                      : CancelReason::kNone;
}

bool Held::wait(milliseconds duration) {
  const Deadline until = Deadline::earlier(Deadline::in(duration), deadline_);
  std::unique_lock lock(mutex_);
  while (cancel_reason() == CancelReason::kNone && !until.is_over()) {
    cancelled_.wait_for(lock, until.left());
  }
  return cancel_reason() != CancelReason::kNone;
}

void Held::progress(std::string data) {
  if (data.size() > kProgressBytesMax) {
    throw_error(ErrorCode::kTooBig, fmt::format("limit={} got={} bytes of progress: keep it small, "
                                                "and store large things elsewhere",
                                                kProgressBytesMax, data.size()));
  }
  owner_.report_progress(shared_from_this(), std::move(data));
}

void Held::log(LogLevel level, std::string text) {
  owner_.report_log(shared_from_this(), level, std::move(text));
}

std::vector<Pushed> Held::finish(Transaction& transaction, std::optional<std::string> result) {
  return owner_.finish(*this, transaction, std::move(result));
}

}  // namespace dray::detail
