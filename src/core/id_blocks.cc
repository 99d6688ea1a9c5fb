#include "core/id_blocks.h"

#include "base/assert.h"
#include "core/queue.h"

namespace core {

IdBlocks::Block& IdBlocks::block_of(uint64_t number) {
  Recent& recent = recent_of(number);
  if (recent.block == nullptr || recent.number != number) recent = {number, &blocks_[number]};
  return *recent.block;
}

void IdBlocks::count(const Job& job, int64_t by) {
  const uint64_t number = number_of(job.id);
  Block& block = block_of(number);
  uint16_t& jobs = block.jobs[static_cast<size_t>(job.state)];
  ASSERT(by == 1 || (by == -1 && jobs > 0), "{} of {} jobs", by, jobs);
  jobs = static_cast<uint16_t>(jobs + by);
  if (by > 0) {
    block.queues |= bit_of(job.queue->index);
    block.types |= bit_of(job.type->index);
  } else if (jobs == 0 && block.jobs == std::array<uint16_t, kJobStateCount>{}) {
    recent_of(number) = {};
    blocks_.erase(number);
  }
}

}  // namespace core
