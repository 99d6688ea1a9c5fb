// EVENT.READ: the newest events, and those to come.
#include "core/context.h"

namespace core {

using base::Status;

namespace {

constexpr std::string_view kNow = "$";

Status check_read(const EventRead& read) {
  TRY(check_range("COUNT", read.count, {1, limits::kEventCountMax}));
  TRY(check_range("BLOCK", read.block_ms.value_or(0), {0, INT64_MAX}));
  if (read.cursor == kNow || parse_event_cursor(read.cursor)) return {};
  return base::fail(
      base::ErrorCode::kBadReq,
      "field=cursor is none that EVENT.READ answered: give $ to begin with what comes");
}

EventLog::Page page_of(const EventLog& events, const EventRead& read) {
  const EventLog::Cursor from =
      read.cursor == kNow ? events.end() : parse_event_cursor(read.cursor).value_or(events.end());
  return events.read(from, static_cast<size_t>(read.count));
}

}  // namespace

bool has_events(const EventLog& events, const EventRead& read) {
  const EventLog::Page page = page_of(events, read);
  return page.has_gap || !page.events.empty();
}

void write_events(Reply& reply, const EventLog& events, const EventRead& read) {
  const EventLog::Page page = page_of(events, read);
  reply.map(page.has_gap ? 3 : 2);
  reply.bulk("cursor");
  reply.bulk(cursor_text(page.next));
  if (page.has_gap) {
    reply.bulk("gap");
    reply.integer(1);
  }
  reply.bulk("events");
  reply.array(static_cast<uint32_t>(page.events.size() * (read.with_channels ? 2 : 1)));
  for (const EventLog::Event& event : page.events) {
    if (read.with_channels) reply.bulk(event.channel);
    reply.bulk(event.json);
  }
}

// With $ the answer is a place to go on from; what comes behind it is kept from now on.
void apply_event_read(Context& context, const EventRead& read, Answer& answer) {
  const Status fits = check_read(read);
  if (!fits) return answer.reply.error(fits.error());
  if (context.events == nullptr) {
    return answer.reply.error(base::ErrorCode::kUnavailable, "events are not kept here");
  }
  EventLog& events = *context.events;
  events.listen(context.now.engine, events.is_listening() ? 0 : context.random.next());
  const bool waits = read.block_ms.has_value() && read.cursor != kNow && !has_events(events, read);
  answer.blocks = waits;
  if (!waits) write_events(answer.reply, events, read);
}

}  // namespace core
