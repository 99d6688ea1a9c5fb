// A burst: as many pushes as the pipelines hold, until the number is reached.
#pragma once
#include "bench/load/workload.h"

namespace load {

class PushWorkload final : public Workload {
 public:
  // Keeps up to `depth` pushes in flight per channel.
  PushWorkload(uint64_t jobs, uint32_t depth) : jobs_(jobs), depth_(depth) {}

  void fill(Channel& channel, int64_t now_ns) override;
  void on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) override;
  bool finished() const override { return pushed_ == jobs_; }
  uint64_t jobs_done() const override { return pushed_; }

 private:
  const uint64_t jobs_;
  const uint32_t depth_;
  uint64_t sent_ = 0;
  uint64_t pushed_ = 0;
};

}  // namespace load
