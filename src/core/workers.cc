#include "core/workers.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/assert.h"
#include "core/limits.h"

namespace core {

std::string_view worker_order_name(WorkerOrder order) {
  static constexpr std::array<std::string_view, kWorkerOrderCount> kNames = {"run", "quiet",
                                                                             "stop"};
  return kNames[static_cast<size_t>(order)];
}

Workers::Heard Workers::hear(std::string_view name, base::Now now) {
  const auto known = places_.find(name);
  const bool is_new = known == places_.end();
  if (!is_new) {
    by_time_.splice(by_time_.begin(), by_time_, known->second);
  } else {
    if (by_time_.size() >= limits::kWorkersMax) erase(std::prev(by_time_.end()));
    by_time_.push_front({.name = std::string(name), .heard = now});
    places_.emplace(by_time_.front().name, by_time_.begin());
  }
  by_time_.front().heard = now;
  return {by_time_.front(), is_new};
}

void Workers::erase(Place place) {
  if (place->order != WorkerOrder::kRun) --told_;
  places_.erase(place->name);
  by_time_.erase(place);
}

bool Workers::forget(std::string_view name) {
  const size_t told_before = told_;
  if (const auto known = places_.find(name); known != places_.end()) erase(known->second);
  return told_ < told_before;
}

bool Workers::expire(base::EngineTime now) {
  constexpr base::Duration kIdle{limits::kWorkerIdleMs};
  const size_t told_before = told_;
  while (!by_time_.empty() && by_time_.back().heard.engine + kIdle <= now) {
    erase(std::prev(by_time_.end()));
  }
  return told_ < told_before;
}

bool Workers::tell(std::string_view name, WorkerOrder order) {
  const auto known = places_.find(name);
  if (known == places_.end()) return false;
  WorkerOrder& told = known->second->order;
  if (told == WorkerOrder::kRun && order != WorkerOrder::kRun) ++told_;
  told = std::max(told, order);
  return true;
}

bool Workers::is_quiet(std::string_view name) const {
  if (told_ == 0) return false;
  const auto known = places_.find(name);
  return known != places_.end() && known->second->order != WorkerOrder::kRun;
}

void Workers::count_lease(std::string_view name, int by) {
  auto found = leases_.find(name);
  if (found == leases_.end()) {
    // Not at the end of each lease, which is mostly followed by another.
    if (leases_.size() >= limits::kWorkersMax) {
      std::erase_if(leases_, [](const auto& entry) { return entry.second == 0; });
    }
    found = leases_.emplace(std::string(name), 0).first;
  }
  ASSERT(by > 0 || found->second > 0, "worker '{}' has no lease that could end", name);
  found->second += static_cast<uint64_t>(by);
}

uint64_t Workers::leases_of(std::string_view name) const {
  const auto found = leases_.find(name);
  return found == leases_.end() ? 0 : found->second;
}

}  // namespace core
