// A server inside a test, on a thread of its own, over a journal in memory whose appends the test
// can hold up.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "engine/engine.h"
#include "server/server.h"
#include "server/test_connection.h"
#include "store/memory/memory_journal.h"
#include "store/memory/memory_tables.h"

namespace server {

// Lets appends through, or holds them. Threading: any.
class Gate {
 public:
  void close();
  void open();
  bool is_closed() const;
  // Called by an append: waits while the gate is closed.
  void pass();
  // Waits until an append stands at the closed gate.
  void wait_for_append();

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  bool waited_for_ = false;
};

// A token for one to take.
inline constexpr const char* kToken = "0123456789abcdef-token";

class LiveServer {
 public:
  // `namespaces`: beside the default one.
  explicit LiveServer(std::string token = {}, const ConnectionLimits& limits = {},
                      const std::vector<std::string>& namespaces = {});
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;
  ~LiveServer();

  const std::string& address() const { return address_; }
  const std::string& http_address() const { return http_address_; }
  engine::BufferGauge& gauge() { return gauge_; }
  // Of the default namespace, or of another one by its place.
  const engine::EngineCounters& counters(size_t at = 0) { return homes_[at].engine->counters(); }
  uint64_t frames() { return homes_[0].engine->store_counters().frames.load(); }
  Gate& gate(size_t at = 0) { return homes_[at].gate; }

  void request_stop() { server_.request_stop(); }
  // Waits until the server has ended. Returns its exit code.
  int join();

 private:
  // A namespace, with all that its engine needs for itself.
  struct Home final : Renewal {
    Home(const base::Clock& clock_of_all, engine::BufferGauge& gauge_of_all);
    std::unique_ptr<engine::Engine> make_engine();
    engine::Engine& replace() override;
    Renewed renew() override;

    struct Disk {
      store::MemoryDisk journal;
      store::MemoryRows rows;
    };
    const base::Clock& clock;
    engine::BufferGauge& buffers;
    Gate gate;
    base::SystemRandom random;
    std::deque<Disk> disks;  // Of the engines one after the other.
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<engine::Engine> old;
  };

  std::vector<Served> make_homes(const std::vector<std::string>& namespaces);

  base::SystemClock clock_;
  engine::BufferGauge gauge_;
  std::deque<Home> homes_;  // The default one first.
  auth::Roll roll_;
  AuditLog audit_log_;
  Server server_;
  std::string address_;
  std::string http_address_;
  int exit_code_ = -1;
  std::thread thread_;
};

}  // namespace server
