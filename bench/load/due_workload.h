// How late delayed jobs start when many fall due within a few seconds.
#pragma once
#include "bench/load/samples.h"
#include "bench/load/workload.h"

namespace load {

struct DueOptions {
  uint64_t jobs = 100'000;
  uint32_t producers = 10;  // Channels 0 to producers − 1; the others are workers.
  uint32_t depth = 16;      // Pushes in flight per producer.
  int64_t spread_ms = 5'000;
  int64_t lead_ms = 2'000;  // From the first push to the first due time.
};

// A job's due time is the moment its push was written plus its DELAY, so the time in the pipeline
// and at the socket counts as lateness: against the server, never for it. Workers wait in blocking
// fetches all the time.
class DueWorkload final : public Workload {
 public:
  explicit DueWorkload(const DueOptions& options);

  void begin(int64_t now_ns) override { start_ns_ = now_ns; }
  // Throws std::runtime_error when a push could not be sent before its job is due.
  void fill(Channel& channel, int64_t now_ns) override;
  void on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) override;
  bool finished() const override { return acked_ == options_.jobs; }
  uint64_t jobs_done() const override { return acked_; }
  void report(JsonLine& line) const override;

 private:
  void push_next(Channel& channel, int64_t now_ns);

  const DueOptions options_;
  int64_t start_ns_ = 0;
  int64_t pushed_ns_ = 0;  // When the last push was answered.
  uint64_t sent_ = 0;
  uint64_t pushed_ = 0;
  uint64_t acked_ = 0;
  uint64_t early_ = 0;
  Samples lateness_;
};

}  // namespace load
