// What a handler is given: its job, and ways to talk about it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dray/client.h"
#include "dray/job.h"

namespace dray {

enum class CancelReason : uint8_t {
  kNone,
  kRequested,  // Somebody cancelled the job.
  kLost,       // The lease is over: another worker may run the job by now.
  kTimeout,    // `timeout` is over: this run has failed already.
  kStopping,   // The worker stops and its grace is over: the job has been given back.
};

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };

// A thread cannot be ended from outside, so every reason is only told: a handler that runs long
// looks at cancelled(), or waits with wait(), and returns soon when it is true. What it returns
// then is dropped, except after kRequested, where it still ends the lease.
//
// Threading: any thread may call any method while the handler runs. Lifetime: until it returns.
class Context {
 public:
  virtual ~Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  virtual const std::string& id() const = 0;
  virtual const std::string& queue() const = 0;
  virtual const std::string& type() const = 0;
  virtual const std::string& args() const = 0;
  // Empty: the job has none.
  virtual const std::string& key() const = 0;
  virtual const std::vector<std::pair<std::string, std::string>>& meta() const = 0;
  // 1 is the first run.
  virtual int attempt() const = 0;
  virtual int max_attempts() const = 0;
  virtual int priority() const = 0;
  // Grows with every lease of this job: hand it to a store that has to refuse a slow old run.
  virtual int64_t fence() const = 0;
  virtual WallTime pushed() const = 0;
  // What an earlier run last reported with progress(): a checkpoint to go on from.
  virtual const std::optional<std::string>& saved_progress() const = 0;

  // Time left until the hard limit; nullopt: there is none.
  virtual std::optional<milliseconds> time_left() const = 0;
  // Whether `soft_timeout` is over: time to come to an end by oneself. It cancels nothing.
  virtual bool soft_timed_out() const = 0;
  bool cancelled() const { return cancel_reason() != CancelReason::kNone; }
  virtual CancelReason cancel_reason() const = 0;
  // The same for code that knows standard C++ only; stop is requested when cancelled() becomes
  // true. Callbacks registered with it are called by the threads that keep the leases of all jobs:
  // they have to be short.
  virtual std::stop_token stop_token() const = 0;
  // Pauses for `duration`; returns true, and at once, when cancelled.
  virtual bool wait(milliseconds duration) = 0;

  // Reports how far the work is: any bytes up to 64 KiB, JSON by convention. Does not wait for the
  // server; of reports that come fast only the newest is sent. Throws Error kTooBig.
  virtual void progress(std::string data) = 0;
  void progress(int percent) { progress(std::to_string(percent)); }

  // Adds a line to the log that the server keeps of this attempt. Does not wait for the server, and
  // never fails the job: what cannot be delivered is dropped, and said once as a notice.
  virtual void log(LogLevel level, std::string text) = 0;

  // Commits `transaction` and the success of this job, all or none: the one way to push what comes
  // next exactly once. What the handler returns afterwards is dropped. Throws as commit() does;
  // kLeaseLost, and nothing has happened, when this run has ended already.
  virtual std::vector<Pushed> finish(Transaction& transaction,
                                     std::optional<std::string> result = {}) = 0;

  // To push more jobs, say. A run may be repeated, so give what it pushes a key or a request.
  virtual Client& client() = 0;

 protected:
  Context() = default;
};

}  // namespace dray
