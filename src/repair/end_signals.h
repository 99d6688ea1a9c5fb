// Waiting in a command that may be told to end.
#pragma once
#include <chrono>

namespace repair {

// While it lives, SIGTERM and SIGINT end no process: `wait` tells of them.
// Threading: one thread, the only one of the process.
class EndSignals {
 public:
  EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals();

  // Waits for so long, or until a signal comes. Returns whether one came.
  static bool wait(std::chrono::milliseconds time);
};

}  // namespace repair
