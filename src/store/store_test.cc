#include "store/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <optional>
#include <thread>

#include "store/effect_codec.h"
#include "store/memory/memory_journal.h"
#include "store/test_patience.h"

namespace store {
namespace {

using std::chrono::seconds;

constexpr base::Now kNow{base::EngineTime{1}, base::WallTime{2}};

// Effects that can be told apart: job `id` was given back.
std::string effects_of(uint64_t id) {
  EffectEncoder encoder;
  encoder.begin(kNow);
  encoder.put(core::JobUngranted{{id}});
  return encoder.take();
}

// What the callbacks say, for a test that waits for it.
class StoreHeard {
 public:
  Store::Callbacks callbacks() {
    return {.durable = [this](uint64_t turn) { tell(turn, std::nullopt); },
            .failed = [this](const base::Error& error) { tell(0, error); }};
  }
  bool wait_for_turn(uint64_t turn) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return turn_ >= turn; });
  }
  bool wait_for_failure() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return error_.has_value(); });
  }
  uint64_t turn() {
    const std::lock_guard lock(mutex_);
    return turn_;
  }
  std::optional<base::Error> error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  void tell(uint64_t turn, std::optional<base::Error> error) {
    {
      const std::lock_guard lock(mutex_);
      turn_ = std::max(turn_, turn);
      if (error) error_ = std::move(error);
    }
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t turn_ = 0;
  std::optional<base::Error> error_;
};

// A journal that syncs when it is told to, so that a test decides what happens meanwhile.
class GatedJournal final : public Journal {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    uint64_t asked = 0;    // Appends that were called.
    uint64_t allowed = 0;  // That may go on.
    uint64_t prepare_steps = 0;
    uint64_t prepared = 0;
    uint64_t trimmed_before = 0;
    std::deque<std::pair<uint64_t, size_t>> frames;  // Sequence, bytes.

    bool wait_for_ask(uint64_t n) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, kPatience, [&] { return asked >= n; });
    }
    bool wait_for_prepared(uint64_t n) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, kPatience, [&] { return prepared >= n; });
    }
    void allow(uint64_t n) {
      {
        const std::lock_guard lock(mutex);
        allowed = n;
      }
      changed.notify_all();
    }
  };

  explicit GatedJournal(Gate& gate) : gate_(gate) {}

  base::Result<JournalRecovery> open(const FrameVisitor& /*visit*/) override {
    return JournalRecovery{.first_seq = 1};
  }
  base::Status append(uint64_t seq, std::span<const std::byte> payload) override {
    std::unique_lock lock(gate_.mutex);
    ++gate_.asked;
    gate_.changed.notify_all();
    gate_.changed.wait(lock, [&] { return gate_.allowed >= gate_.asked; });
    gate_.frames.emplace_back(seq, payload.size());
    return {};
  }
  base::Status trim(uint64_t seq_needed) override {
    const std::lock_guard lock(gate_.mutex);
    gate_.trimmed_before = seq_needed;
    return {};
  }
  base::Status prepare() override {
    {
      const std::lock_guard lock(gate_.mutex);
      ++gate_.prepared;
    }
    gate_.changed.notify_all();
    return {};
  }
  base::Status close() override { return {}; }
  JournalSpace space() const override {
    const std::lock_guard lock(gate_.mutex);
    return {.prepare_pending = gate_.prepared < gate_.prepare_steps};
  }

 private:
  Gate& gate_;
};

class StoreTest : public testing::Test {
 protected:
  std::unique_ptr<Store> opened() {
    auto store = std::make_unique<Store>(std::make_unique<MemoryJournal>(disk), clock);
    seen.clear();
    seqs.clear();
    recovered = store->recover([this](uint64_t seq, std::string_view frame) {
      seqs.push_back(seq);
      return decode_effects(frame, [this](core::Effect&& effect, base::Now now) {
        EXPECT_EQ(now, kNow);
        seen.push_back(std::get<core::JobUngranted>(effect).id.value);
        return base::Status{};
      });
    });
    return store;
  }

  MemoryDisk disk;
  base::ManualClock clock;
  StoreHeard heard;
  std::vector<uint64_t> seen;
  std::vector<uint64_t> seqs;  // Of the frames in which they were.
  base::Result<JournalRecovery> recovered;
};

TEST_F(StoreTest, WhatWasSaidToBeDurableIsThereAfterARestart) {
  auto store = opened();
  store->start(heard.callbacks());
  for (uint64_t turn = 1; turn <= 200; ++turn) store->submit(turn, effects_of(turn));
  ASSERT_TRUE(heard.wait_for_turn(200));
  ASSERT_TRUE(store->stop().has_value());
  store.reset();
  store = opened();
  ASSERT_TRUE(recovered.has_value());
  EXPECT_TRUE(recovered->clean_shutdown);
  ASSERT_EQ(seen.size(), 200U);
  for (uint64_t turn = 1; turn <= 200; ++turn) EXPECT_EQ(seen[turn - 1], turn);
}

TEST_F(StoreTest, StopMakesAllDurable) {
  auto store = opened();
  store->start(heard.callbacks());
  for (uint64_t turn = 1; turn <= 50; ++turn) store->submit(turn, effects_of(turn));
  ASSERT_TRUE(store->stop().has_value());
  EXPECT_EQ(heard.turn(), 50U);
}

TEST_F(StoreTest, WhatComesWhileASyncRunsIsOneFrame) {
  GatedJournal::Gate gate;
  Store store(std::make_unique<GatedJournal>(gate), clock);
  ASSERT_TRUE(store.recover({}).has_value());
  store.start(heard.callbacks());
  store.submit(1, effects_of(1));
  ASSERT_TRUE(gate.wait_for_ask(1));
  EXPECT_EQ(store.seq_next(), 2U);
  EXPECT_FALSE(store.idle());
  store.submit(2, effects_of(2));
  store.submit(3, effects_of(3));
  store.submit(4, {});
  EXPECT_EQ(heard.turn(), 0U) << "nothing is durable before the sync";
  gate.allow(1'000);
  ASSERT_TRUE(heard.wait_for_turn(4));
  ASSERT_TRUE(store.stop().has_value());
  ASSERT_GE(gate.frames.size(), 2U);
  EXPECT_EQ(gate.frames[0], (std::pair<uint64_t, size_t>{1, effects_of(1).size()}));
  EXPECT_EQ(gate.frames[1], (std::pair<uint64_t, size_t>{2, 2 * effects_of(2).size()}));
}

TEST_F(StoreTest, ACommitIsDurableWhenItReturns) {
  auto store = opened();
  store->start(heard.callbacks());
  store->commit(1, effects_of(1));
  EXPECT_EQ(heard.turn(), 1U);
  EXPECT_GE(disk.durable_seq(), 1U);
  EXPECT_TRUE(store->idle());
  store->submit(2, effects_of(2));
  ASSERT_TRUE(heard.wait_for_turn(2));
  ASSERT_TRUE(store->stop().has_value());
  store.reset();
  store = opened();
  EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2}));
}

TEST_F(StoreTest, AnEmptyFrameFollowsACommit) {
  GatedJournal::Gate gate;
  gate.allow(1'000);
  Store store(std::make_unique<GatedJournal>(gate), clock);
  ASSERT_TRUE(store.recover({}).has_value());
  store.start(heard.callbacks());
  store.commit(1, effects_of(1));
  ASSERT_TRUE(gate.wait_for_ask(2));
  ASSERT_TRUE(store.stop().has_value());
  ASSERT_EQ(gate.frames.size(), 2U);
  EXPECT_EQ(gate.frames[1], (std::pair<uint64_t, size_t>{2, 0}));
}

TEST_F(StoreTest, ACommitThatMeetsAnIdleFrameIsLeftToTheCommitThread) {
  GatedJournal::Gate gate;
  gate.allow(1);
  Store store(std::make_unique<GatedJournal>(gate), clock);
  ASSERT_TRUE(store.recover({}).has_value());
  store.start(heard.callbacks());
  store.commit(1, effects_of(1));
  ASSERT_TRUE(gate.wait_for_ask(2)) << "the idle frame";
  store.commit(2, effects_of(2));
  EXPECT_EQ(heard.turn(), 1U);
  gate.allow(1'000);
  ASSERT_TRUE(heard.wait_for_turn(2));
  ASSERT_TRUE(store.stop().has_value());
  ASSERT_GE(gate.frames.size(), 3U);
  EXPECT_EQ(gate.frames[2], (std::pair<uint64_t, size_t>{3, effects_of(2).size()}));
}

TEST_F(StoreTest, ACommitForWhichThereIsNoRoomIsLeftToTheCommitThread) {
  auto store = opened();
  store->start(heard.callbacks());
  disk.set_level(DiskLevel::kFull);
  EXPECT_FALSE(store->is_quick());
  store->commit(1, effects_of(1));
  EXPECT_EQ(heard.turn(), 0U);
  EXPECT_FALSE(store->idle());
  store->submit(2, effects_of(2));
  disk.set_level(DiskLevel::kFine);
  ASSERT_TRUE(heard.wait_for_turn(2));
  ASSERT_TRUE(store->stop().has_value());
  store.reset();
  store = opened();
  EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2}));
}

TEST_F(StoreTest, AFailedCommitIsToldOnceAndNothingIsDurableAfterIt) {
  auto store = opened();
  disk.fail_append(2, MemoryDisk::FrameFate::kUnsynced);
  store->start(heard.callbacks());
  store->commit(1, effects_of(1));
  store->commit(2, effects_of(2));
  ASSERT_TRUE(heard.error().has_value());
  EXPECT_EQ(heard.error()->code, base::ErrorCode::kIo);
  store->submit(3, effects_of(3));
  EXPECT_TRUE(store->stop().has_value());
  EXPECT_EQ(heard.turn(), 1U);
}

TEST_F(StoreTest, ATurnWithoutEffectsIsDurableAfterThoseBeforeIt) {
  GatedJournal::Gate gate;
  Store store(std::make_unique<GatedJournal>(gate), clock);
  ASSERT_TRUE(store.recover({}).has_value());
  store.start(heard.callbacks());
  store.submit(1, effects_of(1));
  ASSERT_TRUE(gate.wait_for_ask(1));
  store.submit(2, {});
  EXPECT_EQ(heard.turn(), 0U);
  gate.allow(1'000);
  EXPECT_TRUE(heard.wait_for_turn(2));
  ASSERT_TRUE(store.stop().has_value());
}

TEST_F(StoreTest, FramesGoOnlyOnceTheTurnThatFreesThemIsDurable) {
  GatedJournal::Gate gate;
  Store store(std::make_unique<GatedJournal>(gate), clock);
  ASSERT_TRUE(store.recover({}).has_value());
  store.start(heard.callbacks());
  gate.allow(1);
  store.submit(1, effects_of(1));
  ASSERT_TRUE(heard.wait_for_turn(1));
  store.submit(2, effects_of(2), 2);
  ASSERT_TRUE(gate.wait_for_ask(2));
  {
    const std::lock_guard lock(gate.mutex);
    EXPECT_EQ(gate.trimmed_before, 0U);
  }
  gate.allow(1'000);
  ASSERT_TRUE(store.stop().has_value());
  EXPECT_EQ(gate.trimmed_before, 2U);
}

// Turns come and are cut while the first frame is being synced.
class StoreCutTest : public StoreTest {
 protected:
  void begin() {
    store_ = std::make_unique<Store>(std::make_unique<GatedJournal>(gate_), clock);
    ASSERT_TRUE(store_->recover({}).has_value());
    store_->start(heard.callbacks());
  }
  void begin_with_a_frame_being_written() {
    begin();
    store_->submit(1, effects_of(1));
    ASSERT_TRUE(gate_.wait_for_ask(1));
  }
  // Lets all be written, and returns of how many turns the effects are in each frame.
  std::vector<size_t> turns_by_frame() {
    gate_.allow(1'000);
    EXPECT_TRUE(store_->stop().has_value());
    std::vector<size_t> turns;
    for (const auto& [seq, bytes] : gate_.frames) {
      EXPECT_EQ(seq, turns.size() + 1);
      turns.push_back(bytes / effects_of(1).size());
    }
    return turns;
  }

  GatedJournal::Gate gate_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreCutTest, BeforeAnythingCameACutLiesBeforeTheFirstFrame) {
  begin();
  EXPECT_EQ(store_->cut(), 0U);
  EXPECT_EQ(store_->seq_next(), 1U);
  EXPECT_EQ(store_->durable_seq(), 0U);
  store_->submit(1, effects_of(1));
  EXPECT_EQ(turns_by_frame().at(0), 1U);
}

TEST_F(StoreCutTest, ACutLiesBehindTheFrameThatIsBeingWritten) {
  begin_with_a_frame_being_written();
  EXPECT_EQ(store_->cut(), 1U);
  EXPECT_EQ(store_->durable_seq(), 0U);
  store_->submit(2, effects_of(2));
  EXPECT_EQ(store_->seq_next(), 2U);
  gate_.allow(1'000);
  ASSERT_TRUE(heard.wait_for_turn(2));
  EXPECT_GE(store_->durable_seq(), 2U);
  const std::vector<size_t> turns = turns_by_frame();
  ASSERT_GE(turns.size(), 2U);
  EXPECT_EQ(turns[1], 1U);
}

TEST_F(StoreCutTest, WhatComesAfterACutIsInTheNextFrame) {
  begin_with_a_frame_being_written();
  store_->submit(2, effects_of(2));
  store_->submit(3, effects_of(3));
  EXPECT_EQ(store_->cut(), 2U);
  EXPECT_EQ(store_->seq_next(), 3U);
  store_->submit(4, effects_of(4));
  store_->submit(5, effects_of(5));
  store_->submit(6, effects_of(6));
  EXPECT_EQ(store_->seq_next(), 3U);
  EXPECT_EQ(store_->cut(), 3U);
  store_->submit(7, effects_of(7));
  EXPECT_FALSE(store_->idle());
  gate_.allow(1'000);
  ASSERT_TRUE(heard.wait_for_turn(7));
  const std::vector<size_t> turns = turns_by_frame();
  ASSERT_GE(turns.size(), 4U);
  EXPECT_EQ((std::vector<size_t>(turns.begin(), turns.begin() + 4)),
            (std::vector<size_t>{1, 2, 3, 1}));
}

TEST_F(StoreCutTest, ASecondCutWithNothingBetweenIsTheSameOne) {
  begin_with_a_frame_being_written();
  store_->submit(2, effects_of(2));
  EXPECT_EQ(store_->cut(), 2U);
  EXPECT_EQ(store_->cut(), 2U);
  store_->submit(3, effects_of(3));
  EXPECT_EQ(store_->cut(), 3U);
  const std::vector<size_t> turns = turns_by_frame();
  ASSERT_GE(turns.size(), 3U);
  EXPECT_EQ(turns[2], 1U);
}

TEST_F(StoreCutTest, TurnsWithoutEffectsTakeNoSequence) {
  begin_with_a_frame_being_written();
  store_->submit(2, {});
  EXPECT_EQ(store_->cut(), 1U);
  EXPECT_EQ(store_->seq_next(), 2U);
  store_->submit(3, effects_of(3));
  EXPECT_EQ(store_->cut(), 2U);
  store_->submit(4, {});
  EXPECT_EQ(store_->cut(), 2U);
  gate_.allow(1'000);
  ASSERT_TRUE(heard.wait_for_turn(4));
  EXPECT_GE(store_->durable_seq(), 2U);
  EXPECT_EQ(turns_by_frame().at(1), 1U);
}

TEST_F(StoreCutTest, ACommitAfterACutIsInTheNextFrame) {
  begin();
  gate_.allow(1'000);
  store_->commit(1, effects_of(1));
  const uint64_t cut = store_->cut();
  EXPECT_GE(cut, 1U);
  EXPECT_EQ(store_->durable_seq(), cut);
  store_->commit(2, effects_of(2));
  const std::vector<size_t> turns = turns_by_frame();
  ASSERT_GT(turns.size(), cut);
  EXPECT_EQ(std::count(turns.begin() + static_cast<ptrdiff_t>(cut), turns.end(), 1), 1);
}

TEST_F(StoreCutTest, EachFrameOfTheQueueFreesWhatItsTurnsSaid) {
  begin_with_a_frame_being_written();
  store_->submit(2, effects_of(2), 1);
  store_->cut();
  store_->submit(3, effects_of(3), 2);
  gate_.allow(2);
  ASSERT_TRUE(gate_.wait_for_ask(3));
  {
    const std::lock_guard lock(gate_.mutex);
    EXPECT_EQ(gate_.trimmed_before, 1U);
  }
  turns_by_frame();
  EXPECT_EQ(gate_.trimmed_before, 2U);
}

// What is cut counts together: each frame alone would be below the bound.
TEST_F(StoreCutTest, WhoSubmitsWaitsForTheWholeQueue) {
  begin_with_a_frame_being_written();
  const std::string large = effects_of(1) + std::string(size_t{5} << 20, 'x');
  for (uint64_t turn = 2; turn <= 3; ++turn) {
    store_->submit(turn, std::string(large));
    store_->cut();
  }
  std::atomic<bool> taken{false};
  std::thread other([&] {
    store_->submit(4, effects_of(4));
    taken = true;
  });
  EXPECT_FALSE(taken) << "and nothing can have made room";
  gate_.allow(1'000);
  other.join();
  EXPECT_TRUE(heard.wait_for_turn(4));
  turns_by_frame();
  EXPECT_EQ(gate_.frames[3].second, effects_of(4).size());
}

TEST_F(StoreTest, ACutCountsTheFrameThatWaitsForRoom) {
  auto store = opened();
  store->start(heard.callbacks());
  disk.set_level(DiskLevel::kFull);
  store->commit(1, effects_of(1));
  EXPECT_EQ(store->cut(), 1U);
  store->submit(2, effects_of(2));
  EXPECT_EQ(store->cut(), 2U);
  EXPECT_EQ(store->durable_seq(), 0U);
  disk.set_level(DiskLevel::kFine);
  ASSERT_TRUE(heard.wait_for_turn(2));
  EXPECT_GE(store->durable_seq(), 2U);
  ASSERT_TRUE(store->stop().has_value());
  const uint64_t durable = store->durable_seq();
  store.reset();
  store = opened();
  EXPECT_EQ(store->durable_seq(), durable);
  EXPECT_EQ(store->cut(), durable);
}

// The last frame before a pause is proven to be synced by an empty one.
TEST_F(StoreTest, AnEmptyFrameFollowsTheLastOneWhenNothingComes) {
  GatedJournal::Gate gate;
  gate.allow(1'000);
  Store store(std::make_unique<GatedJournal>(gate), clock);
  ASSERT_TRUE(store.recover({}).has_value());
  store.start(heard.callbacks());
  store.submit(1, effects_of(1));
  ASSERT_TRUE(gate.wait_for_ask(2));
  ASSERT_TRUE(store.stop().has_value());
  EXPECT_EQ(store.seq_next(), 3U);
  ASSERT_EQ(gate.frames.size(), 2U) << "one, not one after another";
  EXPECT_EQ(gate.frames[1], (std::pair<uint64_t, size_t>{2, 0}));
}

TEST_F(StoreTest, WhatTheNextAppendsNeedIsPreparedWhileNothingComes) {
  GatedJournal::Gate gate;
  gate.allow(1'000);
  gate.prepare_steps = 2;
  Store store(std::make_unique<GatedJournal>(gate), clock);
  ASSERT_TRUE(store.recover({}).has_value());
  store.start(heard.callbacks());
  EXPECT_TRUE(gate.wait_for_prepared(2));
  ASSERT_TRUE(store.stop().has_value());
}

TEST_F(StoreTest, AFailedAppendIsToldOnceAndNothingIsDurableAfterIt) {
  auto store = opened();
  disk.fail_append(2, MemoryDisk::FrameFate::kUnsynced);
  store->start(heard.callbacks());
  store->submit(1, effects_of(1));
  ASSERT_TRUE(heard.wait_for_turn(1));
  store->submit(2, effects_of(2));
  ASSERT_TRUE(heard.wait_for_failure());
  EXPECT_EQ(heard.error()->code, base::ErrorCode::kIo);
  for (uint64_t turn = 3; turn <= 10; ++turn) store->submit(turn, effects_of(turn));
  EXPECT_TRUE(store->stop().has_value());
  EXPECT_EQ(heard.turn(), 1U);
}

TEST_F(StoreTest, AFullDiskIsWaitedFor) {
  auto store = opened();
  store->start(heard.callbacks());
  disk.set_level(DiskLevel::kFull);
  store->submit(1, effects_of(1));
  store->submit(2, effects_of(2));
  EXPECT_EQ(heard.turn(), 0U);
  disk.set_level(DiskLevel::kFine);
  EXPECT_TRUE(heard.wait_for_turn(2));
  EXPECT_FALSE(heard.error().has_value());
  ASSERT_TRUE(store->stop().has_value());
  store.reset();
  store = opened();
  EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2}));
}

TEST_F(StoreTest, AStopDoesNotWaitForAFullDisk) {
  auto store = opened();
  store->start(heard.callbacks());
  disk.set_level(DiskLevel::kFull);
  store->submit(1, effects_of(1));
  store->give_up_waiting();
  EXPECT_FALSE(store->wait_idle());
  EXPECT_TRUE(store->stop());
  ASSERT_TRUE(heard.error().has_value());
  EXPECT_EQ(heard.error()->code, base::ErrorCode::kDiskFull);
  EXPECT_EQ(heard.turn(), 0U);
}

// Whoever waits has to know before the one who ends the process does: what it would do meanwhile,
// such as a last flush, would have what the journal lacks.
TEST_F(StoreTest, AJournalThatFailedIsNotTakenForOneThatIsDone) {
  auto store = opened();
  std::promise<void> is_failing;
  std::promise<void> may_end;
  store->start({.durable = [](uint64_t) {},
                .failed =
                    [&](const base::Error&) {
                      is_failing.set_value();
                      may_end.get_future().wait();
                    }});
  EXPECT_TRUE(store->wait_idle());
  disk.fail_append(1, MemoryDisk::FrameFate::kLost);
  store->submit(1, effects_of(1));
  is_failing.get_future().wait();
  EXPECT_FALSE(store->wait_idle());
  may_end.set_value();
  EXPECT_TRUE(store->stop());
}

TEST_F(StoreTest, AFrameThatIsNoEffectsRefusesTheStart) {
  {
    MemoryJournal journal(disk);
    ASSERT_TRUE(journal.open([](uint64_t, std::span<const std::byte>) { return base::Status{}; })
                    .has_value());
    const std::string_view junk = "\xff junk";
    ASSERT_TRUE(journal.append(1, std::as_bytes(std::span(junk))).has_value());
  }
  opened();
  ASSERT_FALSE(recovered.has_value());
  EXPECT_EQ(recovered.error().code, base::ErrorCode::kCorrupt);
  EXPECT_TRUE(recovered.error().message.starts_with("frame 1: ")) << recovered.error().message;
}

}  // namespace
}  // namespace store
