#include "bench/load/drain_workload.h"

#include <stdexcept>

#include "bench/load/args.h"

namespace load {

DrainWorkload::DrainWorkload(const DrainOptions& options, Deliveries& seen)
    : options_(options), args_(make_args(options.args_bytes)), seen_(seen) {}

void DrainWorkload::fill(Channel& channel, int64_t /*now_ns*/) {
  while (claimed_ + fetched_ < options_.jobs && channel.in_flight() < options_.depth) {
    channel.fetch();
    ++claimed_;
  }
}

void DrainWorkload::on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) {
  if (op == OpKind::kAck) {
    ++acked_;
    return;
  }
  --claimed_;
  for (const Lease& lease : reply.leases) {
    seen_.note(check_args(lease.args, args_));
    channel.ack(lease);
    ++fetched_;
    last_job_ns_ = received_ns;
  }
  if (!reply.leases.empty()) return;
  ++empty_fetches_;
  if (received_ns - last_job_ns_ > options_.nothing_ns_max) {
    throw std::runtime_error("the server has nothing more after " + std::to_string(fetched_) +
                             " of " + std::to_string(options_.jobs) + " jobs");
  }
}

}  // namespace load
