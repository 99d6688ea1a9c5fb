// How long a job takes from its push to a handler that waits for it, at a steady rate.
#pragma once
#include "bench/load/samples.h"
#include "bench/load/workload.h"

namespace load {

struct LatencyOptions {
  uint64_t jobs = 0;
  double jobs_per_second = 200;
};

// Channel 0 pushes on a schedule fixed in advance, whether replies come or not (an open loop); the
// others are workers, each with one blocking fetch waiting. A sample is the time from the scheduled
// push, not from the real one, to the lease's arrival: a server that stalls pays for every push
// that should have been sent meanwhile.
class LatencyWorkload final : public Workload {
 public:
  explicit LatencyWorkload(const LatencyOptions& options);

  void begin(int64_t now_ns) override;
  void fill(Channel& channel, int64_t now_ns) override;
  void on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) override;
  int64_t wake_ns() const override { return sent_ < options_.jobs ? due_ns(sent_) : kNeverNs; }
  bool finished() const override { return acked_ == options_.jobs && pushed_ == options_.jobs; }
  uint64_t jobs_done() const override { return acked_; }
  void report(JsonLine& line) const override;

 private:
  int64_t due_ns(uint64_t job) const;

  const LatencyOptions options_;
  int64_t start_ns_ = 0;
  uint64_t sent_ = 0;
  uint64_t pushed_ = 0;
  uint64_t acked_ = 0;
  Samples latency_;
  Samples send_late_;  // How late the loader itself was: the noise floor of the machine.
};

}  // namespace load
