// A job that this worker holds: its lease, and the Context its handler sees.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "dray/context.h"
#include "protocol/resp_reply_parser.h"
#include "sdk/cpp/deadline.h"

namespace dray::detail {

// One lease as JOB.FETCH answers it.
struct LeasedJob {
  std::string id;
  std::string token;
  std::string queue;
  std::string type;
  std::string args;
  std::string key;
  int attempt = 0;
  int max_attempts = 0;
  int priority = 0;
  int64_t fence = 0;
  milliseconds lease{0};
  milliseconds timeout{0};  // 0: none.
  milliseconds soft_timeout{0};
  WallTime pushed{};
  std::optional<std::string> progress;
  std::vector<std::pair<std::string, std::string>> meta;
};
LeasedJob leased_job_of(protocol::RespValue&& reply);

class Held;

// What a handler can do beyond looking at its own job. Threading: any thread.
class HeldOwner {
 public:
  HeldOwner() = default;
  HeldOwner(const HeldOwner&) = delete;
  HeldOwner& operator=(const HeldOwner&) = delete;
  virtual ~HeldOwner() = default;
  virtual void report_progress(const std::shared_ptr<Held>& held, std::string data) = 0;
  virtual void report_log(const std::shared_ptr<Held>& held, LogLevel level, std::string text) = 0;
  virtual std::vector<Pushed> finish(Held& held, Transaction& transaction,
                                     std::optional<std::string> result) = 0;
  virtual Client& client() = 0;
};

// Shared by the lease book, the thread that runs the handler and the deliveries under way; the last
// one frees it.
// Threading: job() is constant; all else may be called by any thread.
class Held final : public Context, public std::enable_shared_from_this<Held> {
 public:
  // `owner` must outlive it.
  Held(LeasedJob job, HeldOwner& owner);

  const LeasedJob& job() const { return job_; }
  // The first reason stays.
  void cancel(CancelReason reason);
  Deadline deadline() const { return deadline_; }
  // Since it was leased, which is when its handler was started, but for the handing over.
  milliseconds age() const;

  const std::string& id() const override { return job_.id; }
  const std::string& queue() const override { return job_.queue; }
  const std::string& type() const override { return job_.type; }
  const std::string& args() const override { return job_.args; }
  const std::string& key() const override { return job_.key; }
  const std::vector<std::pair<std::string, std::string>>& meta() const override {
    return job_.meta;
  }
  int attempt() const override { return job_.attempt; }
  int max_attempts() const override { return job_.max_attempts; }
  int priority() const override { return job_.priority; }
  int64_t fence() const override { return job_.fence; }
  WallTime pushed() const override { return job_.pushed; }
  const std::optional<std::string>& saved_progress() const override { return job_.progress; }

  std::optional<milliseconds> time_left() const override;
  bool soft_timed_out() const override;
  CancelReason cancel_reason() const override;
  std::stop_token stop_token() const override { return stop_.get_token(); }
  bool wait(milliseconds duration) override;
  void progress(std::string data) override;
  void log(LogLevel level, std::string text) override;
  std::vector<Pushed> finish(Transaction& transaction, std::optional<std::string> result) override;
  Client& client() override { return owner_.client(); }

 private:
  const LeasedJob job_;
  HeldOwner& owner_;
  const base::MonoTime leased_;
  const Deadline deadline_;
  const Deadline soft_deadline_;
  std::atomic<CancelReason> reason_{CancelReason::kNone};
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable cancelled_;
};

}  // namespace dray::detail
