// Where sessions put commands for the engine thread: three lanes, drained in order of what frees
// resources first, with a tenth kept for the last so that it never stands still; and a fourth, of
// reads that may take long, from which one is taken at a time. The commands of one session are
// taken in the order in which they came, whatever their lanes.
//
// Threading: any thread pushes; whoever runs a turn drains; the engine's thread waits.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "engine/request.h"

namespace engine {

class Inbox {
 public:
  // `lane_bound`: commands that one lane holds at most.
  explicit Inbox(size_t lane_bound) : lane_bound_(lane_bound) {}

  // Takes the requests over. Returns those for which there was no room: they are the caller's
  // again, to be answered OVERLOADED. A kClose always has room.
  enum class Wake : uint8_t { kWaiter, kNobody };
  std::vector<Request*> push(std::span<Request* const> requests, Wake wake = Wake::kWaiter);

  // Moves at most `most` requests to `out`, which is emptied first. None of Lane::kRead.
  void drain(size_t most, std::vector<Request*>& out);
  // The next of Lane::kRead, or null: there is none, or something of its session comes before it,
  // here or among those that were drained and are not applied yet.
  Request* take_read(std::span<Request* const> drained = {});

  // Waits until there is something to drain, `wake` was called, or the time is up.
  void wait(std::chrono::nanoseconds most);
  // The same, whatever there is to drain: where nobody drains any more.
  void wait_for_wake(std::chrono::nanoseconds most);
  // Ends a wait, now or the next one.
  void wake();

  size_t size() const;

 private:
  Request* take_first(size_t lane);
  void take(size_t lane, size_t most, std::vector<Request*>& out);

  const size_t lane_bound_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::array<std::deque<Request*>, kLaneCount> lanes_;  // Guarded by mutex_, like all below.
  size_t size_ = 0;
  bool waiting_ = false;
  bool woken_ = false;
};

}  // namespace engine
