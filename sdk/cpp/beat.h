// Keeps the leases of a worker alive. On its own thread and connection, so that no handler and no
// slow answer can hold it up.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "sdk/cpp/channel.h"
#include "sdk/cpp/lease_book.h"

namespace dray::detail {

// What the server wants of the worker.
enum class WorkerWish : uint8_t { kRun, kQuiet, kStop };

// Threading: any thread may call any method; the callbacks come from the beat's own thread.
class Beat {
 public:
  struct Hooks {
    std::function<void(std::string_view)> notice;
    std::function<void(const Held& held)> lost;  // A lease is over; its handler was told.
    std::function<void(WorkerWish)> wish;
  };

  // `book` and what the hooks use must outlive it. `worker` is its label.
  Beat(Target target, std::string worker, LeaseBook& book, Hooks hooks);
  ~Beat();
  Beat(const Beat&) = delete;
  Beat& operator=(const Beat&) = delete;

  // A lease came that may need the first beat of all.
  void watch();
  void stop();

 private:
  void run();
  // Waits for the next beat; false at the stop.
  bool wait_until_due();
  base::Status beat_once(const std::vector<std::shared_ptr<Held>>& leases);
  void take(const protocol::RespValue& reply, const std::vector<std::shared_ptr<Held>>& leases);

  const std::string worker_;
  LeaseBook& book_;
  const Hooks hooks_;
  Wake ended_;
  Channel channel_;     // Beat thread only.
  Deadline idle_beat_;  // Beat thread only.

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // Guarded by mutex_.
  uint64_t watches_ = 0;   // Guarded by mutex_.
  std::thread thread_;     // Last: it uses all of the above.
};

}  // namespace dray::detail
