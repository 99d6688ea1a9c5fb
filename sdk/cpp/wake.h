// Ends a wait in poll() from another thread or a signal handler.
#pragma once
#include <chrono>

namespace dray::detail {

// Threading: any thread may call set(), which is also safe in a signal handler. Stays set.
class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void set() const;
  bool is_set() const;
  // Waits until it is set or `duration` is over; returns whether it is set.
  bool wait(std::chrono::milliseconds duration) const;
  // Readable when set; for poll().
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace dray::detail
