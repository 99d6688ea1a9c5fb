// A server for the SDK's tests: speaks RESP on a loopback port, hands out the leases it is given,
// writes down all it hears, and misbehaves where a test tells it to.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dray::detail {

using FakeWords = std::vector<std::string>;

// What the fake does with one request.
struct FakeAnswer {
  std::string bytes = {};
  bool close_after = false;  // Closes the connection when the bytes are out.
};

// Replies as they are on the wire.
std::string fake_bulk(std::string_view text);
std::string fake_array(const std::vector<std::string>& replies);
std::string fake_map(const std::vector<std::pair<std::string, std::string>>& fields);
std::string fake_integer(int64_t value);

struct FakeLease {
  std::string id = {};
  std::string token = {};
  std::string type = "send_email";
  std::string args = "{}";
  int attempt = 1;
  int64_t lease_ms = 30'000;
  int64_t timeout_ms = 0;
  int64_t soft_timeout_ms = 0;
  std::string progress = {};
};

// Threading: any thread may call any method; scripts run on the fake's own threads, one for each
// connection.
class FakeServer {
 public:
  using Script = std::function<FakeAnswer(const FakeWords& words)>;

  FakeServer();
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string url() const;

  // Answers `command` by the script from now on. Without one, HELLO, JOB.ACK, JOB.FAIL,
  // JOB.RELEASE, JOB.PROGRESS, JOB.PUSH, WORKER.BEAT and WORKER.BYE are answered as a friendly
  // server does, and JOB.FETCH from the leases of offer().
  void on(const std::string& command, Script script);
  // Leases `lease` to the next fetch that has room for it.
  void offer(FakeLease lease);

  // Ends every connection; new ones are taken.
  void cut_all();
  // Refuses new connections, or takes them again, and ends those there are.
  void set_reachable(bool reachable);

  // The requests heard so far whose first word is `command`; all without one.
  std::vector<FakeWords> heard(std::string_view command = {}) const;
  // Waits until `count` of them have been heard; false after 10 s.
  bool wait_heard(std::string_view command, size_t count) const;
  size_t connections_made() const { return made_; }

 private:
  struct Peer;

  void listen_on(uint16_t port);
  void accept_all();
  void serve(Peer& peer);
  FakeAnswer answer(const FakeWords& words, Peer& peer);
  FakeAnswer fetch(const FakeWords& words, Peer& peer);
  void close_peers();

  uint16_t port_ = 0;
  std::atomic<int> listener_{-1};
  std::atomic<size_t> made_{0};
  std::atomic<bool> ended_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, Script> scripts_;     // Guarded by mutex_.
  std::deque<FakeLease> offers_;              // Guarded by mutex_.
  std::vector<FakeWords> heard_;              // Guarded by mutex_.
  std::vector<std::unique_ptr<Peer>> peers_;  // Guarded by mutex_.
  std::thread acceptor_;
};

}  // namespace dray::detail
