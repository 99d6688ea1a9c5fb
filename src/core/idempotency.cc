#include "core/idempotency.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "core/limits.h"

namespace core {

std::optional<PushAnswer> RequestTokens::find(std::string_view token, base::EngineTime now) const {
  const auto found = tokens_.find(token);
  if (found == tokens_.end() || found->second.until <= now) return std::nullopt;
  return found->second.answer;
}

void RequestTokens::install(std::string_view token, PushAnswer answer, base::EngineTime until) {
  auto found = tokens_.find(token);
  if (found == tokens_.end()) found = tokens_.emplace(std::string(token), Entry{}).first;
  found->second.answer = answer;
  found->second.until = until;
  found->second.in_tables = true;
  ++found->second.expiries;
  expiries_.push(Expiry{until, &found->first});
}

void RequestTokens::put(std::string_view token, PushAnswer answer, base::EngineTime until) {
  install(token, answer, until);
  changes_.put.push_back({std::string(token), answer, until});
}

void RequestTokens::take_back(std::string_view token) {
  // The entry stays until its expiry comes up, since that points to its key.
  const auto found = tokens_.find(token);
  ASSERT(found != tokens_.end());
  found->second.until = base::EngineTime{};
  const auto last = std::ranges::find_if(changes_.put.rbegin(), changes_.put.rend(),
                                         [&](const Put& put) { return put.token == token; });
  ASSERT(last != changes_.put.rend(), "taken back later than in its own turn");
  changes_.put.erase(std::next(last).base());
}

void RequestTokens::expire(base::EngineTime now) {
  while (!expiries_.empty() && expiries_.top().until <= now) {
    const auto found = tokens_.find(*expiries_.top().token);
    expiries_.pop();
    // A token that was put again after its time has another expiry to come.
    if (--found->second.expiries != 0) continue;
    changes_.gone.push_back(found->first);
    tokens_.erase(found);
  }
}

RequestTokens::Changes RequestTokens::take_changes() {
  Changes changes = std::exchange(changes_, {});
  // What came and went in between has nothing to erase, and nothing to say.
  std::erase_if(changes.put, [&](const Put& put) { return !tokens_.contains(put.token); });
  return changes;
}

namespace {
// The window in order of sequence; where `seq` is or would be.
template <typename Window>
auto place_of(Window& window, uint64_t seq) {
  return std::ranges::lower_bound(window, seq, {}, &SeenPush::seq);
}
}  // namespace

const std::string* Producers::overflow(base::EngineTime now) const {
  // Room for the new ones of a turn or two is kept free.
  constexpr size_t kRoom = 256;
  if (producers_.size() + kRoom <= limits::kProducersMax) return nullptr;
  const std::string* oldest = order_.front();
  const base::EngineTime used = producers_.find(*oldest)->second.used;
  return (now - used).count() >= limits::kProducerIdleMs ? oldest : nullptr;
}

void Producers::forget(std::string_view producer) {
  const auto found = producers_.find(producer);
  if (found == producers_.end()) return;
  order_.erase(found->second.place);
  gone_.push_back(found->first);
  producers_.erase(found);
}

void Producers::note_changed(StringMap<Producer>::iterator producer) {
  if (producer->second.changed) return;
  producer->second.changed = true;
  changed_.push_back(producer->first);
}

Producers::Changes Producers::take_changes() {
  Changes changes;
  changes.gone = std::exchange(gone_, {});
  for (const std::string& name : std::exchange(changed_, {})) {
    const auto found = producers_.find(name);
    if (found == producers_.end() || !found->second.changed) continue;
    Producer& producer = found->second;
    producer.changed = false;
    changes.put.push_back(
        {found->first, producer.used, {producer.window.begin(), producer.window.end()}});
  }
  return changes;
}

StringMap<Producers::Producer>::iterator Producers::find_or_add(std::string_view producer) {
  auto found = producers_.find(producer);
  if (found == producers_.end()) {
    found = producers_.emplace(std::string(producer), Producer{}).first;
    found->second.place = order_.insert(order_.end(), &found->first);
  }
  return found;
}

Producers::Answer Producers::look_up(std::string_view producer, uint64_t seq) const {
  const auto found = producers_.find(producer);
  if (found == producers_.end()) {
    const bool room = producers_.size() < limits::kProducersMax;
    return Answer{.seen = room ? Seen::kNew : Seen::kNoRoom, .push = {}, .oldest = 0};
  }
  const auto& window = found->second.window;
  if (window.empty()) return {};
  const uint64_t last = window.back().seq;
  const uint64_t oldest = last < limits::kProducerWindow ? 0 : last - limits::kProducerWindow + 1;
  if (seq < oldest) return {.seen = Seen::kTooOld, .push = {}, .oldest = oldest};
  const auto place = place_of(window, seq);
  if (place == window.end() || place->seq != seq) return {};
  return {.seen = Seen::kKnown, .push = {place->id, place->created}, .oldest = oldest};
}

base::EngineTime Producers::put(std::string_view producer, const SeenPush& push,
                                base::EngineTime now) {
  const auto place_in_map = find_or_add(producer);
  note_changed(place_in_map);
  Producer& entry = place_in_map->second;
  order_.splice(order_.end(), order_, entry.place);
  const base::EngineTime used_before = std::exchange(entry.used, now);
  // Twice the window is kept, so that taking back the newest puts never misses an older one.
  if (entry.window.size() >= 2 * limits::kProducerWindow) entry.window.pop_front();
  const auto place = place_of(entry.window, push.seq);
  ASSERT(place == entry.window.end() || place->seq != push.seq, "{} put twice", push.seq);
  entry.window.insert(place, push);
  return used_before;
}

void Producers::take_back(std::string_view producer, uint64_t seq, base::EngineTime used_before) {
  const auto found = producers_.find(producer);
  ASSERT(found != producers_.end());
  auto& window = found->second.window;
  const auto place = place_of(window, seq);
  ASSERT(place != window.end() && place->seq == seq);
  window.erase(place);
  found->second.used = used_before;
  if (window.empty()) forget(producer);
}

void Producers::install(const ProducerPut& image) {
  Producer& entry = find_or_add(image.name)->second;
  entry.used = image.used;
  entry.window.assign(image.window.begin(), image.window.end());
}

}  // namespace core
