// What one flush brings into the tables, with the bytes of it: the engine's thread copies into it,
// the flush thread nets it out and applies it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "store/tables.h"

namespace store {

// For each job and each side key, what is said last is what counts.
// Threading: one thread at a time.
class ChangeSet {
 public:
  ChangeSet() = default;
  ChangeSet(const ChangeSet&) = delete;
  ChangeSet& operator=(const ChangeSet&) = delete;

  // All copy what they are given. Without `args` those stay that an earlier `put` of this set, or
  // else the row in the tables, has.
  void put(const JobHeader& header, std::string_view record, std::optional<std::string_view> args);
  void erase(core::JobId id);
  void put_side(std::string_view key, std::string_view value);
  void erase_side(std::string_view key);

  // Of memory that it takes up, roughly: what decides when it is flushed.
  size_t bytes() const { return bytes_; }

  // Sorts, and leaves out what was overtaken. Nothing can be added afterwards; the answer points
  // into this. Requires: called once; what was erased and put again was put with args.
  Changes finish(uint64_t applied_seq);

 private:
  struct Erased {
    core::JobId id;
    size_t rows_before = 0;  // What was put later stands at this place of `rows_` or behind it.
  };

  char* room_for(size_t size);
  std::string_view copy(std::string_view bytes);
  std::vector<uint32_t> row_order() const;
  void net_out_jobs();
  void net_out_side();

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;  // In a chunk that has `left_` bytes left.
  size_t left_ = 0;
  size_t bytes_ = 0;
  bool is_finished_ = false;

  std::vector<JobRow> rows_;  // As they came; when finished, netted out, as are those below.
  std::vector<Erased> erasures_;
  std::vector<core::JobId> erased_;  // When finished.
  std::vector<SideRecord> side_;
};

}  // namespace store
