#include "core/keys.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"

namespace core {
namespace {

// A cursor goes through clients that hold it as a double, so a place has 53 bits. 0 is no place.
constexpr int kPlaceShift = 64 - 53;

// FNV-1a, mixed once more. Fixed for good, or a scan would lose its place over an upgrade. Who may
// write keys can make names share a place; then a page of a scan is longer, and nothing else.
uint64_t hash_of(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  return std::max<uint64_t>(hash >> kPlaceShift, 1);
}

}  // namespace

Keys::PlaceView Keys::view_of(std::string_view name) {
  return {hash_of(name), name};
}

const Keys::Entry* Keys::find(std::string_view name, base::Now now) const {
  const auto found = entries_.find(view_of(name));
  if (found == entries_.end() || found->second.expiry.is_over(now)) return nullptr;
  return &found->second;
}

const Keys::Entry* Keys::entry(std::string_view name) const {
  const auto found = entries_.find(view_of(name));
  return found == entries_.end() ? nullptr : &found->second;
}

size_t Keys::count(base::Now now) const {
  const auto over = [](const Timers& timers, int64_t now_ms) {
    const auto end =
        std::ranges::find_if(timers, [&](const Timer& timer) { return timer.ms > now_ms; });
    return static_cast<size_t>(std::distance(timers.begin(), end));
  };
  return entries_.size() - over(engine_timers_, now.engine.ms) - over(wall_timers_, now.wall.ms);
}

std::optional<uint64_t> Keys::bytes_beyond(std::string_view name, size_t value_bytes) const {
  const auto held = entries_.find(view_of(name));
  const uint64_t before =
      held == entries_.end() ? 0 : bytes_of(name.size(), held->second.value.size());
  const uint64_t after = bytes_of(name.size(), value_bytes);
  const uint64_t sum = bytes_ - before + after;
  if (after <= before || sum <= bytes_max_) return std::nullopt;
  return sum;
}

Keys::Timers* Keys::timers_of(const KeyExpiry& expiry) {
  if (!expiry.is_set()) return nullptr;
  return expiry.clock == KeyExpiry::Clock::kWall ? &wall_timers_ : &engine_timers_;
}

void Keys::put(std::string_view name, std::string_view value, KeyExpiry expiry) {
  note_change(name);
  install(name, value, expiry);
}

void Keys::install(std::string_view name, std::string_view value, KeyExpiry expiry) {
  ASSERT(!name.empty());
  const PlaceView place = view_of(name);
  auto at = entries_.find(place);
  if (at == entries_.end()) {
    at = entries_.emplace(Place{place.hash, std::string(name)}, Entry{}).first;
  } else {
    bytes_ -= bytes_of(name.size(), at->second.value.size());
    if (Timers* timers = timers_of(at->second.expiry)) {
      const size_t gone = timers->erase(Timer{at->second.expiry.ms, &at->first});
      ASSERT(gone == 1, "a key with an end has a timer");
    }
  }
  at->second.value = value;
  at->second.expiry = expiry;
  bytes_ += bytes_of(name.size(), at->second.value.size());
  if (Timers* timers = timers_of(expiry)) timers->insert(Timer{expiry.ms, &at->first});
}

void Keys::remove(std::string_view name) {
  const auto found = entries_.find(view_of(name));
  if (found == entries_.end()) return;
  note_change(name);
  erase(found);
}

void Keys::erase(Entries::iterator entry) {
  const uint64_t bytes = bytes_of(entry->first.name.size(), entry->second.value.size());
  ASSERT(bytes <= bytes_, "{} bytes of {}", bytes, bytes_);
  bytes_ -= bytes;
  if (Timers* timers = timers_of(entry->second.expiry)) {
    const size_t gone = timers->erase(Timer{entry->second.expiry.ms, &entry->first});
    ASSERT(gone == 1, "a key with an end has a timer");
  }
  entries_.erase(entry);
}

const std::string* Keys::first_over(base::Now now) const {
  if (!engine_timers_.empty() && engine_timers_.begin()->ms <= now.engine.ms) {
    return &engine_timers_.begin()->place->name;
  }
  if (!wall_timers_.empty() && wall_timers_.begin()->ms <= now.wall.ms) {
    return &wall_timers_.begin()->place->name;
  }
  return nullptr;
}

base::EngineTime Keys::next_over(base::Now now) const {
  base::EngineTime next = base::EngineTime::never();
  if (!engine_timers_.empty()) next = base::EngineTime{engine_timers_.begin()->ms};
  if (!wall_timers_.empty()) {
    const int64_t wall_ahead_ms = now.wall.ms - now.engine.ms;
    next = std::min(next, base::EngineTime{wall_timers_.begin()->ms - wall_ahead_ms});
  }
  return next;
}

void Keys::note_change(std::string_view name) {
  if (group_ && !group_->contains(name)) {
    const auto held = entries_.find(view_of(name));
    Saved saved;
    if (held != entries_.end()) saved.entry = held->second;
    saved.was_changed = changed_.contains(name);
    group_->emplace(std::string(name), std::move(saved));
  }
  if (watched_ && !changed_.contains(name)) changed_.emplace(name);
}

std::vector<std::string> Keys::take_changed() {
  ASSERT(!group_, "what a group changed may be taken back");
  std::vector<std::string> names;
  names.reserve(changed_.size());
  while (!changed_.empty()) names.push_back(std::move(changed_.extract(changed_.begin()).value()));
  return names;
}

void Keys::begin_group() {
  ASSERT(!group_, "groups do not nest");
  group_.emplace();
}

void Keys::end_group(bool commit) {
  ASSERT(group_.has_value());
  const auto group = *std::exchange(group_, std::nullopt);
  if (commit) return;
  for (const auto& [name, saved] : group) {
    if (!saved.was_changed) changed_.erase(name);
    if (saved.entry) {
      install(name, saved.entry->value, saved.entry->expiry);
    } else if (const auto made = entries_.find(view_of(name)); made != entries_.end()) {
      erase(made);
    }
  }
}

}  // namespace core
