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
constexpr size_t kListenersAtOnce = 4;

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
  ask_(read, [this](const core::Reply& reply) { take(reply); });
}

// {cursor [gap] events}, or an error: then it is asked again at the next tick.
void EventFeed::take(const core::Reply& reply) {
  core::ReplyReader reader(reply.tape());
  if (reader.done() || reader.tag() != core::ReplyTag::kMap) {
    asks_ = false;
    return;
  }
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
      events_count_ = reader.count() / 2;
      break;  // The events are the last field.
    }
  }
  if (!ran) events_count_ = 0;
  if (events_count_ != 0) events_ = reader.rest();
  if (ran && has_gap) {
    const uint64_t first = seq_of(cursor_) - events_count_;
    const uint64_t wanted = seq_of(asked_from);
    missed_ = first > wanted ? first - wanted : 1;
  }
  for (const auto& [id, listener] : listeners_) listening_.push_back(id);
  tell_some();
}

// All of it to a few at a time: what one is told is on its way, or counts as held by it, before the
// next is told anything.
void EventFeed::tell_some() {
  for (size_t told = 0; told < kListenersAtOnce && !listening_.empty(); ++told) {
    const uint64_t id = listening_.front();
    listening_.pop_front();
    tell(id);
  }
  if (!listening_.empty()) return later_([this] { tell_some(); });
  std::string().swap(events_);
  events_count_ = 0;
  missed_ = 0;
  asks_ = false;
  ask();
}

// A listener may go while it is told something, and others with it.
void EventFeed::tell(uint64_t id) {
  const auto tell_if_here = [&](const auto& visit) {
    const auto found = listeners_.find(id);
    if (found != listeners_.end()) visit(*found->second);
    return found != listeners_.end();
  };
  if (missed_ != 0) tell_if_here([&](EventListener& listener) { listener.missed(missed_); });
  core::ReplyReader reader(events_);
  for (uint32_t left = events_count_; left > 0; --left) {
    reader.tag();
    const std::string_view channel = reader.bytes();
    reader.tag();
    const std::string_view json = reader.bytes();
    if (!tell_if_here([&](EventListener& listener) { listener.event(channel, json); })) return;
  }
  tell_if_here([](EventListener& listener) { listener.told(); });
}

}  // namespace server
