#include "tests/conformance/journal_suite.h"

#include <atomic>
#include <thread>
#include <utility>

#include "base/random.h"

namespace conformance {

using base::ErrorCode;
using store::DiskLevel;
using store::FrameVisitor;
using store::Journal;

namespace {

std::vector<std::byte> payload_of(uint64_t seq, size_t bytes) {
  base::SeededRandom random(seq * 1'000'003 + bytes);
  std::vector<std::byte> payload(bytes);
  random.fill(payload);
  return payload;
}

const FrameVisitor kVisitNothing = [](uint64_t, auto) -> base::Status { return {}; };

}  // namespace

JournalSuite::JournalSuite() : world_(GetParam().make_world()) {}

void JournalSuite::open() {
  if (HasFatalFailure()) return;
  ASSERT_EQ(journal_, nullptr);
  journal_ = world_->make_journal(kBudgetBytes);
  Frames seen;
  uint64_t last_visited = 0;
  const auto opened =
      journal_->open([&](uint64_t seq, std::span<const std::byte> payload) -> base::Status {
        EXPECT_GT(seq, last_visited) << "frames are visited oldest first";
        EXPECT_FALSE(payload.empty()) << "frame " << seq;
        last_visited = seq;
        seen.emplace(seq, std::vector<std::byte>(payload.begin(), payload.end()));
        return {};
      });
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  recovery_ = *opened;
  EXPECT_EQ(recovery_.last_seq, last_seq_);
  EXPECT_LE(recovery_.first_seq, seq_needed_);
  EXPECT_GE(recovery_.first_seq, 1U);
  // What was trimmed may be gone, or still be there.
  Frames expected = held_;
  std::erase_if(expected, [this](const auto& frame) { return frame.first < recovery_.first_seq; });
  EXPECT_TRUE(seen == expected) << "saw " << seen.size() << " frames, expected " << expected.size();
}

void JournalSuite::append(size_t payload_bytes) {
  if (HasFatalFailure()) return;
  const std::vector<std::byte> payload = payload_of(last_seq_ + 1, payload_bytes);
  const auto appended = journal_->append(last_seq_ + 1, payload);
  ASSERT_TRUE(appended.has_value()) << appended.error().message;
  last_seq_ += 1;
  if (!payload.empty()) held_.emplace(last_seq_, payload);
}

void JournalSuite::trim(uint64_t seq_needed) {
  if (HasFatalFailure()) return;
  const auto trimmed = journal_->trim(seq_needed);
  ASSERT_TRUE(trimmed.has_value()) << trimmed.error().message;
  seq_needed_ = std::max(seq_needed_, seq_needed);
}

void JournalSuite::close() {
  if (HasFatalFailure()) return;
  const auto closed = journal_->close();
  ASSERT_TRUE(closed.has_value()) << closed.error().message;
  journal_.reset();
}

void JournalSuite::crash() {
  journal_.reset();
  world_->cut_power();
}

uint64_t JournalSuite::held_payload_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [seq, payload] : held_) bytes += payload.size();
  return bytes;
}

TEST_P(JournalSuite, IsEmptyWhenNew) {
  open();
  EXPECT_EQ(recovery_.last_seq, 0U);
  EXPECT_EQ(recovery_.first_seq, 1U);
  EXPECT_FALSE(recovery_.clean_shutdown);
  EXPECT_EQ(recovery_.torn_bytes, 0U);
  EXPECT_EQ(journal().space().bytes_used, 0U);
  EXPECT_EQ(journal().space().bytes_budget, kBudgetBytes);
}

TEST_P(JournalSuite, KeepsEveryAppendedFrameOverACrash) {
  open();
  for (size_t i = 1; i <= 200; ++i) append(i * 37 % 3000 + 1);
  crash();
  open();
  EXPECT_EQ(held_.size(), 200U);
  EXPECT_FALSE(recovery_.clean_shutdown);
}

TEST_P(JournalSuite, KeepsEveryAppendedFrameOverAClose) {
  open();
  for (size_t i = 1; i <= 200; ++i) append(i * 37 % 3000 + 1);
  close();
  open();
  EXPECT_TRUE(recovery_.clean_shutdown);
  EXPECT_EQ(recovery_.torn_bytes, 0U);
}

TEST_P(JournalSuite, KeepsPayloadsOfEverySizeAroundTheUnitsOfDisks) {
  open();
  for (const size_t unit : {64U, 512U, 4096U, 16384U}) {
    for (size_t payload_bytes = unit - 66; payload_bytes <= unit + 66; payload_bytes += 11) {
      if (payload_bytes > 0 && payload_bytes < unit + 67) append(payload_bytes);
    }
    append(unit - 64);
    append(unit);
  }
  crash();
  open();
}

TEST_P(JournalSuite, KeepsFramesLargerThanASegment) {
  open();
  append(100);
  append(size_t{3} << 20U);
  append(100);
  append(size_t{1} << 20U);
  crash();
  open();
  append(size_t{2} << 20U);
  crash();
  open();
  EXPECT_EQ(held_.size(), 5U);
}

TEST_P(JournalSuite, KeepsTheLargestFrame) {
  open();
  append(size_t{64} << 20U);
  append(1);
  crash();
  open();
  EXPECT_EQ(held_.size(), 2U);
}

TEST_P(JournalSuite, DoesNotVisitEmptyFramesButCountsTheirSeq) {
  open();
  for (int i = 0; i < 50; ++i) {
    append(0);
    if (i % 7 == 0) append(300);
  }
  append(0);
  crash();
  open();
  EXPECT_EQ(held_.size(), 8U);
  EXPECT_EQ(recovery_.last_seq, 59U);
  append(10);
  close();
  open();
}

TEST_P(JournalSuite, KeepsAllOverManyReopenings) {
  for (size_t round = 0; round < 40; ++round) {
    open();
    for (size_t i = 0; i < round % 4; ++i) append(500 * i + round + 1);
    if (round % 3 == 0) {
      close();
    } else {
      crash();
    }
  }
  open();
  EXPECT_EQ(recovery_.last_seq, 60U);
}

TEST_P(JournalSuite, ReopensWithoutAnyAppendAsItWas) {
  open();
  append(700);
  for (int i = 0; i < 5; ++i) {
    crash();
    open();
    close();
    open();
    EXPECT_TRUE(recovery_.clean_shutdown);
  }
}

TEST_P(JournalSuite, TrimKeepsWhatIsNeeded) {
  open();
  for (uint64_t needed = 1; needed < 300; needed += 7) {
    for (int i = 0; i < 10; ++i) append(900);
    trim(std::min(needed, last_seq() + 1));
    if (needed % 5 == 0) {
      crash();
      open();
    }
  }
  crash();
  open();
  EXPECT_GT(recovery_.first_seq, 100U) << "trim frees something";
}

TEST_P(JournalSuite, TrimOfAllKeepsTheSeq) {
  open();
  for (int i = 0; i < 100; ++i) append(2000);
  trim(last_seq() + 1);
  trim(last_seq() + 1);
  crash();
  open();
  append(5);
  close();
  open();
  EXPECT_EQ(recovery_.last_seq, 101U);
}

TEST_P(JournalSuite, TrimOfNothingIsFree) {
  open();
  trim(1);
  append(10);
  trim(1);
  crash();
  open();
  trim(1);
  EXPECT_EQ(recovery_.first_seq, 1U);
}

TEST_P(JournalSuite, CountsTheBytesItHolds) {
  open();
  uint64_t before = journal().space().bytes_used;
  for (int i = 0; i < 100; ++i) {
    append(1500);
    EXPECT_GE(journal().space().bytes_used, before + 1500);
    before = journal().space().bytes_used;
  }
  EXPECT_LT(before, 3 * held_payload_bytes());
  crash();
  open();
  EXPECT_EQ(journal().space().bytes_used, before) << "a restart counts the same";
  for (int i = 0; i < 100; ++i) append(1500);
  EXPECT_GE(journal().space().bytes_used, held_payload_bytes());
  trim(last_seq() + 1);
  EXPECT_LT(journal().space().bytes_used, before);
}

TEST_P(JournalSuite, SpaceCanBeAskedFromAnotherThread) {
  open();
  std::atomic<bool> done{false};
  std::thread asker([&] {
    uint64_t seen = 0;
    while (!done) {
      const store::JournalSpace space = journal_->space();
      EXPECT_GE(space.bytes_used, seen);
      EXPECT_EQ(space.disk, DiskLevel::kFine);
      seen = space.bytes_used;
    }
  });
  for (int i = 0; i < 200; ++i) append(400);
  done = true;
  asker.join();
}

TEST_P(JournalSuite, PrepareComesToAnEndAndLosesNothing) {
  open();
  for (int i = 0; i < 60; ++i) {
    append(1200);
    const auto prepared = journal().prepare();
    ASSERT_TRUE(prepared.has_value()) << prepared.error().message;
  }
  int steps = 0;
  while (journal().space().prepare_pending) {
    ASSERT_TRUE(journal().prepare().has_value());
    ASSERT_LT(++steps, 1000);
  }
  trim(30);
  crash();
  open();
}

TEST_P(JournalSuite, RefusesASecondOpener) {
  open();
  append(10);
  const std::unique_ptr<Journal> second = world_->make_journal(kBudgetBytes);
  const auto refused = second->open(kVisitNothing);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  append(10);
  close();
  open();
}

TEST_P(JournalSuite, AnErrorOfTheVisitorIsTheAnswerOfOpen) {
  open();
  append(10);
  append(10);
  close();
  {
    const std::unique_ptr<Journal> journal = world_->make_journal(kBudgetBytes);
    const auto refused = journal->open([](uint64_t seq, auto) -> base::Status {
      if (seq == 2) return base::fail(ErrorCode::kBadState, "this one not");
      return {};
    });
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kBadState);
    EXPECT_NE(refused.error().message.find("this one not"), std::string::npos);
  }
  open();
}

}  // namespace conformance
