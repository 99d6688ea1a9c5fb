// Whole lives: every channel pushes, fetches and acknowledges, all pipelined.
#pragma once
#include <string>

#include "bench/load/deliveries.h"
#include "bench/load/workload.h"

namespace load {

struct LifeOptions {
  uint64_t jobs = 0;
  uint32_t depth = 32;  // Slots of a channel; see LifeWorkload.
  uint64_t waiting_max = 10'000;
  uint32_t fetch_count = 1;  // As in DriverOptions.
  // Jobs that wait in the server already, with the numbers from 0; waiting_max comes on top.
  uint64_t backlog = 0;
  size_t args_bytes = 150;
};

// A push or an ack in flight takes one slot of its channel, a fetch of n jobs takes n: the acks
// that follow it then always have room. Half of waiting_max is what is aimed at, so that the
// queue is neither empty nor at its bound. A fetch is sent only for jobs that are known to be
// there: an answer "nothing" is possible but rare, and counted.
//
// On a backlog the mix is the same: pushes go to its tail, numbered on from it, and fetches bring
// what lies at its head. A job that comes while older ones must still wait is counted.
class LifeWorkload final : public Workload {
 public:
  // Requires: options.fetch_count <= options.depth. `seen` takes options.backlog + options.jobs
  // numbers, and must outlive the workload.
  LifeWorkload(const LifeOptions& options, Deliveries& seen);

  void fill(Channel& channel, int64_t now_ns) override;
  void on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) override;
  bool finished() const override { return acked_ == options_.jobs; }
  uint64_t jobs_done() const override { return acked_; }
  void report(JsonLine& line) const override;

  // Returns an upper bound of the jobs that wait in the server, beside the backlog.
  uint64_t waiting() const { return sent_ - fetched_; }
  // Returns the slots that the channel's requests in flight take.
  uint64_t slots_used(const Channel& channel) const;

 private:
  enum class Step : uint8_t { kPush, kFetch, kWait };

  void take_lease(Channel& channel, const Lease& lease);
  Step next_step(uint64_t slots_free) const;

  const LifeOptions options_;
  const std::string args_;  // What was pushed, but for the number.
  Deliveries& seen_;
  uint64_t sent_ = 0;     // Pushes sent.
  uint64_t pushed_ = 0;   // Pushes answered.
  uint64_t claimed_ = 0;  // Jobs that fetches in flight ask for.
  uint64_t fetched_ = 0;  // Jobs received.
  uint64_t acked_ = 0;    // Acks answered.
  uint64_t empty_fetches_ = 0;
  uint64_t waiting_seen_ = 0;
  uint64_t backlog_taken_ = 0;
  uint64_t overtakes_ = 0;
};

}  // namespace load
