#include "engine/checkpoint.h"

#include <algorithm>

#include "engine/machine_fixture.h"
#include "store/effect_codec.h"

namespace engine {
namespace {

class CheckpointTest : public MachineFixture {
 protected:
  // Writes all slices; returns the sequence before which frames may go, and what was written.
  std::pair<uint64_t, std::string> written(uint64_t begin_seq) {
    machine.begin_checkpoint(begin_seq);
    std::string bytes;
    for (int slices = 0; machine.in_checkpoint(); ++slices) {
      EXPECT_LT(slices, 1'000);
      machine.begin(now);
      const auto done = machine.checkpoint_slice();
      bytes += machine.take_effects();
      EXPECT_EQ(done.has_value(), !machine.in_checkpoint());
      if (done) return {*done, bytes};
    }
    return {0, bytes};
  }
  std::unique_ptr<Machine> replayed(std::string_view bytes) {
    auto copy = std::make_unique<Machine>(random, core::limits::kHistoryBytesMax);
    copy->begin_recovery();
    const base::Status read = store::decode_effects(
        bytes,
        [&](core::Effect&& effect, base::Now at) { return copy->replay(std::move(effect), at); });
    EXPECT_TRUE(read.has_value());
    EXPECT_TRUE(copy->end_recovery(now).has_value());
    return copy;
  }
};

TEST_F(CheckpointTest, TellsAllThatLivesWithoutOlderFrames) {
  for (int i = 0; i < 3'000; ++i) push(i % 3 == 0 ? "a" : "b");
  core::Push named = push_of();
  named.spec.has_request = true;
  named.spec.request = "r";
  turn(make(named));
  named.spec.has_request = false;
  named.spec.has_producer = true;
  named.spec.producer = "p";
  named.spec.producer_seq = 9;
  turn(make(named));
  Request& fetch = make(fetch_of({"a"}));
  turn(fetch);
  const auto [id, token] = fetch.answer.grants.at(0);
  const core::AckItem ack{ref(id.value), {token, true}, {}, false};
  turn(make(core::Ack{ack}));
  turn(make(core::Bulk{core::BulkVerb::kDelete, false, {ref(id.value)}}));
  turn(make(core::QueuePause{"b", "fire"}));

  const auto [seq, bytes] = written(17);
  EXPECT_EQ(seq, 17U);
  const auto copy = replayed(bytes);
  const core::State& state = copy->state();
  EXPECT_EQ(state.jobs().size(), machine.state().jobs().size());
  EXPECT_EQ(state.live_bytes(), machine.state().live_bytes());
  EXPECT_EQ(state.id_next(), machine.state().id_next());
  EXPECT_EQ(state.ready_seq_next(), machine.state().ready_seq_next());
  EXPECT_TRUE(state.requests().find("r", now.engine).has_value());
  EXPECT_EQ(state.producers().size(), 1U);
  EXPECT_TRUE(state.ledger().find(id, token.fence, now.engine).has_value());
  EXPECT_TRUE(state.find_queue("b")->paused);
  EXPECT_EQ(state.find_queue("b")->pause_reason, "fire");
  for (const auto& queue : machine.state().queues()) {
    const core::Queue& same = *state.find_queue(queue->name);
    EXPECT_EQ(same.counters, queue->counters);
    EXPECT_TRUE(std::ranges::equal(
        same.ready.in_order(), queue->ready.in_order(), {},
        [](const core::Job* job) { return job->id; },
        [](const core::Job* job) { return job->id; }));
  }
}

TEST_F(CheckpointTest, TellsOfKeysAndTheirEndsInSlices) {
  std::vector<std::string> names;
  for (int i = 0; i < 5'000; ++i) names.push_back("k" + std::to_string(i));
  core::KeySet set;
  set.value = "v";
  for (size_t i = 0; i < names.size(); ++i) {
    set.key = names[i];
    set.life = i % 3 == 0 ? core::KeySet::Life::kFor : core::KeySet::Life::kForever;
    set.life_ms = 50 + static_cast<int64_t>(i);
    turn(make(set));
  }
  const std::string large(core::limits::kKeyValueBytesMax, 'v');
  set.value = large;
  set.life = core::KeySet::Life::kUntil;
  set.life_ms = now.wall.ms + 7;
  for (size_t i = 0; i < 5; ++i) {
    set.key = names[i];
    turn(make(set));
  }
  machine.begin_checkpoint(1);
  std::string bytes;
  size_t slices = 0;
  for (; machine.in_checkpoint(); ++slices) {
    machine.begin(now);
    machine.checkpoint_slice();
    const std::string slice = machine.take_effects();
    EXPECT_LE(slice.size(), size_t{1} << 21);
    bytes += slice;
  }
  EXPECT_GT(slices, 8U);
  const auto copy = replayed(bytes);
  const core::Keys& keys = machine.state().keys();
  EXPECT_EQ(copy->state().keys().bytes(), keys.bytes());
  for (const std::string& name : names) {
    const core::Keys::Entry* entry = copy->state().keys().find(name, now);
    ASSERT_NE(entry, nullptr) << name;
    EXPECT_EQ(entry->value, keys.find(name, now)->value);
    EXPECT_EQ(entry->expiry, keys.find(name, now)->expiry);
  }
}

TEST_F(CheckpointTest, AnEmptyStateIsACheckpointToo) {
  const auto [seq, bytes] = written(1);
  EXPECT_EQ(seq, 1U);
  EXPECT_EQ(replayed(bytes)->state().jobs().size(), 0U);
}

TEST_F(CheckpointTest, ASliceIsBounded) {
  const std::string args(10'000, 'x');
  core::Push large = push_of();
  large.spec.args = args;
  for (int i = 0; i < 4'000; ++i) turn(make(large));
  machine.begin_checkpoint(1);
  size_t slices = 0;
  while (machine.in_checkpoint()) {
    machine.begin(now);
    machine.checkpoint_slice();
    EXPECT_LE(machine.take_effects().size(), size_t{1} << 20);
    ++slices;
  }
  EXPECT_GT(slices, 40U);
}

// What changes while it runs lies in frames behind its beginning.
TEST_F(CheckpointTest, WhatHappensMeanwhileIsKept) {
  for (int i = 0; i < 50; ++i) push();
  effects.clear();
  machine.begin_checkpoint(1);
  std::string bytes;
  uint64_t next = 1;
  while (machine.in_checkpoint()) {
    push();
    cancel(next++);
    turn(make(fetch_of({"q"})));
    machine.begin(now);
    machine.checkpoint_slice();
    effects += machine.take_effects();
  }
  const auto copy = replayed(effects);
  EXPECT_EQ(copy->state().jobs().size(), machine.state().jobs().size());
  EXPECT_EQ(copy->state().find_queue("q")->counters, machine.state().find_queue("q")->counters);
}

}  // namespace
}  // namespace engine
