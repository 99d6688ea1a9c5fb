// What happened to jobs, queues and workers, for whoever watches: the newest events, in the order
// of commits. Nothing of it is stored, and it is kept only while somebody reads it. JOB.GET is the
// truth.
//
// Threading: as State.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/effect.h"

namespace core {

class State;

enum class EventKind : uint8_t {
  kPushed,
  kStarted,
  kProgress,
  kSucceeded,
  kFailed,    // An attempt; what becomes of the job is said by the event behind it.
  kRetrying,  // It is to run again.
  kReleased,
  kLost,
  kDead,
  kCancelled,
  kExpired,
  kDeleted,
  kPaused,  // Of a queue.
  kResumed,
  kJoined,  // Of a worker: it was not known before.
  kLeft,    // It said goodbye.
  kQuiet,   // It was told to take no more.
  kStop,    // It was told to end.
};
inline constexpr size_t kEventKindCount = 18;
std::string_view event_kind_name(EventKind kind);

class EventLog {
 public:
  // Where a reader goes on. `epoch` is another one after a restart, and whenever events were not
  // kept for a while.
  struct Cursor {
    uint64_t epoch = 0;
    uint64_t seq = 0;
  };
  struct Event {
    std::string_view channel;  // "job.failed.emails", "queue.paused.emails", "worker.joined".
    std::string_view json;
  };
  struct Page {
    bool has_gap = false;  // There were events behind the cursor that are no longer kept.
    Cursor next;
    std::vector<Event> events;  // Good until the log changes.
  };

  explicit EventLog(uint64_t bytes_max = limits::kEventBytesMax) : bytes_max_(bytes_max) {}

  // Somebody reads: events are kept from now on, or still. `chance`: random bits for an epoch.
  void listen(base::EngineTime now, uint64_t chance);
  // Nobody has read for long: events are kept no more.
  void expire(base::EngineTime now);
  bool is_listening() const { return epoch_ != 0; }

  // The place behind the newest event.
  Cursor end() const { return {epoch_, first_seq_ + entries_.size()}; }
  Page read(Cursor from, size_t count) const;

  // Around the enacting of an effect. Requires: is_listening().
  void before(const State& state, const Effect& effect, base::Now now);
  void after(const State& state);

  // What became of a worker. Requires: is_listening().
  void add_worker(EventKind kind, std::string_view worker, base::Now now);

  // For a group that is taken back: all since `mark` was returned is dropped.
  uint64_t mark() const { return end().seq; }
  void rewind(uint64_t mark);

 private:
  // An event that lacks what the job becomes.
  struct Draft {
    EventKind kind = EventKind::kPushed;
    JobId job = {};
    std::string more = {};  // Further members of the JSON object, each with a comma before it.
  };

  struct Entry {
    size_t channel_bytes = 0;
    std::string text;  // The channel, then the JSON.
  };

  void draft(EventKind kind, JobId job, std::string more = {});
  void draft_end(const JobEnded& ended);
  void draft_move(const JobMoved& moved);
  void add(EventKind kind, const Job& job, std::string_view more);
  void add(std::string_view channel, std::string_view json);

  uint64_t bytes_max_;
  uint64_t epoch_ = 0;  // 0: nobody listens.
  base::EngineTime read_at_;
  std::deque<Entry> entries_;
  uint64_t first_seq_ = 0;  // Of the oldest entry.
  uint64_t bytes_ = 0;
  std::vector<Draft> drafts_;
  base::Now now_;  // Of the drafts.
};

// "a1b2c3d4e5f60718:42".
std::string cursor_text(EventLog::Cursor cursor);
// Returns nothing for text that is no cursor.
std::optional<EventLog::Cursor> parse_event_cursor(std::string_view text);

}  // namespace core
