#include "bench/load/latency_workload.h"

#include "bench/load/args.h"

namespace load {
namespace {

// The workers' first fetches are waiting at the server by then.
constexpr int64_t kSettleNs = 300'000'000;

}  // namespace

LatencyWorkload::LatencyWorkload(const LatencyOptions& options)
    : options_(options), latency_(options.jobs), send_late_(options.jobs) {}

int64_t LatencyWorkload::due_ns(uint64_t job) const {
  return start_ns_ +
         static_cast<int64_t>(static_cast<double>(job) * 1e9 / options_.jobs_per_second);
}

void LatencyWorkload::begin(int64_t now_ns) {
  start_ns_ = now_ns + kSettleNs;
}

void LatencyWorkload::fill(Channel& channel, int64_t now_ns) {
  if (channel.index() != 0) {
    if (channel.fetches_in_flight() == 0) channel.fetch();
    return;
  }
  while (sent_ < options_.jobs && due_ns(sent_) <= now_ns) {
    const int64_t due = due_ns(sent_++);
    send_late_.add(now_ns - due);
    channel.push(static_cast<uint64_t>(due));
  }
}

void LatencyWorkload::on_reply(Channel& channel, OpKind op, const Reply& reply,
                               int64_t received_ns) {
  if (op == OpKind::kPush) ++pushed_;
  if (op == OpKind::kAck) ++acked_;
  for (const Lease& lease : reply.leases) {
    latency_.add(received_ns - static_cast<int64_t>(read_mark(lease.args)));
    channel.ack(lease);
  }
}

void LatencyWorkload::report(JsonLine& line) const {
  line.add("jobs_per_second", options_.jobs_per_second);
  latency_.report("", line);
  send_late_.report("send_late_", line);
}

}  // namespace load
