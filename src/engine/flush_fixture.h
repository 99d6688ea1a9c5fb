// For tests of flushes, restarts and records that are not in memory: a machine beside tables in
// memory, driven as the engine drives it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/machine_fixture.h"
#include "store/effect_codec.h"
#include "store/job_codec.h"
#include "store/memory/memory_tables.h"  // tidy: allow include because only tests include this file

namespace engine {

class FlushFixture : public MachineFixture {
 protected:
  FlushFixture() { EXPECT_TRUE(tables.open().has_value()); }
  ~FlushFixture() override {
    reader.reset();
    EXPECT_TRUE(tables.close().has_value());
  }

  // Takes what is left of the flush and applies it.
  void finish_flush(uint64_t memory_max = UINT64_MAX) {
    std::unique_ptr<store::ChangeSet> set;
    while (set == nullptr) set = machine.flush_slice();
    apply_set(*set);
    machine.begin(now);
    machine.flush_done(memory_max, seq);
    machine.take_effects();
  }
  void apply_set(store::ChangeSet& set) {
    const store::Changes changes = set.finish(++seq);
    rows_put = changes.rows.size();
    rows_erased = changes.erased.size();
    ASSERT_TRUE(tables.apply(changes).has_value());
  }
  void flush(uint64_t memory_max = UINT64_MAX) {
    machine.begin_flush();
    finish_flush(memory_max);
  }
  // Every record that can leave memory has left it.
  void make_cold() { flush(0); }
  // One turn in which the records that were asked for come. Returns what was answered in it.
  std::vector<Request*> load() {
    std::vector<core::JobId> ids = machine.take_wants();
    for (const auto& together : machine.take_wants_together()) {
      ids.insert(ids.end(), together.begin(), together.end());
    }
    machine.begin(now);
    if (!ids.empty()) {
      EXPECT_TRUE(fresh_reader()
                      .read(ids,
                            [&](core::JobId id, const base::Result<store::JobRow>& row) {
                              machine.bring_in(
                                  id, row ? store::decode_row(*row) : tl::unexpected(row.error()));
                              return base::Status();
                            })
                      .has_value());
    }
    while (machine.apply_due(100)) {
    }
    machine.retry_parked();
    return end_turn();
  }
  // A machine that has started from the tables and the effects behind them.
  std::unique_ptr<Machine> restarted(std::string_view behind = {}) {
    auto copy = std::make_unique<Machine>(random, core::limits::kHistoryBytesMax);
    const base::Status begun = copy->begin_recovery(&fresh_reader(), seq);
    EXPECT_TRUE(begun.has_value()) << begun.error().message;
    if (!behind.empty()) {
      const base::Status replayed = copy->replay(behind);
      EXPECT_TRUE(replayed.has_value()) << replayed.error().message;
    }
    EXPECT_TRUE(copy->end_recovery(now).has_value());
    return copy;
  }
  // A machine made of nothing but effects.
  std::unique_ptr<Machine> replayed(std::string_view all) {
    auto copy = std::make_unique<Machine>(random, core::limits::kHistoryBytesMax);
    EXPECT_TRUE(copy->begin_recovery(nullptr).has_value());
    EXPECT_TRUE(copy->replay(all).has_value());
    EXPECT_TRUE(copy->end_recovery(now).has_value());
    return copy;
  }
  // All that is stored of a job, and where it stands. What is not in memory is read.
  std::string told(Machine& of, const core::Job& job) {
    if (!job.record) {
      EXPECT_TRUE(fresh_reader()
                      .read(std::vector{job.id},
                            [&](core::JobId id, const base::Result<store::JobRow>& row) {
                              of.bring_in(id, store::decode_row(row.value()));
                              return base::Status();
                            })
                      .has_value());
    }
    std::string bytes;
    store::ByteWriter out(bytes);
    store::encode_job(out, job);
    return bytes + " " + job.queue->name + " " + job.type->name;
  }
  std::string told(Machine& of, uint64_t id) { return told(of, *of.state().find(core::JobId{id})); }
  // Both have the same, as far as it is stored.
  void expect_same(Machine& a, Machine& b) {
    ASSERT_EQ(a.state().jobs().size(), b.state().jobs().size());
    a.state().jobs().for_each([&](const core::Job& job) {
      const core::Job* same = b.state().find(job.id);
      ASSERT_NE(same, nullptr) << "job " << job.id.value;
      EXPECT_EQ(told(a, job), told(b, *same)) << "job " << job.id.value;
    });
    EXPECT_EQ(a.state().id_next(), b.state().id_next());
    EXPECT_EQ(a.state().ready_seq_next(), b.state().ready_seq_next());
    EXPECT_EQ(a.state().timers().size(), b.state().timers().size());
    EXPECT_EQ(a.state().wall_timers().size(), b.state().wall_timers().size());
    ASSERT_EQ(a.state().queues().size(), b.state().queues().size());
    for (const auto& queue : a.state().queues()) {
      const core::Queue& same = *b.state().find_queue(queue->name);
      EXPECT_EQ(queue->counters, same.counters) << queue->name;
      EXPECT_EQ(queue->jobs, same.jobs) << queue->name;
      EXPECT_EQ(queue->paused, same.paused);
      EXPECT_EQ(queue->pause_reason, same.pause_reason);
      EXPECT_EQ(queue->settings, same.settings);
      EXPECT_EQ(ids_of(*queue), ids_of(same)) << queue->name;
    }
    EXPECT_EQ(told_keys(a), told_keys(b));
    EXPECT_EQ(told_pauses(a), told_pauses(b));
  }
  static std::string told_keys(Machine& of) {
    std::string text = fmt::format("{} bytes", of.state().keys().bytes());
    of.state().keys().walk(0, [&](std::string_view name, const core::Keys::Entry& entry) {
      text += fmt::format("\n{} '{}' {} {}", name, entry.value,
                          static_cast<int>(entry.expiry.clock), entry.expiry.ms);
      if (!entry.hash) return true;
      for (const auto& [field, value] : entry.hash->fields) {
        text += fmt::format(" {}={}", field, value);
      }
      return true;
    });
    return text;
  }
  static std::string told_pauses(Machine& of) {
    std::string text = fmt::format("{} pauses", of.state().type_pauses().count());
    for (const auto& type : of.state().types()) {
      if (type->paused) text += fmt::format("\n{} '{}'", type->name, type->pause_reason);
      for (const core::TypeName::Pause& pause : type->paused_in) {
        EXPECT_TRUE(pause.queue->ready.holds(*type));
        text += fmt::format("\n{} in {} '{}'", type->name, pause.queue->name, pause.reason);
      }
    }
    return text;
  }
  static std::vector<uint64_t> ids_of(const core::Queue& queue) {
    std::vector<uint64_t> ids;
    for (const core::Job* job : queue.ready.in_order()) ids.push_back(job->id.value);
    return ids;
  }
  core::Job& job(uint64_t id) { return *machine.state().find(core::JobId{id}); }
  store::TablesReader& fresh_reader() {
    reader = tables.make_reader().value();
    return *reader;
  }

  store::MemoryRows disk;
  store::MemoryTables tables{disk};
  std::unique_ptr<store::TablesReader> reader;
  uint64_t seq = 0;        // Of the last flush.
  size_t rows_put = 0;     // By it.
  size_t rows_erased = 0;  // The same.
};

}  // namespace engine
