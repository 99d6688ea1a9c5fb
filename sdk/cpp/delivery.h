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

#include "sdk/cpp/channel.h"
#include "sdk/cpp/lease_book.h"
#include "sdk/cpp/outcome.h"

namespace dray::detail {

// Sending the same again is safe: the server answers a repeated ACK, FAIL or RELEASE with the same
// token as it did the first time.
// Threading: any thread may call any method; the callbacks come from the delivery's own thread.
class Delivery {
 public:
  struct Hooks {
    std::function<void(std::string_view)> notice;
    std::function<void()> closed;  // A lease is not held any more.
  };

  // `book` and what the hooks use must outlive it.
  Delivery(Target target, LeaseBook& book, Hooks hooks);
  // Drops what is not delivered: stop() first.
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  // Requires: the caller has claimed the lease.
  void deliver(const std::shared_ptr<Held>& held, Outcome outcome);
  // Of reports on one job that wait, only the newest is sent.
  void report(const std::shared_ptr<Held>& held, std::string progress);
  // A lease came that may have the first time limit of all.
  void watch();

  // A lease was found to be over by somebody else.
  void count_lost();

  // Waits until all is delivered, at most so long, and ends the thread.
  void stop(milliseconds most);

  // What has been delivered so far.
  WorkerReport report_so_far() const;

 private:
  struct Item {
    std::shared_ptr<Held> held;
    std::optional<Outcome> outcome;  // None: progress.
    std::string progress;
    Deadline patience;
  };
  enum class Verdict : uint8_t { kDone, kAgain };

  void run();
  void fail_timed_out();
  void send(std::deque<Item> items);
  base::Status send_once(std::deque<Item>& items);
  Verdict judge(Item& item, const protocol::RespValue& reply);
  Verdict judge_progress(Item& item, const protocol::RespValue& reply);
  Verdict refused(Item& item, const base::Error& error);
  void finish(const Item& item, uint64_t WorkerReport::*counter);
  void lost(const Item& item, const std::string& why);
  void give_up_hopeless(std::deque<Item>& items);

  LeaseBook& book_;
  const Hooks hooks_;
  Wake ended_;
  Channel channel_;  // Delivery thread only.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> waiting_;  // Guarded by mutex_.
  bool busy_ = false;         // Guarded by mutex_: items are under way.
  bool watch_ = false;        // Guarded by mutex_: time limits are to be looked at.
  bool stopping_ = false;     // Guarded by mutex_.
  WorkerReport report_;       // Guarded by mutex_.
  std::thread thread_;        // Last: it uses all of the above.
};

}  // namespace dray::detail
