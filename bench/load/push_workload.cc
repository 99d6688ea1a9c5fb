#include "bench/load/push_workload.h"

namespace load {

void PushWorkload::fill(Channel& channel, int64_t /*now_ns*/) {
  while (sent_ < jobs_ && channel.in_flight() < depth_) channel.push(sent_++);
}

void PushWorkload::on_reply(Channel& /*channel*/, OpKind /*op*/, const Reply& /*reply*/,
                            int64_t /*received_ns*/) {
  ++pushed_;
}

}  // namespace load
