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
uint64_t name_hash(std::string_view name) {
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

const std::string* Keys::Entry::field(std::string_view name) const {
  if (!hash) return nullptr;
  const auto found = hash->fields.find(name);
  return found == hash->fields.end() ? nullptr : &found->second;
}

Keys::PlaceView Keys::view_of(std::string_view name) {
  return {name_hash(name), name};
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

uint64_t Keys::bytes_of(const Place& place, const Entry& entry) {
  return bytes_of(place.name.size(), entry.hash ? entry.hash->bytes : entry.value.size());
}

uint64_t Keys::bytes_held(std::string_view name) const {
  const auto held = entries_.find(view_of(name));
  return held == entries_.end() ? 0 : bytes_of(held->first, held->second);
}

std::optional<uint64_t> Keys::bytes_beyond(std::string_view name, size_t value_bytes) const {
  return bytes_beyond(static_cast<int64_t>(bytes_of(name.size(), value_bytes)) -
                      static_cast<int64_t>(bytes_held(name)));
}

std::optional<uint64_t> Keys::bytes_beyond(int64_t more) const {
  const uint64_t sum = bytes_ + static_cast<uint64_t>(more);
  if (more <= 0 || sum <= bytes_max_) return std::nullopt;
  return sum;
}

Keys::Timers* Keys::timers_of(const KeyExpiry& expiry) {
  if (!expiry.is_set()) return nullptr;
  return expiry.clock == KeyExpiry::Clock::kWall ? &wall_timers_ : &engine_timers_;
}

// --- Changes.

void Keys::put(std::string_view name, std::string_view value, KeyExpiry expiry) {
  before_end(name);
  note_key(name);
  const auto at = make(name);
  set_value(at, value);
  set_expiry(at, expiry);
}

void Keys::remove(std::string_view name) {
  if (!holds(name)) return;
  before_end(name);
  note_key(name);
  erase(entries_.find(view_of(name)));
}

void Keys::put_expiry(std::string_view name, KeyExpiry expiry) {
  const auto held = entries_.find(view_of(name));
  if (held == entries_.end()) return;
  if (group_) {
    group_->undo.push_back(
        {.what = Undo::What::kExpiry,
         .name = std::string(name),
         .entry = Entry{.value = {}, .expiry = held->second.expiry, .hash = {}}});
  }
  note_key(name);
  set_expiry(held, expiry);
}

void Keys::put_field(std::string_view name, std::string_view field, std::string_view value) {
  auto at = entries_.find(view_of(name));
  if (at == entries_.end() || !at->second.hash) {
    before_end(name);
    note_key(name);
    at = make(name);
    set_value(at, {});
    set_expiry(at, {});
    at->second.hash = std::make_unique<Hash>();
  } else if (group_) {
    const auto& fields = at->second.hash->fields;
    const auto old = fields.find(field);
    std::optional<std::string> before;
    if (old != fields.end()) before = old->second;
    group_->undo.push_back({.what = Undo::What::kField,
                            .name = std::string(name),
                            .field = std::string(field),
                            .value = std::move(before)});
  }
  note_field(name, field);
  put_field_at(at, field, value);
}

void Keys::remove_field(std::string_view name, std::string_view field) {
  const auto at = entries_.find(view_of(name));
  if (at == entries_.end() || !at->second.hash) return;
  const auto& fields = at->second.hash->fields;
  const auto old = fields.find(field);
  if (old == fields.end()) return;
  if (fields.size() == 1) return remove(name);
  if (group_) {
    group_->undo.push_back({.what = Undo::What::kField,
                            .name = std::string(name),
                            .field = std::string(field),
                            .value = old->second});
  }
  note_field(name, field);
  remove_field_at(at, field);
}

void Keys::before_end(std::string_view name) {
  const auto held = entries_.find(view_of(name));
  const bool is_held = held != entries_.end();
  std::unique_ptr<Hash> hash;
  if (is_held && held->second.hash) {
    for (const auto& [field, value] : held->second.hash->fields) note_field(name, field);
    bytes_ -= held->second.hash->bytes;
    hash = std::move(held->second.hash);
  }
  if (!group_) return;
  Undo& undo = group_->undo.emplace_back(Undo{.name = std::string(name)});
  if (!is_held) return;
  undo.entry = Entry{held->second.value, held->second.expiry, std::move(hash)};
}

Keys::Entries::iterator Keys::make(std::string_view name) {
  ASSERT(!name.empty());
  const PlaceView place = view_of(name);
  const auto held = entries_.find(place);
  if (held != entries_.end()) return held;
  bytes_ += bytes_of(name.size(), 0);
  return entries_.emplace(Place{place.hash, std::string(name)}, Entry{}).first;
}

void Keys::set_value(Entries::iterator entry, std::string_view value) {
  bytes_ -= entry->second.value.size();
  entry->second.value = value;
  bytes_ += value.size();
}

void Keys::set_expiry(Entries::iterator entry, KeyExpiry expiry) {
  KeyExpiry& held = entry->second.expiry;
  if (Timers* timers = timers_of(held)) {
    const size_t gone = timers->erase(Timer{held.ms, &entry->first});
    ASSERT(gone == 1, "a key with an end has a timer");
  }
  held = expiry;
  if (Timers* timers = timers_of(held)) timers->insert(Timer{held.ms, &entry->first});
}

void Keys::put_field_at(Entries::iterator entry, std::string_view field, std::string_view value) {
  Hash& hash = *entry->second.hash;
  auto at = hash.fields.find(field);
  uint64_t before = 0;
  if (at == hash.fields.end()) {
    at = hash.fields.emplace(field, std::string()).first;
  } else {
    before = field_bytes(field, at->second);
  }
  at->second = value;
  const uint64_t after = field_bytes(at->first, at->second);
  hash.bytes += after - before;
  bytes_ += after - before;
}

void Keys::remove_field_at(Entries::iterator entry, std::string_view field) {
  Hash& hash = *entry->second.hash;
  const auto at = hash.fields.find(field);
  ASSERT(at != hash.fields.end());
  const uint64_t bytes = field_bytes(at->first, at->second);
  hash.bytes -= bytes;
  bytes_ -= bytes;
  hash.fields.erase(at);
}

void Keys::erase(Entries::iterator entry) {
  const uint64_t bytes = bytes_of(entry->first, entry->second);
  ASSERT(bytes <= bytes_, "{} bytes of {}", bytes, bytes_);
  bytes_ -= bytes;
  set_expiry(entry, {});
  entries_.erase(entry);
}

// --- What is over.

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

// --- What changed.

void Keys::note_key(std::string_view name) {
  if (!watched_ || installing_) return;
  auto& keys = (group_ ? group_->changed : changed_).keys;
  if (!keys.contains(name)) keys.emplace(name);
}

void Keys::note_field(std::string_view name, std::string_view field) {
  if (!watched_ || installing_) return;
  (group_ ? group_->changed : changed_).fields.emplace(name, field);
}

std::vector<std::string> Keys::take_changed() {
  ASSERT(!group_, "what a group changed may be taken back");
  const auto keys = std::exchange(changed_.keys, {});
  return {keys.begin(), keys.end()};
}

std::vector<std::pair<std::string, std::string>> Keys::take_changed_fields() {
  ASSERT(!group_, "what a group changed may be taken back");
  const auto fields = std::exchange(changed_.fields, {});
  return {fields.begin(), fields.end()};
}

void Keys::begin_group() {
  ASSERT(!group_, "groups do not nest");
  group_.emplace();
}

void Keys::end_group(bool commit) {
  ASSERT(group_.has_value());
  Group group = *std::exchange(group_, std::nullopt);
  if (commit) {
    changed_.keys.merge(group.changed.keys);
    changed_.fields.merge(group.changed.fields);
    return;
  }
  for (auto undo = group.undo.rbegin(); undo != group.undo.rend(); ++undo) {
    take_back(std::move(*undo));
  }
}

void Keys::take_back(Undo&& undo) {
  const auto held = entries_.find(view_of(undo.name));
  if (undo.what == Undo::What::kExpiry) return set_expiry(held, undo.entry->expiry);
  if (undo.what == Undo::What::kField) {
    return undo.value ? put_field_at(held, undo.field, *undo.value)
                      : remove_field_at(held, undo.field);
  }
  if (held != entries_.end()) erase(held);
  if (!undo.entry) return;
  const auto again = make(undo.name);
  set_value(again, undo.entry->value);
  set_expiry(again, undo.entry->expiry);
  again->second.hash = std::move(undo.entry->hash);
  if (again->second.hash) bytes_ += again->second.hash->bytes;
}

}  // namespace core
