// Which jobs there are, by blocks of 4096 ids: how many in each state, and which queues and types
// may be among them. Lists and operations pass over blocks that have nothing for them.
//
// Threading: as State.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "core/job.h"

namespace core {

class IdBlocks {
 public:
  static constexpr int kBits = 12;

  struct Block {
    std::array<uint16_t, kJobStateCount> jobs{};
    // Bit i: one whose index is i, modulo 64, has been here since the block was last empty.
    uint64_t queues = 0;
    uint64_t types = 0;
  };

  static constexpr uint64_t number_of(JobId id) { return id.value >> kBits; }
  static constexpr JobId first_of(uint64_t number) { return JobId{number << kBits}; }
  static constexpr JobId last_of(uint64_t number) { return JobId{((number + 1) << kBits) - 1}; }
  static constexpr uint64_t bit_of(uint32_t index) { return uint64_t{1} << (index % 64); }

  // The job came to its state (1) or leaves it (-1).
  void count(const Job& job, int64_t by);

  // Blocks with jobs, by number.
  const std::map<uint64_t, Block>& blocks() const { return blocks_; }

 private:
  Block& block_of(uint64_t number);

  std::map<uint64_t, Block> blocks_;
  // The blocks looked at last: pushes, grants and ends are each at a place of their own, and no two
  // of these should have one slot.
  struct Recent {
    uint64_t number = 0;
    Block* block = nullptr;  // Null: none.
  };
  static constexpr size_t kRecent = 64;
  Recent& recent_of(uint64_t number) { return recent_[number % kRecent]; }
  std::array<Recent, kRecent> recent_;
};

}  // namespace core
