// How hard the server is pressed: by what its connections hold in memory, by a journal that fills,
// by a disk that is slow. `Engine` refuses by it, in the order that docs/limits.md gives.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace engine {

enum class Pressure : uint8_t {
  kNone,
  kYellow,  // Worth a look.
  kOrange,  // New jobs are refused.
  kRed,     // Large reads too.
};

// From shares of a budget, in percent, each level holds.
inline constexpr uint64_t kYellowPercent = 70;
inline constexpr uint64_t kOrangePercent = 85;
inline constexpr uint64_t kRedPercent = 95;

Pressure pressure_of(uint64_t used, uint64_t budget);

// The memory of all connections together: what they have read, what waits in the inbox, what is
// answered and not taken. There is one for all engines of a process: what connections hold presses
// them all. Threading: any thread; the I/O thread and whoever runs a turn each have their own part
// of it.
class BufferGauge {
 public:
  static constexpr uint64_t kBudgetDefault = uint64_t{256} << 20;

  // Before the start.
  void set_budget(uint64_t bytes) { budget_ = bytes; }
  uint64_t budget() const { return budget_; }

  // Of the I/O thread: what connections hold changed from one sum to another.
  void held(uint64_t before, uint64_t after) {
    held_.fetch_add(after - before, std::memory_order_relaxed);
  }
  // Replies that are made, on the way to the I/O thread; and that it has taken into its own
  // account.
  void replies_made(uint64_t bytes) { on_the_way_.fetch_add(bytes, std::memory_order_relaxed); }
  void replies_taken(uint64_t bytes) { on_the_way_.fetch_sub(bytes, std::memory_order_relaxed); }

  uint64_t used() const {
    return held_.load(std::memory_order_relaxed) + on_the_way_.load(std::memory_order_relaxed);
  }
  Pressure pressure() const { return pressure_of(used(), budget_); }

 private:
  uint64_t budget_ = kBudgetDefault;
  std::atomic<uint64_t> held_ = 0;
  std::atomic<uint64_t> on_the_way_ = 0;
};

// Watches how long commits take, second by second. One slow commit is nothing; a run of slow
// seconds is. Threading: one owner at a time.
class CommitWatch {
 public:
  // A commit took this long.
  void add(std::chrono::nanoseconds took);
  // `oldest`: for how long the oldest commit that is under way has been. Called often; a second is
  // judged when it is over.
  void look(base::MonoTime now, std::chrono::nanoseconds oldest);

  // Yellow: for five seconds more than one commit in a hundred took over 200 ms. Orange: for five
  // seconds even the quickest took over a second, so that a queue stands that does not go away.
  Pressure pressure() const;

 private:
  static constexpr int kSeconds = 5;

  uint64_t commits_ = 0;  // Of this second.
  uint64_t slow_ = 0;     // Of them, over 200 ms.
  std::chrono::nanoseconds quickest_ = std::chrono::nanoseconds::max();
  base::MonoTime second_began_;
  int slow_seconds_ = 0;      // In a row, until now.
  int standing_seconds_ = 0;  // The same.
};

}  // namespace engine
