// Replays effects of which some are missing. What is there is believed: where an effect needs a
// state that lost effects led to, the step that must have come before it is supplied. An effect on
// a job whose record was lost is left out: no job is made up. A job that is known to have ended
// stays ended, unless a later effect shows that it was started again.
//
// Threading: one thread.
#pragma once
#include <cstdint>
#include <map>
#include <optional>

#include "base/random.h"
#include "base/result.h"
#include "core/effect.h"
#include "core/state.h"

namespace repair {

class Mender {
 public:
  // Both must outlive this. `random` makes the tokens of leases that are supplied; nobody has them.
  Mender(core::State& state, base::Random& random) : state_(state), random_(random) {}

  // Effects are missing before the next one.
  void gap();

  base::Status take(core::Effect&& effect, base::Now now);

  // Ends the replay. From then on the counts below are final.
  base::Status finish();

  uint64_t effects_left_out() const { return left_out_; }
  uint64_t jobs_lost() const { return waiting_.size(); }  // As far as later effects name them.
  uint64_t steps_supplied() const { return supplied_; }

 private:
  bool is_of_lost_push(const core::PushSeen& seen) const;
  base::Status prepare(core::Effect& effect, base::Now now);
  base::Status prepare_put(const core::JobPut& put, base::Now now);
  // Brings the job to where an effect that runs, does not run or starts anew can follow.
  base::Status to_running(const core::Job& job, base::Now now);
  base::Status to_not_running(const core::Job& job, base::Now now);
  base::Status to_unfinished(const core::Job& job, base::Now now);
  base::Status supply(core::Effect&& effect, base::Now now);

  core::State& state_;
  base::Random& random_;
  std::optional<core::JobId> lost_from_;  // Jobs from here on may have been in the first gap.
  std::map<uint64_t, uint64_t> waiting_;  // Effects left out, by the id of a job without record.
  uint64_t left_out_ = 0;
  uint64_t supplied_ = 0;
};

}  // namespace repair
