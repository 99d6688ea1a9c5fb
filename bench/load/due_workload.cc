#include "bench/load/due_workload.h"

#include <stdexcept>

#include "bench/load/args.h"
#include "bench/load/clock.h"

namespace load {
DueWorkload::DueWorkload(const DueOptions& options) : options_(options), lateness_(options.jobs) {}

void DueWorkload::push_next(Channel& channel, int64_t now_ns) {
  const int64_t place = static_cast<int64_t>(sent_++) * options_.spread_ms * kNsPerMs /
                        static_cast<int64_t>(options_.jobs);
  const int64_t planned_ns = start_ns_ + options_.lead_ms * kNsPerMs + place;
  const int64_t delay_ms = (planned_ns - now_ns) / kNsPerMs;
  if (delay_ms < 1) {
    throw std::runtime_error("pushes were too slow for the lead; give a longer --lead-ms");
  }
  channel.push_delayed(static_cast<uint64_t>(now_ns + delay_ms * kNsPerMs), delay_ms);
}

void DueWorkload::fill(Channel& channel, int64_t now_ns) {
  if (channel.index() >= options_.producers) {
    if (channel.fetches_in_flight() == 0) channel.fetch();
    return;
  }
  while (sent_ < options_.jobs && channel.in_flight() < options_.depth) push_next(channel, now_ns);
}

void DueWorkload::on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) {
  if (op == OpKind::kPush && ++pushed_ == options_.jobs) pushed_ns_ = received_ns;
  if (op == OpKind::kAck) ++acked_;
  for (const Lease& lease : reply.leases) {
    const int64_t late_ns = received_ns - static_cast<int64_t>(read_mark(lease.args));
    if (late_ns < 0) ++early_;
    lateness_.add(late_ns);
    channel.ack(lease);
  }
}

void DueWorkload::report(JsonLine& line) const {
  line.add("push_seconds", static_cast<double>(pushed_ns_ - start_ns_) / 1e9);
  line.add("early", early_);
  lateness_.report("", line);
}

}  // namespace load
