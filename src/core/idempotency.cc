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

void RequestTokens::put(std::string_view token, PushAnswer answer, base::EngineTime until) {
  auto found = tokens_.find(token);
  if (found == tokens_.end()) found = tokens_.emplace(std::string(token), Entry{}).first;
  found->second.answer = answer;
  found->second.until = until;
  ++found->second.expiries;
  expiries_.push(Expiry{until, &found->first});
}

void RequestTokens::take_back(std::string_view token) {
  // The entry stays until its expiry comes up, since that points to its key.
  const auto found = tokens_.find(token);
  ASSERT(found != tokens_.end());
  found->second.until = base::EngineTime{};
}

void RequestTokens::expire(base::EngineTime now) {
  while (!expiries_.empty() && expiries_.top().until <= now) {
    const auto found = tokens_.find(*expiries_.top().token);
    expiries_.pop();
    // A token that was put again after its time has another expiry to come.
    if (--found->second.expiries == 0) tokens_.erase(found);
  }
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
  producers_.erase(found);
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
  Producer& entry = find_or_add(producer)->second;
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
