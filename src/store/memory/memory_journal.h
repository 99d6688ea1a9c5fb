// A journal that keeps its frames in memory: for tests and simulation, where the process that
// "restarts" is an object, and what a crash leaves is decided by the test.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/result.h"
#include "store/journal.h"

namespace store {

// What outlives a journal: its disk. One journal at a time has it open.
// Threading: one thread at a time.
class MemoryDisk {
 public:
  // What becomes of the frame whose append is made to fail.
  enum class FrameFate : uint8_t {
    kLost,      // It never reached the disk.
    kUnsynced,  // It is there, unless lose_unsynced() is called before the next opening.
  };

  // The n-th append from now on fails with IO, as do all calls of that journal after it; n counts
  // from 1. The next opening forgets it.
  void fail_append(uint64_t n, FrameFate fate);
  // At kFull, appends answer DISKFULL. Any thread.
  void set_level(DiskLevel level) { level_ = level; }
  // What a power cut does: frames that no append has answered OK for are gone.
  void lose_unsynced();
  uint64_t last_seq() const;
  uint64_t durable_seq() const { return durable_seq_; }
  uint64_t append_count() const { return append_count_; }

 private:
  friend class MemoryJournal;

  struct Frame {
    uint64_t seq = 0;
    std::vector<std::byte> payload;
  };

  static uint64_t bytes_of(const Frame& frame);
  void push(Frame frame);
  void drop_back();
  void drop_front();

  std::deque<Frame> frames_;
  std::atomic<uint64_t> bytes_used_{0};
  uint64_t trimmed_seq_ = 0;  // Of the newest frame that was trimmed.
  uint64_t durable_seq_ = 0;
  uint64_t append_count_ = 0;
  uint64_t fail_at_ = 0;  // By append_count_; 0: never.
  FrameFate fail_fate_ = FrameFate::kLost;
  std::atomic<DiskLevel> level_{DiskLevel::kFine};
  bool clean_ = false;
  bool is_open_ = false;
};

// Threading: as Journal says.
class MemoryJournal final : public Journal {
 public:
  static constexpr uint64_t kBudgetBytes = uint64_t{4} << 30U;

  // `disk` must outlive this.
  explicit MemoryJournal(MemoryDisk& disk, uint64_t budget_bytes = kBudgetBytes);
  // Without close() before: what a kill does.
  ~MemoryJournal() override;

  base::Result<JournalRecovery> open(const FrameVisitor& visit) override;
  base::Status append(uint64_t seq, std::span<const std::byte> payload) override;
  base::Status trim(uint64_t seq_needed) override;
  base::Status prepare() override;
  base::Status close() override;
  JournalSpace space() const override;

 private:
  base::Status refusal() const;

  MemoryDisk& disk_;
  const uint64_t budget_bytes_;
  bool is_open_ = false;
  bool stopped_ = false;
};

}  // namespace store
