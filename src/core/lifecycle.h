// The life cycle of a job: one table, every cell filled. The picture in docs/state_machine.md is
// made from it (tools/gen_state_machine.py reads `lifecycle_text`).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/job.h"

namespace core {

enum class Event : uint8_t {
  kGrant,         // A worker gets the lease.
  kUndoGrant,     // The reply with the lease did not arrive.
  kAck,           // The worker is done.
  kFailRetry,     // It failed and has attempts left.
  kFailRetryNow,  // The same, and it may run at once.
  kFailFinal,     // It failed for good.
  kRelease,       // It gives the job back.
  kReleaseLater,  // It gives the job back for later (snooze).
  kLoseRetry,     // The lease ran out; the job has attempts and crashes left.
  kLoseFinal,     // The lease ran out for the last time.
  kEndCancelled,  // A lease of a job that is to be cancelled ends, however it ends.
  kDue,           // run_at has come.
  kExpire,        // expires_at has come.
  kCancel,        // Cancelled by a client.
  kForceCancel,   // Cancelled by a client, running or not.
  kRetry,         // Started again by a client, as a new generation.
  kReplace,       // Pushed again with ONDUP replace.
  kEdit,          // Changed by a client.
  kDelete,        // Deleted by a client.
};
inline constexpr size_t kEventCount = 19;
std::string_view event_name(Event event);

struct Cell {
  enum class Kind : uint8_t { kMove, kStay, kGone, kRefuse, kNever };
  Kind kind = Kind::kNever;          // kNever: the server's own mistake, asserted against.
  JobState next = JobState::kReady;  // kMove.
  base::ErrorCode refusal = base::ErrorCode::kBadState;  // kRefuse.
};

// Returns what `event` does to a job in `state`. kStay: the job stays where it is; a running one
// is marked (cancel_requested). kGone: the record ends.
Cell lifecycle(JobState state, Event event);

// Returns the state a job moves to. Requires: the cell is a move (asserts otherwise).
JobState next_state(JobState state, Event event);

// The whole table, one line a cell: "state event -> what", for the docs and their test.
std::string lifecycle_text();

}  // namespace core
