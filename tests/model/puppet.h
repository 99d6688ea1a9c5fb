// model/puppet.h
// A server that does exactly what the model says, with ids, tokens and jitter of its own choice. It
// stands in for the real one when the generator and the model's ability to fail are tested; it
// proves nothing about the rules themselves.
#pragma once

#include <cstdint>
#include <vector>

#include "model/op.h"
#include "model/view.h"
#include "model/world.h"

namespace model {

class Puppet {
 public:
  struct Seen {
    Reply reply;
    std::vector<WaiterAnswer> answers;
  };

  Puppet(Now start, uint64_t seed, int64_t keys_bytes_max = World{}.keys_bytes_max);

  Seen perform(const Op& op, Now now);
  Snapshot snapshot() const;

 private:
  int64_t choose(const Range& range);
  void settle_times(Reply& reply);
  void finish_reply(Reply& reply) const;

  World world_;
  uint64_t random_;
};

}  // namespace model
