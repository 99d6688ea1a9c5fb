#include "store/file_journal/crash_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace store {

Payload payload_of(uint64_t seq, size_t bytes) {
  base::SeededRandom random(seq * 1'000'003 + bytes);
  Payload payload(bytes);
  random.fill(payload);
  return payload;
}

CrashWorld::CrashWorld(FileJournalOptions options) : options_(std::move(options)) {
  options_.directory = temp_.path() + "/data";
  boot();
}

FileJournalOptions CrashWorld::small_options() {
  FileJournalOptions options;
  options.segment_bytes = format::kSegmentBytesMin;
  options.reserve_bytes = 4 * format::kSegmentBytesMin;
  options.allow_volatile = true;  // The tests' directory may lie anywhere.
  return options;
}

void CrashWorld::boot(const FaultPlan& plan) {
  journal_.reset();
  files_.reset();
  calls_ = std::make_unique<DroppingCalls>(kernel_calls(), plan, DroppingCalls::OnCut::kStop);
  files_ = std::make_unique<FileSystem>(*calls_);
}

void CrashWorld::cut_power() {
  journal_.reset();
  calls_->cut();
}

base::Status CrashWorld::open() {
  journal_ = std::make_unique<FileJournal>(*files_, random_, options_);
  std::map<uint64_t, Payload> seen;
  const auto opened = journal_->open([&seen](uint64_t seq, std::span<const std::byte> payload) {
    EXPECT_TRUE(seen.empty() || seen.rbegin()->first < seq) << "frame " << seq << " out of order";
    seen.emplace(seq, Payload(payload.begin(), payload.end()));
    return base::Status();
  });
  if (!opened.has_value()) return tl::unexpected(opened.error());
  recovery_ = *opened;
  judge(seen, *opened);
  return {};
}

void CrashWorld::judge(const std::map<uint64_t, Payload>& seen, const JournalRecovery& recovery) {
  // Whether the append without an answer took place is known now, and for ever.
  if (unknown_.has_value() && recovery.last_seq == unknown_->seq) {
    last_seq_ = unknown_->seq;
    if (!unknown_->payload.empty()) acknowledged_.emplace(unknown_->seq, unknown_->payload);
  }
  unknown_.reset();
  EXPECT_EQ(recovery.last_seq, last_seq_) << "a frame is lost, or one too many";
  EXPECT_LE(recovery.first_seq, std::min(seq_needed_, last_seq_ + 1)) << "trimmed too early";
  // What was trimmed may be gone, or be there still.
  std::map<uint64_t, Payload> expected(acknowledged_.lower_bound(recovery.first_seq),
                                       acknowledged_.end());
  EXPECT_EQ(seen.size(), expected.size());
  EXPECT_TRUE(seen == expected) << "the frames are not what was appended";
}

base::Status CrashWorld::append(size_t payload_bytes) {
  Frame frame{last_seq_ + 1, payload_of(last_seq_ + 1, payload_bytes)};
  const base::Status appended = journal_->append(frame.seq, frame.payload);
  if (appended.has_value()) {
    last_seq_ = frame.seq;
    if (payload_bytes > 0) acknowledged_.emplace(frame.seq, std::move(frame.payload));
  } else if (appended.error().code != base::ErrorCode::kDiskFull) {
    unknown_ = std::move(frame);
  }
  return appended;
}

base::Status CrashWorld::trim(uint64_t seq_needed) {
  seq_needed_ = std::max(seq_needed_, seq_needed);  // Also when it fails in the middle.
  return journal_->trim(seq_needed);
}

base::Status CrashWorld::close() {
  base::Status closed = journal_->close();
  journal_.reset();
  return closed;
}

}  // namespace store
