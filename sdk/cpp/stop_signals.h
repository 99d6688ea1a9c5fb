// Turns signals of the process into calls on a thread, where everything may be done.
#pragma once
#include <atomic>
#include <csignal>
#include <functional>
#include <thread>
#include <vector>

namespace dray::detail {

// One per process at a time. The signals' earlier handling is put back at the end.
// Threading: made and destroyed by one thread; `on_signal` is called by a thread of its own.
class StopSignals {
 public:
  // Throws Error kBadState when there is one already, kBadReq for a signal that can't be caught.
  StopSignals(const std::vector<int>& signals, std::function<void()> on_signal);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  struct Earlier {
    int signal;
    struct sigaction action;
  };

  void put_back();

  int fd_;
  std::function<void()> on_signal_;
  std::vector<Earlier> earlier_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace dray::detail
