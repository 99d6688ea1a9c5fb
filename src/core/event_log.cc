#include "core/event_log.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/json_text.h"
#include "base/result.h"
#include "core/state.h"

namespace core {
namespace {

// What an entry takes beside its bytes.
constexpr uint64_t kEntryBytes = sizeof(std::string) + sizeof(size_t) + 16;
// A page is over once it has so many: there may be many readers.
constexpr size_t kPageBytes = size_t{1} << 20;

std::string member(std::string_view name, std::string_view value) {
  std::string text = fmt::format(",\"{}\":", name);
  base::append_json_text(value, text);
  return text;
}

template <typename Number>
bool read_number(std::string_view text, Number& number, int digits) {
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, number, digits);
  return error == std::errc() && behind == end;
}

}  // namespace

std::string_view event_kind_name(EventKind kind) {
  static constexpr std::array<std::string_view, kEventKindCount> kNames = {
      "pushed",   "started", "progress", "succeeded", "failed",  "retrying",
      "released", "lost",    "dead",     "cancelled", "expired", "deleted",
      "paused",   "resumed", "joined",   "left",      "quiet",   "stop"};
  return kNames.at(static_cast<size_t>(kind));
}

std::string cursor_text(EventLog::Cursor cursor) {
  return fmt::format("{:016x}:{}", cursor.epoch, cursor.seq);
}

std::optional<EventLog::Cursor> parse_event_cursor(std::string_view text) {
  constexpr int kHex = 16;
  constexpr int kDecimal = 10;
  const size_t colon = text.find(':');
  EventLog::Cursor cursor;
  if (colon == std::string_view::npos || !read_number(text.substr(0, colon), cursor.epoch, kHex) ||
      !read_number(text.substr(colon + 1), cursor.seq, kDecimal)) {
    return std::nullopt;
  }
  return cursor;
}

void EventLog::listen(base::EngineTime now, uint64_t chance) {
  read_at_ = now;
  if (epoch_ == 0) epoch_ = std::max<uint64_t>(chance, 1);
}

void EventLog::expire(base::EngineTime now) {
  if (epoch_ == 0 || now - read_at_ < base::Duration{limits::kEventIdleMs}) return;
  epoch_ = 0;
  entries_ = {};
  first_seq_ = 0;
  bytes_ = 0;
}

EventLog::Page EventLog::read(Cursor from, size_t count) const {
  Page page;
  const bool is_ours = from.epoch == epoch_ && from.seq >= first_seq_ && from.seq <= end().seq;
  page.has_gap = !is_ours;
  uint64_t seq = is_ours ? from.seq : first_seq_;
  size_t bytes = 0;
  for (; page.events.size() < count && seq < end().seq && bytes < kPageBytes; ++seq) {
    const Entry& entry = entries_[seq - first_seq_];
    const std::string_view text = entry.text;
    page.events.push_back({text.substr(0, entry.channel_bytes), text.substr(entry.channel_bytes)});
    bytes += text.size();
  }
  page.next = {epoch_, seq};
  return page;
}

void EventLog::draft(EventKind kind, JobId job, std::string more) {
  drafts_.push_back({kind, job, std::move(more)});
}

void EventLog::draft_end(const JobEnded& ended) {
  std::string error = member("class", ended.error_class) + member("message", ended.message);
  const bool is_dead = ended.after == JobState::kDead;
  switch (ended.outcome) {
    case Outcome::kNone:
      return;
    case Outcome::kSucceeded:
      return draft(EventKind::kSucceeded, ended.id);
    case Outcome::kReleased:
      draft(EventKind::kReleased, ended.id);
      if (ended.after == JobState::kCancelled) draft(EventKind::kCancelled, ended.id);
      return;
    case Outcome::kCancelled:
      return draft(EventKind::kCancelled, ended.id);
    case Outcome::kLost:
      draft(EventKind::kLost, ended.id);
      break;
    case Outcome::kFailed:
    case Outcome::kTimeout:
      draft(EventKind::kFailed, ended.id, error);
      break;
  }
  if (ended.after == JobState::kCancelled) return draft(EventKind::kCancelled, ended.id);
  draft(is_dead ? EventKind::kDead : EventKind::kRetrying, ended.id);
}

void EventLog::draft_move(const JobMoved& moved) {
  if (moved.after == JobState::kCancelled) return draft(EventKind::kCancelled, moved.id);
  if (moved.after == JobState::kExpired) return draft(EventKind::kExpired, moved.id);
  if (moved.new_generation) draft(EventKind::kRetrying, moved.id);
}

void EventLog::before(const State& state, const Effect& effect, base::Now now) {
  ASSERT(drafts_.empty() && is_listening(), "{} drafts", drafts_.size());
  now_ = now;
  if (const auto* put = std::get_if<JobPut>(&effect)) {
    draft(EventKind::kPushed, put->job.id);
  } else if (const auto* granted = std::get_if<JobGranted>(&effect)) {
    draft(EventKind::kStarted, granted->id, member("worker", granted->worker));
  } else if (const auto* ungranted = std::get_if<JobUngranted>(&effect)) {
    draft(EventKind::kReleased, ungranted->id);
  } else if (const auto* ended = std::get_if<JobEnded>(&effect)) {
    draft_end(*ended);
  } else if (const auto* moved = std::get_if<JobMoved>(&effect)) {
    draft_move(*moved);
  } else if (const auto* progressed = std::get_if<JobProgressed>(&effect)) {
    draft(EventKind::kProgress, progressed->id, member("progress", progressed->data));
  } else if (const auto* removed = std::get_if<JobRemoved>(&effect)) {
    const Job* job = state.find(removed->id);  // It is about to go.
    if (removed->deleted && job != nullptr) add(EventKind::kDeleted, *job, {});
  } else if (const auto* queue = std::get_if<QueuePut>(&effect)) {
    const Queue* was = state.find_queue(queue->name);
    if (queue->paused == (was != nullptr && was->paused)) return;
    const EventKind kind = queue->paused ? EventKind::kPaused : EventKind::kResumed;
    add(fmt::format("queue.{}.{}", event_kind_name(kind), queue->name),
        fmt::format("{{\"event\":\"{}\"{},\"at_ms\":{}{}}}", event_kind_name(kind),
                    member("queue", queue->name), now.wall.ms, member("reason", queue->reason)));
  }
}

void EventLog::after(const State& state) {
  for (const Draft& event : drafts_) {
    if (const Job* job = state.find(event.job)) add(event.kind, *job, event.more);
  }
  drafts_.clear();
}

void EventLog::add(EventKind kind, const Job& job, std::string_view more) {
  std::string json =
      fmt::format("{{\"event\":\"{}\",\"job\":\"{}\"", event_kind_name(kind), job_id_text(job.id));
  json += member("queue", job.queue->name);
  json += member("type", job.type->name);
  json += fmt::format(",\"state\":\"{}\",\"at_ms\":{}", job_state_name(job.state), now_.wall.ms);
  if (job.record) json += fmt::format(",\"attempt\":{}", job.record->attempt);
  json += more;
  json += '}';
  add(fmt::format("job.{}.{}", event_kind_name(kind), job.queue->name), json);
}

void EventLog::add_worker(EventKind kind, std::string_view worker, base::Now now) {
  add(fmt::format("worker.{}", event_kind_name(kind)),
      fmt::format("{{\"event\":\"{}\"{},\"at_ms\":{}}}", event_kind_name(kind),
                  member("worker", worker), now.wall.ms));
}

void EventLog::add(std::string_view channel, std::string_view json) {
  Entry& entry = entries_.emplace_back();
  entry.channel_bytes = channel.size();
  entry.text.reserve(channel.size() + json.size());
  entry.text.append(channel).append(json);
  bytes_ += entry.text.size() + kEntryBytes;
  while (bytes_ > bytes_max_ && entries_.size() > 1) {
    bytes_ -= entries_.front().text.size() + kEntryBytes;
    entries_.pop_front();
    ++first_seq_;
  }
}

void EventLog::rewind(uint64_t mark) {
  drafts_.clear();
  while (!entries_.empty() && end().seq > mark) {
    bytes_ -= entries_.back().text.size() + kEntryBytes;
    entries_.pop_back();
  }
}

}  // namespace core
