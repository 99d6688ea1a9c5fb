#include "core/lifecycle.h"

#include <array>

#include "base/assert.h"

namespace core {
namespace {

using enum JobState;
using base::ErrorCode;

constexpr Cell to(JobState next) {
  return {Cell::Kind::kMove, next, ErrorCode::kBadState};
}
constexpr Cell refuse(ErrorCode code) {
  return {Cell::Kind::kRefuse, kReady, code};
}

constexpr Cell kStay = {Cell::Kind::kStay, kRunning, ErrorCode::kBadState};
constexpr Cell kEnds = {Cell::Kind::kGone, kReady, ErrorCode::kBadState};
constexpr Cell kNot = {Cell::Kind::kNever, kReady, ErrorCode::kBadState};
constexpr Cell kNoLease = refuse(ErrorCode::kLeaseLost);  // What a stale token meets.
constexpr Cell kBad = refuse(ErrorCode::kBadState);
constexpr Cell kHeld = refuse(ErrorCode::kDuplicate);  // Replacing what was leased already.

using Row = std::array<Cell, kEventCount>;

// clang-format off
// Columns: grant, undo grant, ack, fail retry, fail retry now, fail final, release, release later, lose retry,
// lose final, end cancelled, due, expire, cancel, force cancel, retry, replace, edit,
// delete.
constexpr std::array<Row, kJobStateCount> kTable = {{
  /* waiting   */ {kNot, kNot, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNot, kNot, kNot, kNot,
                   to(kExpired), to(kCancelled), to(kCancelled), kBad, to(kWaiting), to(kWaiting), kEnds},
  /* scheduled */ {kNot, kNot, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNot, kNot, kNot, to(kReady),
                   to(kExpired), to(kCancelled), to(kCancelled), kBad, to(kScheduled), to(kScheduled), kEnds},
  /* ready     */ {to(kRunning), kNot, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNot, kNot, kNot, kNot,
                   to(kExpired), to(kCancelled), to(kCancelled), kBad, to(kReady), to(kReady), kEnds},
  /* running   */ {kNot, to(kReady), to(kSucceeded), to(kScheduled), to(kReady), to(kDead),
                   to(kReady), to(kScheduled), to(kScheduled), to(kDead), to(kCancelled), kNot,
                   kNot, kStay, to(kCancelled), kBad, kHeld, kBad, kBad},
  /* succeeded */ {kNot, kNot, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNot, kNot, kNot, kNot,
                   kNot, kBad, kBad, to(kReady), kHeld, kBad, kEnds},
  /* dead      */ {kNot, kNot, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNot, kNot, kNot, kNot,
                   kNot, kBad, kBad, to(kReady), kHeld, kBad, kEnds},
  /* cancelled */ {kNot, kNot, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNot, kNot, kNot, kNot,
                   kNot, kStay, kStay, to(kReady), kHeld, kBad, kEnds},
  /* expired   */ {kNot, kNot, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNoLease, kNot, kNot, kNot, kNot,
                   kNot, kBad, kBad, to(kReady), kHeld, kBad, kEnds},
}};
// clang-format on

constexpr std::array<std::string_view, kEventCount> kEventNames = {
    "grant",         "undo-grant", "ack",           "fail-retry", "fail-retry-now",
    "fail-final",    "release",    "release-later", "lose-retry", "lose-final",
    "end-cancelled", "due",        "expire",        "cancel",     "force-cancel",
    "retry",         "replace",    "edit",          "delete"};

}  // namespace

std::string_view event_name(Event event) {
  return kEventNames[static_cast<size_t>(event)];
}

Cell lifecycle(JobState state, Event event) {
  return kTable[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

JobState next_state(JobState state, Event event) {
  const Cell cell = lifecycle(state, event);
  ASSERT(cell.kind == Cell::Kind::kMove, "{} has no {}", job_state_name(state), event_name(event));
  return cell.next;
}

std::string lifecycle_text() {
  std::string text;
  for (size_t s = 0; s < kJobStateCount; ++s) {
    for (size_t e = 0; e < kEventCount; ++e) {
      const auto state = static_cast<JobState>(s);
      const Cell cell = lifecycle(state, static_cast<Event>(e));
      text += job_state_name(state);
      text += ' ';
      text += event_name(static_cast<Event>(e));
      text += ' ';
      switch (cell.kind) {
        case Cell::Kind::kMove:
          text += job_state_name(cell.next);
          break;
        case Cell::Kind::kStay:
          text += "stays";
          break;
        case Cell::Kind::kGone:
          text += "ends";
          break;
        case Cell::Kind::kRefuse:
          text += base::error_word(cell.refusal);
          break;
        case Cell::Kind::kNever:
          text += "never";
          break;
      }
      text += '\n';
    }
  }
  return text;
}

}  // namespace core
