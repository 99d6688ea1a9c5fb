#include "engine/inbox.h"

#include <algorithm>

#include "base/assert.h"

namespace engine {
namespace {

// The last lane in which the session has something that is not drained yet, or its own.
size_t lane_for(const Request& request) {
  auto lane = static_cast<size_t>(request.lane);
  for (size_t later = lane + 1; later < kLaneCount; ++later) {
    if (request.order->pending[later] != 0) lane = later;
  }
  return lane;
}

// Whether something of the same session waits in an earlier lane: that comes first.
bool has_earlier(const Request& request, size_t lane) {
  for (size_t earlier = 0; earlier < lane; ++earlier) {
    if (request.order->pending[earlier] != 0) return true;
  }
  return false;
}

}  // namespace

std::vector<Request*> Inbox::push(std::span<Request* const> requests, Wake wake) {
  std::vector<Request*> refused;
  bool notify = false;
  {
    const std::lock_guard lock(mutex_);
    for (Request* request : requests) {
      const size_t lane = lane_for(*request);
      if (lanes_[lane].size() >= lane_bound_ && request->kind != Request::Kind::kClose) {
        refused.push_back(request);
        continue;
      }
      lanes_[lane].push_back(request);
      ++request->order->pending[lane];
      ++size_;
    }
    notify = wake == Wake::kWaiter && waiting_ && size_ != 0;
    if (notify) waiting_ = false;
  }
  if (notify) filled_.notify_one();
  return refused;
}

Request* Inbox::take_first(size_t lane) {
  std::deque<Request*>& requests = lanes_[lane];
  if (requests.empty() || has_earlier(*requests.front(), lane)) return nullptr;
  Request* request = requests.front();
  requests.pop_front();
  ASSERT(request->order->pending[lane] != 0);
  --request->order->pending[lane];
  --size_;
  return request;
}

void Inbox::take(size_t lane, size_t most, std::vector<Request*>& out) {
  while (out.size() < most) {
    Request* request = take_first(lane);
    if (request == nullptr) return;
    out.push_back(request);
  }
}

Request* Inbox::take_read(std::span<Request* const> drained) {
  constexpr auto kRead = static_cast<size_t>(Lane::kRead);
  const std::lock_guard lock(mutex_);
  if (lanes_[kRead].empty()) return nullptr;
  const SessionOrder* order = lanes_[kRead].front()->order;
  if (std::ranges::find(drained, order, &Request::order) != drained.end()) return nullptr;
  return take_first(kRead);
}

void Inbox::drain(size_t most, std::vector<Request*>& out) {
  out.clear();
  const std::lock_guard lock(mutex_);
  constexpr auto kLast = static_cast<size_t>(Lane::kPush);
  const size_t kept_for_last = std::min(lanes_[kLast].size(), most / 10);
  for (size_t lane = 0; lane < kLast; ++lane) take(lane, most - kept_for_last, out);
  take(kLast, most, out);
  for (size_t lane = 0; lane < kLast; ++lane) take(lane, most, out);
}

void Inbox::wait(std::chrono::nanoseconds most) {
  std::unique_lock lock(mutex_);
  if (size_ == 0 && !woken_) {
    waiting_ = true;
    filled_.wait_for(lock, most, [&] { return size_ != 0 || woken_; });
    waiting_ = false;
  }
  woken_ = false;
}

void Inbox::wait_for_wake(std::chrono::nanoseconds most) {
  std::unique_lock lock(mutex_);
  filled_.wait_for(lock, most, [&] { return woken_; });
  woken_ = false;
}

void Inbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  filled_.notify_one();
}

size_t Inbox::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace engine
