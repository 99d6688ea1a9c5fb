#include "core/id_blocks.h"

#include "base/assert.h"
#include "core/queue.h"

namespace core {

IdBlocks::Place IdBlocks::place_of(uint64_t number) {
  const size_t slot = number % kRecent;
  if (is_recent_[slot] && recent_[slot]->first == number) return recent_[slot];
  recent_[slot] = blocks_.try_emplace(number).first;
  is_recent_[slot] = true;
  return recent_[slot];
}

void IdBlocks::count(const Job& job, int64_t by) {
  const Place place = place_of(number_of(job.id));
  Block& block = place->second;
  uint16_t& jobs = block.jobs[static_cast<size_t>(job.state)];
  ASSERT(by == 1 || (by == -1 && jobs > 0), "{} of {} jobs", by, jobs);
  jobs = static_cast<uint16_t>(jobs + by);
  if (by > 0) {
    block.queues |= bit_of(job.queue->index);
    block.types |= bit_of(job.type->index);
  } else if (block.jobs == std::array<uint16_t, kJobStateCount>{}) {
    is_recent_[place->first % kRecent] = false;
    blocks_.erase(place);
  }
}

}  // namespace core
