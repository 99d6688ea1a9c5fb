// A backlog goes: consumers only, each fetches one job and acknowledges it.
#pragma once
#include <string>

#include "bench/load/deliveries.h"
#include "bench/load/workload.h"

namespace load {

struct DrainOptions {
  uint64_t jobs = 0;
  uint32_t depth = 32;  // Requests in flight per channel, acks included.
  size_t args_bytes = 150;
  // A server that hands nothing out for this long has lost what it should still hold.
  int64_t nothing_ns_max = 5'000'000'000;
};

// A fetch is sent only for a job that must be there, so an answer "nothing" is counted, and asked
// again.
class DrainWorkload final : public Workload {
 public:
  // `seen` must outlive the workload.
  DrainWorkload(const DrainOptions& options, Deliveries& seen);

  void begin(int64_t now_ns) override { last_job_ns_ = now_ns; }
  void fill(Channel& channel, int64_t now_ns) override;
  // Throws std::runtime_error for a job that came twice, changed, or not at all.
  void on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) override;
  bool finished() const override { return acked_ == options_.jobs; }
  uint64_t jobs_done() const override { return acked_; }
  void report(JsonLine& line) const override { line.add("empty_fetches", empty_fetches_); }

 private:
  const DrainOptions options_;
  const std::string args_;  // What was pushed, but for the number.
  Deliveries& seen_;
  int64_t last_job_ns_ = 0;
  uint64_t claimed_ = 0;  // Fetches in flight.
  uint64_t fetched_ = 0;
  uint64_t acked_ = 0;
  uint64_t empty_fetches_ = 0;
};

}  // namespace load
