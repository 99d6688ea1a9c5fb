// Takes the power away in every single call of a workload, and in every call of the recovery after
// it, and makes every single call fail. Nothing acknowledged may be lost, and no start refused.
// tidy: allow test because it drives the whole journal through every crash
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "store/file_journal/crash_world.h"

namespace store {
namespace {

using base::ErrorCode;
using base::Status;

constexpr size_t kSegmentBytes = format::kSegmentBytesMin;

// One run of a journal's life: appends of all sizes, rotations, trims, spares, reopenings after a
// kill and after a close. Ends at the first error that is not DISKFULL.
class Workload {
 public:
  Workload(CrashWorld& world, uint64_t seed) : world_(world), random_(seed) {}

  Status run() {
    TRY(world_.open());
    TRY(append_some(6));
    TRY(prepare_all());
    TRY(append_some(8));
    TRY(world_.trim(world_.last_seq() / 2 + 1));
    TRY(append_some(4));
    world_.kill();
    TRY(world_.open());
    TRY(append_some(3));
    TRY(append(2 * kSegmentBytes + 100));  // Larger than a segment.
    TRY(append_some(2));
    TRY(world_.trim(world_.last_seq() - 1));
    TRY(prepare_all());
    TRY(world_.close());
    TRY(world_.open());
    TRY(append_some(3));
    world_.kill();
    TRY(world_.open());
    TRY(world_.trim(world_.last_seq() + 1));
    TRY(append_some(5));
    return world_.close();
  }

 private:
  Status append_some(int count) {
    for (int i = 0; i < count; ++i) {
      const bool empty = random_.below(6) == 0;
      TRY(append(empty ? 0 : 1 + random_.below(random_.below(2) == 0 ? 900 : 9000)));
    }
    return {};
  }

  Status append(size_t payload_bytes) { return unless_full(world_.append(payload_bytes)); }

  Status prepare_all() {
    // Bounded: under a fault, what is pending may stay so.
    for (int i = 0; i < 8 && world_.journal().space().prepare_pending; ++i) {
      TRY(world_.prepare());
    }
    return {};
  }

  static Status unless_full(Status status) {
    if (!status.has_value() && status.error().code == ErrorCode::kDiskFull) return {};
    return status;
  }

  CrashWorld& world_;
  base::SeededRandom random_;
};

// Opens after a crash, twice: what the first opening has shown must be there for the second.
void expect_intact(CrashWorld& world) {
  for (uint64_t again = 0; again < 2; ++again) {
    FaultPlan plan;
    plan.seed = again + 11;
    world.boot(plan);
    const Status opened = world.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    world.cut_power();
  }
  world.boot();
  ASSERT_TRUE(world.open().has_value());
  ASSERT_TRUE(world.append(100).has_value()) << "and it goes on";
  ASSERT_TRUE(world.close().has_value());
}

uint64_t calls_of_workload(uint64_t seed) {
  CrashWorld world;
  EXPECT_TRUE(Workload(world, seed).run().has_value());
  EXPECT_GE(world.frame_count(), 5U);
  return world.calls().calls();
}

TEST(PowerCut, InEveryCallLosesNothing) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const uint64_t calls = calls_of_workload(seed);
    ASSERT_GE(calls, 150U);
    for (uint64_t cut = 1; cut <= calls; ++cut) {
      SCOPED_TRACE("seed " + std::to_string(seed) + " cut " + std::to_string(cut));
      CrashWorld world;
      FaultPlan plan;
      plan.cut_at = cut;
      plan.seed = seed * 10'007 + cut;
      world.boot(plan);
      ASSERT_FALSE(Workload(world, seed).run().has_value()) << "the cut was in the run";
      ASSERT_TRUE(world.calls().stopped());
      ASSERT_NO_FATAL_FAILURE(expect_intact(world));
      if (HasFailure()) return;
    }
  }
}

TEST(PowerCut, InEveryCallOfTheRecoveryLosesNothing) {
  const uint64_t seed = 5;
  const uint64_t calls = calls_of_workload(seed);
  uint64_t cuts_met = 0;
  for (uint64_t first = 3; first <= calls; first += 7) {
    bool met = true;
    for (uint64_t second = 1; met; ++second) {
      SCOPED_TRACE("cut " + std::to_string(first) + ", then " + std::to_string(second));
      CrashWorld world;
      FaultPlan plan;
      plan.cut_at = first;
      plan.seed = first;
      world.boot(plan);
      ASSERT_FALSE(Workload(world, seed).run().has_value());
      plan.cut_at = second;
      plan.seed = first * 101 + second;
      world.boot(plan);
      met = !world.open().has_value();
      ASSERT_EQ(met, world.calls().took_effect()) << "only a cut may refuse the start";
      cuts_met += met ? 1 : 0;
      if (!met) world.cut_power();
      ASSERT_NO_FATAL_FAILURE(expect_intact(world));
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(cuts_met, 100U);
}

TEST(PowerCut, KillsWithoutAPlannedCutLoseNothing) {
  // What kill -9 does to the crash build: everything unsynced is gone.
  for (uint64_t stop = 1; stop <= 60; ++stop) {
    CrashWorld world;
    ASSERT_TRUE(world.open().has_value());
    for (uint64_t i = 0; i < stop; ++i) ASSERT_TRUE(world.append(i * 97 % 5000).has_value());
    world.kill();
    ASSERT_NO_FATAL_FAILURE(expect_intact(world));
  }
}

struct Failure {
  const char* name;
  FaultKind kind;
  bool sticky;
};

std::ostream& operator<<(std::ostream& out, const Failure& failure) {
  return out << failure.name;
}

class FailingCall : public testing::TestWithParam<Failure> {};

TEST_P(FailingCall, LosesNothingAndIsNotTriedAgain) {
  const uint64_t seed = 6;
  const uint64_t calls = calls_of_workload(seed);
  uint64_t stops = 0;
  for (uint64_t call = 1; call <= calls; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    CrashWorld world;
    FaultPlan plan;
    plan.fail_at = call;
    plan.fail_kind = GetParam().kind;
    plan.fail_sticky = GetParam().sticky;
    plan.seed = call;
    world.boot(plan);
    const Status ended = Workload(world, seed).run();
    if (ended.has_value()) {
      ASSERT_NO_FATAL_FAILURE(expect_intact(world));
      continue;
    }
    stops += 1;
    const uint64_t calls_then = world.calls().calls();
    // A journal that is open has stopped for good: nothing reaches the disk any more.
    if (world.has_journal() && world.journal().space().bytes_used > 0) {
      EXPECT_FALSE(world.journal().append(world.last_seq() + 1, Payload(10)).has_value());
      EXPECT_FALSE(world.journal().trim(1).has_value());
      EXPECT_FALSE(world.journal().prepare().has_value());
      EXPECT_EQ(world.calls().calls(), calls_then) << "no second sync, no other write";
    }
    if (call % 2 == 0) world.cut_power();
    ASSERT_NO_FATAL_FAILURE(expect_intact(world));
    if (HasFailure()) return;
  }
  if (GetParam().kind == FaultKind::kIoError) {
    EXPECT_GE(stops, 100U);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, FailingCall,
                         testing::Values(Failure{"IoErrorOnce", FaultKind::kIoError, false},
                                         Failure{"IoErrorFromThenOn", FaultKind::kIoError, true},
                                         Failure{"NoSpaceOnce", FaultKind::kNoSpace, false},
                                         Failure{"InterruptedOnce", FaultKind::kInterrupted, false},
                                         Failure{"ShortWriteOnce", FaultKind::kShortWrite, false},
                                         Failure{"ShortWriteFromThenOn", FaultKind::kShortWrite,
                                                 true}),
                         [](const auto& info) { return std::string(info.param.name); });

// The kernel keeps showing what a failed sync could not write, so a restart on the same machine
// reads a frame that is not on the disk.
TEST(FailedSync, AFrameReadFromTheCacheIsDurableAfterTheRestart) {
  const uint64_t seed = 7;
  const uint64_t calls = calls_of_workload(seed);
  int shown = 0;
  for (uint64_t call = 1; call <= calls; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    CrashWorld world;
    FaultPlan plan;
    plan.seed = call;
    plan.fail_at = call;
    world.boot(plan);
    if (Workload(world, seed).run().has_value()) continue;
    const bool unknown = world.has_unknown();
    const uint64_t last_seq = world.last_seq();
    world.kill();
    ASSERT_TRUE(world.open().has_value()) << "the same machine, another process";
    shown += unknown && world.last_seq() > last_seq ? 1 : 0;
    world.cut_power();
    ASSERT_NO_FATAL_FAILURE(expect_intact(world));
    if (HasFailure()) return;
  }
  EXPECT_GE(shown, 5) << "frames that were read, but were not on the disk";
}

}  // namespace
}  // namespace store
