// Which records are in memory, and how the state of each job stands to the tables.
//
// Every job that changes is noted. A flush freezes what is noted: from then on it takes the state
// that each of these jobs had at that moment, a slice at a time; a job that is about to change
// before its turn came is taken just before. When the tables have it, records that nobody works
// with leave memory, the ones that will be needed last first. What is needed again is read in the
// background: whoever needs it says so (`want`), and goes on when it is there (`State::bring_in`).
//
// Threading: as State.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/job.h"
#include "core/job_table.h"

namespace core {

class Residency {
 public:
  // Takes the job's present state for the flush.
  using Take = std::function<void(const Job&)>;

  // Is told of a job whose record is about to leave memory.
  using Leave = std::function<void(Job&)>;

  Residency(JobTable& jobs, Leave leave) : jobs_(jobs), leave_(std::move(leave)) {}

  // --- Changes.

  // The job is about to change. Requires: its record is in memory, or it is about to go.
  void before_change(Job& job);
  // The job is about to leave the table.
  void before_removal(Job& job);
  // The row of a job that is not in the table has to go.
  void note_row_removed(JobId id) { removed_.push_back(id); }
  // Bytes of unfinished work that the next flush, or the one that runs, has to write.
  uint64_t unflushed_bytes() const { return unflushed_bytes_; }
  // Bytes of rows in the tables that the next flush changes or erases.
  uint64_t touched_bytes() const { return touched_bytes_; }
  // Keeps count: the job was put on the indexes, or is about to be taken off them.
  void count(Job& job, bool in_history);
  void discount(Job& job);
  bool anything_changed() const { return !changed_.empty() || !removed_.empty(); }

  // --- The flush. One at a time.

  // Freezes what has changed. Returns the ids whose rows go, in no order.
  std::vector<JobId> freeze(Take take);
  bool flushing() const { return take_ != nullptr; }
  // Takes up to `most` of the frozen jobs. Returns whether all have been taken.
  bool take_some(size_t most);
  // The tables have what was taken: records go until no more than `memory_max` bytes are taken up.
  void flush_done(uint64_t memory_max);

  // --- Records in memory and not.

  // Of the records in memory: what budgets count of them, and what memory they take, roughly.
  uint64_t record_bytes() const { return record_bytes_; }
  uint64_t memory_bytes() const { return record_bytes_ + records_ * kRecordMemoryBytes; }
  void add_bytes(size_t bytes) {
    record_bytes_ += bytes;
    ++records_;
  }
  void subtract_bytes(size_t bytes) {
    record_bytes_ -= bytes;
    --records_;
  }

  // Asks for the record. Nothing happens if it is there or on its way.
  void want(Job& job);
  std::vector<JobId> take_wants() { return std::exchange(wants_, {}); }
  bool any_wants() const { return !wants_.empty() || !wants_together_.empty(); }
  size_t wants() const { return wants_.size(); }
  // What was asked for since there were `mark` wants is of use only together: one command needs it.
  void join_wants(size_t mark);
  std::vector<std::vector<JobId>> take_wants_together() {
    return std::exchange(wants_together_, {});
  }
  // The record was not read: what was to come together with it takes too much memory. Kept in mind
  // until `forget_given_up`, for the command that needs it.
  void give_up(Job& job);
  bool was_given_up(JobId id) const { return given_up_.contains(id.value); }
  bool any_given_up() const { return !given_up_.empty(); }
  void forget_given_up() { given_up_.clear(); }
  // About how many more records may be asked for before the pool passes `bytes_max`.
  size_t room_for(uint64_t bytes_max) const;
  // The same before those that are asked for pass it, whatever is in the pool.
  size_t wants_within(uint64_t bytes_max) const;
  // The record has come, unchanged: it leaves again when more than a bound of such are there.
  void pool(Job& job);
  uint64_t pool_bytes() const { return pool_bytes_; }
  void trim_pool(uint64_t bytes_max);

  // The job's record leaves memory. Requires: can_leave(job).
  void let_go(Job& job);
  static bool can_leave(const Job& job) {
    return job.record && job.written == Written::kClean && job.in_tables &&
           job.state != JobState::kRunning;
  }

 private:
  // What a record takes beside what is counted of it: its other fields, and what the allocator
  // rounds up.
  static constexpr uint64_t kRecordMemoryBytes = sizeof(JobRecord) / 2 + 16;

  void take(Job& job);
  void note_touched(const Job& job);
  void unpool(Job& job);

  JobTable& jobs_;
  const Leave leave_;
  std::vector<JobId> changed_;  // Since the last freeze, each once; some may be gone.
  std::vector<JobId> removed_;  // Since the last freeze, of those that have or will have a row.
  std::vector<JobId> frozen_;
  size_t frozen_taken_ = 0;  // Of frozen_.
  Take take_;                // Set while a flush runs.
  uint64_t unflushed_bytes_ = 0;
  uint64_t touched_bytes_ = 0;
  uint64_t record_bytes_ = 0;
  uint64_t records_ = 0;      // In memory.
  std::vector<JobId> wants_;  // Each for itself.
  std::vector<std::vector<JobId>> wants_together_;
  std::unordered_set<uint64_t> given_up_;
  std::deque<std::pair<JobId, size_t>> pool_;  // With the bytes, oldest first; some are stale.
  uint64_t pool_bytes_ = 0;                    // Of those that are not.
  uint64_t record_bytes_mean_ = 512;           // Of those that came of late.
};

}  // namespace core
