#include "store/memory/memory_journal.h"

#include <utility>

#include "base/assert.h"

namespace store {
namespace {

using base::ErrorCode;

constexpr uint64_t kFrameOverheadBytes = 64;  // So that empty frames are not free.

}  // namespace

void MemoryDisk::fail_append(uint64_t n, FrameFate fate) {
  ASSERT(n >= 1, "appends count from 1");
  fail_at_ = append_count_ + n;
  fail_fate_ = fate;
}

void MemoryDisk::lose_unsynced() {
  while (!frames_.empty() && frames_.back().seq > durable_seq_) drop_back();
}

uint64_t MemoryDisk::last_seq() const {
  return frames_.empty() ? trimmed_seq_ : frames_.back().seq;
}

uint64_t MemoryDisk::bytes_of(const Frame& frame) {
  return kFrameOverheadBytes + frame.payload.size();
}

void MemoryDisk::push(Frame frame) {
  bytes_used_ += bytes_of(frame);
  frames_.push_back(std::move(frame));
}

void MemoryDisk::drop_back() {
  bytes_used_ -= bytes_of(frames_.back());
  frames_.pop_back();
}

void MemoryDisk::drop_front() {
  bytes_used_ -= bytes_of(frames_.front());
  frames_.pop_front();
}

MemoryJournal::MemoryJournal(MemoryDisk& disk, uint64_t budget_bytes)
    : disk_(disk), budget_bytes_(budget_bytes) {}

MemoryJournal::~MemoryJournal() {
  if (is_open_) disk_.is_open_ = false;
}

base::Result<JournalRecovery> MemoryJournal::open(const FrameVisitor& visit) {
  ASSERT(!is_open_, "opened twice");
  if (disk_.is_open_) {
    return base::fail(ErrorCode::kUnavailable, "another journal has this disk open");
  }
  disk_.is_open_ = is_open_ = true;
  JournalRecovery recovery;
  recovery.last_seq = disk_.last_seq();
  recovery.first_seq = disk_.trimmed_seq_ + 1;
  recovery.clean_shutdown = disk_.clean_;
  for (const MemoryDisk::Frame& frame : disk_.frames_) {
    if (!frame.payload.empty()) TRY(visit(frame.seq, frame.payload));
  }
  disk_.fail_at_ = 0;
  disk_.durable_seq_ = recovery.last_seq;  // What was read is kept from now on.
  return recovery;
}

base::Status MemoryJournal::append(uint64_t seq, std::span<const std::byte> payload) {
  ASSERT(is_open_, "not open");
  TRY(refusal());
  ASSERT(seq == disk_.last_seq() + 1, "seq {} after {}", seq, disk_.last_seq());
  if (disk_.level_ == DiskLevel::kFull) {
    return base::fail(ErrorCode::kDiskFull, "the disk is full, says the test");
  }
  disk_.append_count_ += 1;
  const bool fails = disk_.append_count_ == disk_.fail_at_;
  disk_.clean_ = false;
  if (!fails || disk_.fail_fate_ == MemoryDisk::FrameFate::kUnsynced) {
    disk_.push({seq, {payload.begin(), payload.end()}});
  }
  if (fails) {
    stopped_ = true;
    return refusal();
  }
  disk_.durable_seq_ = seq;
  return {};
}

base::Status MemoryJournal::trim(uint64_t seq_needed) {
  TRY(refusal());
  ASSERT(seq_needed <= disk_.last_seq() + 1, "seq {} of {}", seq_needed, disk_.last_seq());
  while (!disk_.frames_.empty() && disk_.frames_.front().seq < seq_needed) {
    disk_.trimmed_seq_ = disk_.frames_.front().seq;
    disk_.drop_front();
  }
  return {};
}

base::Status MemoryJournal::prepare() {
  return refusal();
}

base::Status MemoryJournal::close() {
  ASSERT(is_open_, "not open");
  is_open_ = false;
  disk_.is_open_ = false;
  TRY(refusal());
  disk_.clean_ = true;
  return {};
}

JournalSpace MemoryJournal::space() const {
  JournalSpace space;
  space.bytes_used = disk_.bytes_used_;
  space.bytes_budget = budget_bytes_;
  space.disk = disk_.level_;
  return space;
}

base::Status MemoryJournal::refusal() const {
  if (!stopped_) return {};
  return base::fail(ErrorCode::kIo, "the journal has stopped: append {} failed, as the test said",
                    disk_.fail_at_);
}

}  // namespace store
