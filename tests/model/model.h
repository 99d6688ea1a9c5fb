// model/model.h
// The reference model of Dray's job life cycle: what must happen, written from the rules alone.
//
// It shares no code and no idea with the server. It is simple and slow on purpose: plain maps,
// linear scans. Where the rules leave freedom (a fresh id, random token bits, a jittered time, the
// queue that weights choose) it checks that the observation is allowed and adopts it. Where the
// rules are open, tests/model/decisions.md says what it does.
//
// Use, one step after the other, with no step left out:
//   1. perform `op` at `now` on the real system;
//   2. check(op, now, observed reply, waiters answered by this step);
//   3. compare(everything that can be seen now).
// Each answers nothing when all is as it must be, or one line: what was expected, what was got.
// After the first mismatch the model is of no further use.
//
// Threading: none; one model belongs to one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/op.h"
#include "model/view.h"
#include "model/world.h"

namespace model {

class Model {
 public:
  // `keys_bytes_max`: what all keys may count together.
  // Requires: every later Now has engine_ms >= the one before.
  explicit Model(Now start, int64_t keys_bytes_max = World{}.keys_bytes_max);

  // Applies `op` at `now` and judges what was seen: `observed` is its reply (kNone for world ops,
  // kBlocked when the connection waits), `answers` the waiting connections that were answered in
  // this step, in any order.
  // Requires: op.conn does not wait, unless op is Close.
  std::optional<std::string> check(const Op& op, Now now, const Reply& observed,
                                   const std::vector<WaiterAnswer>& answers = {});

  // Compares every field of every job, queue and key with what is seen after the last check, and
  // adopts the times that jitter left open, each once and only inside its allowed range.
  std::optional<std::string> compare(const Snapshot& seen);

  // What the model knows, for the generator and for reports.
  const World& world() const { return world_; }
  Now now() const { return world_.now; }

  // Returns the number of engine milliseconds from now() to the next time at which due work, or a
  // waiter's end, would happen; nothing if there is none. Never negative.
  std::optional<int64_t> until_next_due() const;

 private:
  World world_;
};

}  // namespace model
