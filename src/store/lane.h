// A lane: the headers of the ready jobs of 4096 ids in a row, as one short record. It holds two
// bytes for each id; queue, type and priority stand once for all jobs that share them, and the
// ready sequence once for all jobs in whose ids it counts along.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/tables.h"

namespace store {

class Lane {
 public:
  static constexpr uint64_t kIds = 4096;

  static constexpr uint64_t block_of(core::JobId id) { return id.value / kIds; }
  static constexpr core::JobId first_of(uint64_t block) { return core::JobId{block * kIds}; }

  // Empties it and makes it that of `block`.
  void reset(uint64_t block);
  // The same, with the content of `bytes`. CORRUPT: they are no lane.
  base::Status decode(uint64_t block, std::string_view bytes);
  // Returns no bytes for a lane without jobs.
  std::string encode() const;

  uint64_t block() const { return block_; }
  size_t count() const { return count_; }

  // Requires (of all four): the id is of this block.
  void put(const JobHeader& header);  // Requires: header.in_lane.
  void erase(core::JobId id);
  bool holds(const JobHeader& header) const;  // Just as it is.
  bool has(core::JobId id) const;             // In whatever way.

  // In order of ids.
  template <class Visit>
  void visit(const Visit& visit) const {
    for (size_t i = 0; i < kIds; ++i) {
      if (slots_[i].used) visit(header_of(i));
    }
  }
  template <class Visit>
  void visit_backwards(const Visit& visit) const {
    for (size_t i = kIds; i-- > 0;) {
      if (slots_[i].used) visit(header_of(i));
    }
  }

 private:
  struct Slot {
    uint64_t ready_seq = 0;
    uint32_t queue = 0;
    uint32_t type = 0;
    uint8_t priority = 0;
    bool used = false;
  };

  JobHeader header_of(size_t index) const;
  size_t index_of(core::JobId id) const;

  uint64_t block_ = 0;
  size_t count_ = 0;
  std::array<Slot, kIds> slots_{};
};

// Merges lanes into ready order. Nearly all jobs have it by their ids; those that became ready late
// (retried, promoted) are kept apart and sorted. Use: `look` at all lanes from the last to the
// first, then `emit` them from the first to the last, then `finish`.
class ReadyMerge {
 public:
  void look(const Lane& lane);
  void emit(const Lane& lane, const HeaderVisitor& visit);
  void finish(const HeaderVisitor& visit);

 private:
  void begin();

  uint64_t least_seq_ = UINT64_MAX;    // Of all jobs that were looked at.
  std::vector<JobHeader> late_;        // Greatest id first.
  std::vector<JobHeader> late_ready_;  // The same, last in ready order first.
  bool emitting_ = false;
};

}  // namespace store
