#include "bench/load/life_workload.h"

#include <algorithm>
#include <stdexcept>

#include "bench/load/args.h"

namespace load {

LifeWorkload::LifeWorkload(const LifeOptions& options, Deliveries& seen)
    : options_(options), args_(make_args(options.args_bytes)), seen_(seen) {
  if (options.fetch_count < 1 || options.fetch_count > options.depth) {
    throw std::invalid_argument("a fetch asks for 1 to `depth` jobs");
  }
}

uint64_t LifeWorkload::slots_used(const Channel& channel) const {
  const uint64_t extra = options_.fetch_count - 1;
  return channel.in_flight() + extra * channel.fetches_in_flight();
}

LifeWorkload::Step LifeWorkload::next_step(uint64_t slots_free) const {
  if (slots_free == 0) return Step::kWait;
  const bool may_push = sent_ < options_.jobs && waiting() < options_.waiting_max;
  // At the end of a run less than a whole fetch may be left.
  const uint64_t claims = fetched_ + claimed_;
  const uint64_t wanted = pushed_ == options_.jobs ? 1 : options_.fetch_count;
  const bool jobs_there = pushed_ >= claims + wanted;
  const bool push_first = may_push && waiting() < options_.waiting_max / 2;
  if (push_first) return Step::kPush;
  if (jobs_there) return slots_free >= options_.fetch_count ? Step::kFetch : Step::kWait;
  return may_push ? Step::kPush : Step::kWait;
}

void LifeWorkload::fill(Channel& channel, int64_t /*now_ns*/) {
  for (;;) {
    const uint64_t used = slots_used(channel);
    switch (next_step(used < options_.depth ? options_.depth - used : 0)) {
      case Step::kPush:
        channel.push(options_.backlog + sent_++);
        waiting_seen_ = std::max(waiting_seen_, waiting());
        break;
      case Step::kFetch:
        channel.fetch();
        claimed_ += options_.fetch_count;
        break;
      case Step::kWait:
        return;
    }
  }
}

void LifeWorkload::on_reply(Channel& channel, OpKind op, const Reply& reply,
                            int64_t /*received_ns*/) {
  switch (op) {
    case OpKind::kPush:
      ++pushed_;
      return;
    case OpKind::kAck:
      ++acked_;
      return;
    case OpKind::kFetch:
      break;
  }
  claimed_ -= options_.fetch_count;
  fetched_ += reply.leases.size();
  if (reply.leases.empty()) ++empty_fetches_;
  for (const Lease& lease : reply.leases) take_lease(channel, lease);
}

void LifeWorkload::take_lease(Channel& channel, const Lease& lease) {
  const uint64_t number = check_args(lease.args, args_);
  seen_.note(number);
  if (number < options_.backlog) {
    ++backlog_taken_;
  } else if (backlog_taken_ + claimed_ < options_.backlog) {
    ++overtakes_;  // Of older jobs that no answer on its way can hold.
  }
  channel.ack(lease);
}

void LifeWorkload::report(JsonLine& line) const {
  line.add("fetch_count", uint64_t{options_.fetch_count});
  line.add("empty_fetches", empty_fetches_);
  line.add("waiting_max", waiting_seen_);
  line.add("backlog_taken", backlog_taken_);
  line.add("overtakes", overtakes_);
}

}  // namespace load
