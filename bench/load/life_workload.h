// Whole lives: every channel pushes, fetches and acknowledges, all pipelined.
#pragma once
#include <vector>

#include "bench/load/workload.h"

namespace load {

struct LifeOptions {
  uint64_t jobs = 0;
  uint32_t depth = 32;  // Slots of a channel; see LifeWorkload.
  uint64_t backlog_max = 10'000;
  uint32_t fetch_count = 1;  // As in DriverOptions.
};

// A push or an ack in flight takes one slot of its channel, a fetch of n jobs takes n: the acks
// that follow it then always have room. Half of backlog_max is the backlog aimed at, so that the
// queue is neither empty nor at its bound. A fetch is sent only for jobs that are known to be
// there: an answer "nothing" is possible but rare, and counted.
class LifeWorkload final : public Workload {
 public:
  // Requires: options.fetch_count <= options.depth.
  explicit LifeWorkload(const LifeOptions& options);

  void fill(Channel& channel, int64_t now_ns) override;
  void on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) override;
  bool finished() const override { return acked_ == options_.jobs; }
  uint64_t jobs_done() const override { return acked_; }
  void report(JsonLine& line) const override;

  // Returns an upper bound of the jobs that wait in the server.
  uint64_t backlog() const { return sent_ - fetched_; }
  // Returns the slots that the channel's requests in flight take.
  uint64_t slots_used(const Channel& channel) const;

 private:
  enum class Step : uint8_t { kPush, kFetch, kWait };

  void take_lease(Channel& channel, const Lease& lease);
  Step next_step(uint64_t slots_free) const;

  const LifeOptions options_;
  uint64_t sent_ = 0;     // Pushes sent.
  uint64_t pushed_ = 0;   // Pushes answered.
  uint64_t claimed_ = 0;  // Jobs that fetches in flight ask for.
  uint64_t fetched_ = 0;  // Jobs received.
  uint64_t acked_ = 0;    // Acks answered.
  uint64_t empty_fetches_ = 0;
  uint64_t backlog_seen_ = 0;
  std::vector<bool> delivered_;  // By mark. A server that hands a job out twice is not measured.
};

}  // namespace load
