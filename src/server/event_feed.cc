#include "server/event_feed.h"

#include <utility>

#include "base/assert.h"
#include "core/event_log.h"

namespace server {
namespace {

constexpr std::string_view kNow = "$";
// A question is asked anew after so long without an event: well before nobody seems to read.
constexpr int64_t kBlockMs = 20'000;
static_assert(kBlockMs < core::limits::kEventIdleMs);
// Then others have their turn.
constexpr int64_t kEventsAtOnce = 256;

uint64_t seq_of(std::string_view cursor) {
  const auto parsed = core::parse_event_cursor(cursor);
  return parsed ? parsed->seq : 0;
}

}  // namespace

void EventFeed::add(uint64_t id, EventListener& listener) {
  listeners_.emplace(id, &listener);
  ask();
}

void EventFeed::remove(uint64_t id) {
  listeners_.erase(id);
}

void EventFeed::tick() {
  ask();
}

void EventFeed::ask() {
  if (asks_ || stopped_ || listeners_.empty()) return;
  asks_ = true;
  core::EventRead read{.cursor = cursor_, .count = kEventsAtOnce};
  if (runs_) {
    read.block_ms = kBlockMs;
    read.with_channels = true;
  } else {
    read.cursor = kNow;
  }
  ask_(read, [this](const core::Reply& reply) {
    asks_ = false;
    take(reply);
  });
}

// {cursor [gap] events}, or an error: then it is asked again at the next tick.
void EventFeed::take(const core::Reply& reply) {
  core::ReplyReader reader(reply.tape());
  if (reader.done() || reader.tag() != core::ReplyTag::kMap) return;
  const bool ran = std::exchange(runs_, !listeners_.empty());
  const std::string asked_from = std::exchange(cursor_, {});
  bool has_gap = false;
  for (uint32_t left = reader.count(); left > 0; --left) {
    reader.tag();
    const std::string_view field = reader.bytes();
    const core::ReplyTag tag = reader.tag();
    if (tag == core::ReplyTag::kInteger) {
      has_gap = reader.integer() != 0;
    } else if (tag == core::ReplyTag::kBulk) {
      ASSERT(field == "cursor", "field {}", field);
      cursor_ = reader.bytes();
    } else {
      const uint32_t events = reader.count() / 2;
      if (has_gap && ran) tell_gap(seq_of(cursor_) - events, seq_of(asked_from));
      if (ran) tell(reader, events);
      break;  // The events are the last field.
    }
  }
  for_each([](EventListener& listener) { listener.told(); });
  ask();
}

void EventFeed::tell_gap(uint64_t first, uint64_t wanted) {
  const uint64_t missed = first > wanted ? first - wanted : 1;
  for_each([&](EventListener& listener) { listener.missed(missed); });
}

void EventFeed::tell(core::ReplyReader& reader, uint32_t events) {
  for (; events > 0; --events) {
    reader.tag();
    const std::string_view channel = reader.bytes();
    reader.tag();
    const std::string_view json = reader.bytes();
    for_each([&](EventListener& listener) { listener.event(channel, json); });
  }
}

// A listener may go while it is told something, and others with it.
template <typename Visit>
void EventFeed::for_each(const Visit& visit) {
  for (auto at = listeners_.begin(); at != listeners_.end();) {
    const uint64_t id = at->first;
    visit(*at->second);
    at = listeners_.upper_bound(id);
  }
}

}  // namespace server
