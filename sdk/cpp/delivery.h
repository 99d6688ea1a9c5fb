// Tells the server how runs ended and how far they are, over a connection of its own, again and
// again until it is answered. So a handler's thread is free for the next job at once, and answers
// that come together share one sync of the server.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "dray/worker.h"
#include "sdk/cpp/channel.h"
#include "sdk/cpp/lease_book.h"
#include "sdk/cpp/outcome.h"

namespace dray::detail {

// Log lines that may wait for a server that is away or slow.
inline constexpr size_t kLogLinesMax = 1'000;

// Sending the same again is safe: the server answers a repeated ACK, FAIL or RELEASE with the same
// token as it did the first time.
// Threading: any thread may call any method; the callbacks come from the delivery's own thread.
class Delivery {
 public:
  struct Hooks {
    std::function<void(std::string_view)> notice;
    // A lease is not held any more. The failure is null when it did not fail.
    std::function<void(const Held& held, WorkerEvent::Kind how, const Failure*)> closed;
  };

  // `book` and what the hooks use must outlive it. `cancel_grace`: for how long a handler beyond
  // its time limit may go on until its job is failed without it.
  Delivery(Target target, LeaseBook& book, milliseconds cancel_grace, Hooks hooks);
  // Drops what is not delivered: stop() first.
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  // Requires: the caller has claimed the lease.
  void deliver(const std::shared_ptr<Held>& held, Outcome outcome);
  // Of reports on one job that wait, only the newest is sent.
  void report(const std::shared_ptr<Held>& held, std::string progress);
  // Lines are sent in order, each once, or twice when a connection breaks. They never hold up an
  // answer: one that the server does not take, or that finds kLogLinesMax waiting, is dropped.
  void log(const std::shared_ptr<Held>& held, LogLevel level, std::string text);
  // A lease came that may have the first time limit of all.
  void watch();

  // A lease has ended by somebody else's doing.
  void count(WorkerEvent::Kind how);

  // Waits until all is delivered, at most so long, and ends the thread.
  void stop(milliseconds most);

  // What has been delivered so far.
  WorkerReport report_so_far() const;

 private:
  struct Progress {
    std::string data;
  };
  struct LogLine {
    LogLevel level;
    std::string text;
  };
  struct Item {
    std::shared_ptr<Held> held;
    std::variant<Outcome, Progress, LogLine> what;
    Deadline patience;  // Beyond it nobody waits for it.
  };
  enum class Verdict : uint8_t { kDone, kAgain };

  void run();
  void fail_timed_out();
  void send(std::deque<Item> items);
  base::Status send_once(std::deque<Item>& items);
  void add(const std::shared_ptr<Held>& held, std::variant<Outcome, Progress, LogLine> what);
  static size_t bytes_of(const Item& item);
  static std::string request_of(const Item& item);
  Verdict judge(Item& item, const protocol::RespValue& reply);
  Verdict judge_progress(Item& item, const protocol::RespValue& reply);
  void judge_log(const Item& item, const protocol::RespValue& reply);
  Verdict refused(Item& item, const base::Error& error);
  void finish(const Item& item, WorkerEvent::Kind how);
  void lost(const Item& item, const std::string& why);

  LeaseBook& book_;
  const milliseconds cancel_grace_;
  const Hooks hooks_;
  Wake ended_;
  Channel channel_;  // Delivery thread only.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> waiting_;   // Guarded by mutex_.
  size_t log_lines_ = 0;       // Guarded by mutex_: how many of those that wait are log lines.
  bool log_was_lost_ = false;  // Guarded by mutex_: and the notice has been given.
  bool log_is_known_ = true;   // Guarded by mutex_: the server has a log.
  bool busy_ = false;          // Guarded by mutex_: items are under way.
  bool watch_ = false;         // Guarded by mutex_: time limits are to be looked at.
  bool stopping_ = false;      // Guarded by mutex_.
  WorkerReport report_;        // Guarded by mutex_.
  std::thread thread_;         // Last: it uses all of the above.
};

}  // namespace dray::detail
