// A server inside a test, on a thread of its own, over a journal in memory whose appends the test
// can hold up.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

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

class LiveServer {
 public:
  explicit LiveServer(std::string token = {}, const ConnectionLimits& limits = {});
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;
  ~LiveServer();

  const std::string& address() const { return address_; }
  const std::string& http_address() const { return http_address_; }
  engine::Engine& engine() { return engine_; }
  const engine::EngineCounters& counters() const { return engine_.counters(); }
  uint64_t frames() { return engine_.store_counters().frames.load(); }
  Gate& gate() { return gate_; }

  void request_stop() { server_.request_stop(); }
  // Waits until the server has ended. Returns its exit code.
  int join();

 private:
  Gate gate_;
  store::MemoryDisk disk_;
  store::MemoryRows rows_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  engine::Engine engine_;
  auth::Roll roll_;
  AuditLog audit_log_;
  Server server_;
  std::string address_;
  std::string http_address_;
  int exit_code_ = -1;
  std::thread thread_;
};

}  // namespace server
