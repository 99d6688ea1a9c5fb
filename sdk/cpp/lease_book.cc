#include "sdk/cpp/lease_book.h"

#include <algorithm>

namespace dray::detail {

void LeaseBook::add(const std::shared_ptr<Held>& held) {
  std::vector<std::shared_ptr<Held>> lost;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& pair) {
      if (pair.second.held->job().id != held->job().id) return false;
      lost.push_back(pair.second.held);
      return true;
    });
    entries_.emplace(held->job().token, Entry{held, false, mono_now()});
  }
  for (const auto& earlier : lost) earlier->cancel(CancelReason::kLost);
}

bool LeaseBook::claim(const Held& held) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(held.job().token);
  if (found == entries_.end() || found->second.claimed) return false;
  found->second.claimed = true;
  return true;
}

void LeaseBook::unclaim(const Held& held) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(held.job().token);
  if (found != entries_.end()) found->second.claimed = false;
}

void LeaseBook::close(const Held& held) {
  const std::lock_guard lock(mutex_);
  entries_.erase(held.job().token);
}

bool LeaseBook::lose(const std::string& token) {
  std::shared_ptr<Held> held;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(token);
    if (found == entries_.end() || found->second.claimed) return false;
    held = found->second.held;
    entries_.erase(found);
  }
  held->cancel(CancelReason::kLost);
  return true;
}

bool LeaseBook::is_open(const Held& held) const {
  const std::lock_guard lock(mutex_);
  return entries_.contains(held.job().token);
}

size_t LeaseBook::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::vector<std::shared_ptr<Held>> LeaseBook::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Held>> leases;
  leases.reserve(entries_.size());
  for (const auto& [token, entry] : entries_) leases.push_back(entry.held);
  return leases;
}

std::vector<std::shared_ptr<Held>> LeaseBook::claim_all() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Held>> claimed;
  for (auto& [token, entry] : entries_) {
    if (entry.claimed) continue;
    entry.claimed = true;
    claimed.push_back(entry.held);
  }
  return claimed;
}

std::vector<std::shared_ptr<Held>> LeaseBook::take_timed_out() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Held>> taken;
  for (auto& [token, entry] : entries_) {
    const Deadline limit = entry.held->deadline();
    if (entry.claimed || entry.timed_out || limit.is_never() || !limit.is_over()) continue;
    entry.timed_out = true;
    taken.push_back(entry.held);
  }
  return taken;
}

std::vector<std::shared_ptr<Held>> LeaseBook::claim_timed_out(milliseconds grace) {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Held>> claimed;
  for (auto& [token, entry] : entries_) {
    const Deadline limit = entry.held->deadline();
    if (entry.claimed || limit.is_never() || !limit.later(grace).is_over()) continue;
    entry.claimed = true;
    claimed.push_back(entry.held);
  }
  return claimed;
}

Deadline LeaseBook::next_timeout(milliseconds grace) const {
  const std::lock_guard lock(mutex_);
  Deadline next = Deadline::never();
  for (const auto& [token, entry] : entries_) {
    const Deadline limit = entry.held->deadline();
    if (entry.claimed || limit.is_never()) continue;
    next = Deadline::earlier(next, entry.timed_out ? limit.later(grace) : limit);
  }
  return next;
}

void LeaseBook::renewed(const std::vector<std::shared_ptr<Held>>& leases, base::MonoTime sent) {
  const std::lock_guard lock(mutex_);
  for (const auto& held : leases) {
    const auto found = entries_.find(held->job().token);
    if (found != entries_.end()) found->second.renewed = sent;
  }
}

Deadline LeaseBook::next_beat() const {
  constexpr int kBeatsPerLease = 3;
  const std::lock_guard lock(mutex_);
  Deadline next = Deadline::never();
  for (const auto& [token, entry] : entries_) {
    const auto third = std::chrono::nanoseconds(entry.held->job().lease) / kBeatsPerLease;
    next = Deadline::earlier(next, Deadline::at(entry.renewed + third));
  }
  return next;
}

milliseconds LeaseBook::shortest_lease() const {
  const std::lock_guard lock(mutex_);
  milliseconds shortest{0};
  for (const auto& [token, entry] : entries_) {
    const milliseconds lease = entry.held->job().lease;
    if (shortest.count() == 0 || lease < shortest) shortest = lease;
  }
  return shortest;
}

}  // namespace dray::detail
