// For tests of the engine with its threads: tables whose applies can be held up, a disk in memory,
// and a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "store/memory/memory_journal.h"  // tidy: allow include because tests alone use this
#include "store/memory/memory_tables.h"   // tidy: allow include because tests alone use this

namespace engine {

inline constexpr std::chrono::seconds kPatience{20};

// Tables in memory whose applies a test can hold up, refuse and wait for.
class GatedTables final : public store::Tables {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool closed = false;                    // Guarded by mutex, like the others.
    std::optional<base::ErrorCode> answer;  // Of all applies.
    int applies = 0;

    void set_closed(bool is_closed) {
      const std::lock_guard lock(mutex);
      closed = is_closed;
      changed.notify_all();
    }
    void refuse(std::optional<base::ErrorCode> with) {
      const std::lock_guard lock(mutex);
      answer = with;
    }
    bool wait_for_applies(int count) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, kPatience, [&] { return applies >= count; });
    }
  };

  GatedTables(store::MemoryRows& rows, Gate& gate) : tables_(rows), gate_(gate) {}

  base::Result<store::TablesSummary> open() override { return tables_.open(); }
  base::Status apply(const store::Changes& changes) override {
    {
      std::unique_lock lock(gate_.mutex);
      ++gate_.applies;
      gate_.changed.notify_all();
      gate_.changed.wait(lock, [this] { return !gate_.closed; });
      if (gate_.answer) return base::fail(*gate_.answer, "as the test said");
    }
    return tables_.apply(changes);
  }
  base::Result<std::unique_ptr<store::TablesReader>> make_reader() override {
    return tables_.make_reader();
  }
  base::Status close() override { return tables_.close(); }

 private:
  store::MemoryTables tables_;
  Gate& gate_;
};

// The engine with its threads, on a disk in memory and a clock that the test moves.
class EngineTest : public testing::Test {
 protected:
  ~EngineTest() override { stop(); }

  base::Result<RecoverySummary> open(store::MemoryDisk& of_journal, store::MemoryRows& of_tables,
                                     uint64_t budget_bytes = store::MemoryJournal::kBudgetBytes) {
    engine = std::make_unique<Engine>(
        std::make_unique<store::MemoryJournal>(of_journal, budget_bytes),
        std::make_unique<GatedTables>(of_tables, gate), clock, random, buffers);
    return engine->recover();
  }
  void start(uint64_t budget_bytes = store::MemoryJournal::kBudgetBytes) {
    const auto recovered = open(disk, rows, budget_bytes);
    ASSERT_TRUE(recovered.has_value()) << recovered.error().message;
    summary = *recovered;
    engine->start([this](std::vector<Request*>&& requests) { hear(requests); },
                  [this](const base::Error& error) { hear_failure(error); });
  }
  void stop() {
    if (!engine) return;
    EXPECT_TRUE(engine->stop().has_value());
    engine.reset();
  }

  Request& make(core::CommandBody body, uint64_t session = 1) {
    Request& request = requests.emplace_back();
    request.session = session;
    request.order = &orders[session];
    request.command.body = std::move(body);
    return request;
  }
  void send(Request& request) {
    Request* one = &request;
    ASSERT_TRUE(engine->submit({&one, 1}).empty());
  }
  bool answered(Request& request) {
    std::unique_lock lock(mutex);
    return heard_more.wait_for(lock, kPatience, [&] { return heard.contains(&request); });
  }
  bool is_answered(Request& request) {
    const std::lock_guard lock(mutex);
    return heard.contains(&request);
  }
  // Sends it and waits for the answer.
  Request& ask(core::CommandBody body, uint64_t session = 1) {
    Request& request = make(std::move(body), session);
    send(request);
    EXPECT_TRUE(answered(request));
    return request;
  }
  // The error's word, or nothing.
  static std::string_view error_of(const Request& request) {
    core::ReplyReader reader(request.answer.reply.tape());
    if (reader.tag() != core::ReplyTag::kError) return {};
    return base::error_word(reader.code());
  }
  static core::Push push_of(std::string_view args = "{}") {
    core::Push push;
    push.spec.queue = "q";
    push.spec.type = "t";
    push.spec.args = args;
    return push;
  }
  static core::Fetch fetch_of(std::optional<int64_t> block_ms = std::nullopt) {
    core::Fetch fetch;
    fetch.worker = "w";
    fetch.queues = {"q"};
    fetch.block_ms = block_ms;
    return fetch;
  }

  store::MemoryDisk disk;
  store::MemoryRows rows;
  GatedTables::Gate gate;
  base::ManualClock clock;
  base::SeededRandom random{1};
  BufferGauge buffers;
  std::unique_ptr<Engine> engine;
  RecoverySummary summary;
  std::deque<Request> requests;
  std::map<uint64_t, SessionOrder> orders;

  std::mutex mutex;
  std::condition_variable heard_more;
  std::set<Request*> heard;     // Guarded by mutex, like those below.
  std::vector<Request*> order;  // Of what was heard.
  std::thread::id heard_on;     // The last time.
  std::optional<base::Error> failure;
  uint64_t durable_when_heard = 0;
  bool watch_disk = false;  // Only while all answers come from the commit thread.

  void hear(const std::vector<Request*>& released) {
    {
      const std::lock_guard lock(mutex);
      heard.insert(released.begin(), released.end());
      order.insert(order.end(), released.begin(), released.end());
      heard_on = std::this_thread::get_id();
      if (watch_disk) durable_when_heard = disk.durable_seq();
    }
    heard_more.notify_all();
  }

 private:
  void hear_failure(const base::Error& error) {
    {
      const std::lock_guard lock(mutex);
      failure = error;
    }
    heard_more.notify_all();
  }
};

}  // namespace engine
