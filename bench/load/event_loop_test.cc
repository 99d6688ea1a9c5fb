#include "bench/load/event_loop.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "bench/load/clock.h"
#include "bench/load/deliveries.h"
#include "bench/load/drain_workload.h"
#include "bench/load/dray_stub.h"
#include "bench/load/fill_workload.h"
#include "bench/load/latency_workload.h"
#include "bench/load/life_workload.h"
#include "bench/load/push_workload.h"

namespace load {
namespace {

constexpr int64_t kTimeoutNs = 20'000'000'000;

// A stub behind real loopback sockets, on a thread of its own.
class StubServer {
 public:
  // The first pushes, `refusals` of them, are to come again in 20 ms.
  explicit StubServer(size_t refusals = 0)
      : listener_(socket(AF_INET, SOCK_STREAM, 0)), stop_(eventfd(0, 0)) {
    stub_.refuse_pushes(refusals, 20);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_.number(), generic, size) != 0 || listen(listener_.number(), 64) != 0 ||
        getsockname(listener_.number(), generic, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~StubServer() {
    eventfd_write(stop_.number(), 1);
    thread_.join();
  }

  Endpoint endpoint() const { return {.host = "127.0.0.1", .port = port_}; }
  // Closes every connection at its first bytes.
  void hang_up() { hangs_up_ = true; }

 private:
  void serve() {
    for (;;) {
      std::vector<pollfd> polled = {{stop_.number(), POLLIN, 0}, {listener_.number(), POLLIN, 0}};
      for (const FileDescriptor& peer : peers_) polled.push_back({peer.number(), POLLIN, 0});
      poll(polled.data(), polled.size(), -1);
      if (polled[0].revents != 0) return;
      for (uint32_t i = 0; i < peers_.size(); ++i) {
        if (polled[i + 2].revents != 0) read_from(i);
      }
      for (uint32_t i = 0; i < peers_.size(); ++i) write_to(i);
      if (polled[1].revents != 0) peers_.emplace_back(accept(listener_.number(), nullptr, nullptr));
    }
  }

  void read_from(uint32_t index) {
    std::array<char, 4'096> bytes;
    const ssize_t count = recv(peers_[index].number(), bytes.data(), bytes.size(), 0);
    if (count <= 0 || hangs_up_) {
      peers_[index] = FileDescriptor();
      return;
    }
    stub_.receive(index, std::string_view(bytes.data(), static_cast<size_t>(count)), 0);
  }

  void write_to(uint32_t index) {
    const std::string output = stub_.take_output(index);
    if (output.empty()) return;
    // The loader always reads, so a blocking send ends.
    static_cast<void>(send(peers_[index].number(), output.data(), output.size(), MSG_NOSIGNAL));
  }

  FileDescriptor listener_;
  FileDescriptor stop_;
  uint16_t port_ = 0;
  std::atomic<bool> hangs_up_ = false;
  std::vector<FileDescriptor> peers_;
  DrayStub stub_;
  std::thread thread_;
};

TEST(EventLoop, RunsLivesOverRealSockets) {
  StubServer server;
  const auto driver = make_driver({.kind = "dray", .channel_count = 4, .fetch_count = 4});
  EventLoop loop(server.endpoint(), 4, *driver);
  Deliveries seen(2'000);
  LifeWorkload workload({.jobs = 2'000, .depth = 16, .waiting_max = 200, .fetch_count = 4}, seen);
  loop.run(workload, kTimeoutNs);
  EXPECT_EQ(workload.jobs_done(), 2'000U);
}

TEST(EventLoop, FillsAndDrainsOverRealSockets) {
  StubServer server(100);
  const auto driver = make_driver({.kind = "dray", .channel_count = 4});
  FillWorkload fill({.jobs = 2'000, .channel_count = 4, .depth = 16});
  EventLoop(server.endpoint(), 4, *driver).run(fill, kTimeoutNs);
  EXPECT_EQ(fill.jobs_done(), 2'000U);
  Deliveries seen(2'000);
  DrainWorkload drain({.jobs = 2'000, .depth = 16}, seen);
  EventLoop(server.endpoint(), 4, *driver).run(drain, kTimeoutNs);
  EXPECT_EQ(seen.count(), 2'000U);
}

TEST(EventLoop, EndsAFillAtItsTime) {
  StubServer server;
  const auto driver = make_driver({.kind = "dray"});
  FillWorkload fill({.jobs = 1'000'000'000, .channel_count = 1, .depth = 4, .ns_max = 50'000'000});
  const int64_t start_ns = monotonic_ns();
  EventLoop(server.endpoint(), 1, *driver).run(fill, kTimeoutNs);
  EXPECT_GE(monotonic_ns() - start_ns, 50'000'000);
  EXPECT_GT(fill.jobs_done(), 0U);
}

TEST(EventLoop, WaitsForRoomWhenTheSocketIsFull) {
  StubServer server;
  const auto driver = make_driver({.kind = "dray", .args_bytes = 60'000});
  EventLoop loop(server.endpoint(), 1, *driver);
  PushWorkload workload(400, 400);  // 24 MB at once: more than any socket buffer takes.
  loop.run(workload, kTimeoutNs);
  EXPECT_EQ(workload.jobs_done(), 400U);
}

TEST(EventLoop, KeepsASchedule) {
  StubServer server;
  const auto driver = make_driver({.kind = "dray", .channel_count = 2, .fetch_blocks = true});
  EventLoop loop(server.endpoint(), 2, *driver);
  LatencyWorkload workload({.jobs = 50, .jobs_per_second = 500});
  const int64_t start_ns = monotonic_ns();
  loop.run(workload, kTimeoutNs);
  EXPECT_EQ(workload.jobs_done(), 50U);
  EXPECT_GE(monotonic_ns() - start_ns, 98'000'000);  // The 50th push is 98 ms after the first.
}

TEST(EventLoop, ReportsAServerThatHangsUp) {
  StubServer server;
  server.hang_up();
  const auto driver = make_driver({.kind = "dray"});
  EventLoop loop(server.endpoint(), 1, *driver);
  PushWorkload workload(10, 1);
  EXPECT_THROW(loop.run(workload, kTimeoutNs), std::runtime_error);
}

TEST(EventLoop, GivesUpAtItsTimeLimit) {
  StubServer server;
  const auto driver = make_driver({.kind = "dray", .channel_count = 2, .fetch_blocks = true});
  EventLoop loop(server.endpoint(), 2, *driver);
  LatencyWorkload workload({.jobs = 1'000, .jobs_per_second = 1});
  EXPECT_THROW(loop.run(workload, 50'000'000), std::runtime_error);
}

TEST(EventLoop, TakesNumericAddressesOnly) {
  const auto driver = make_driver({.kind = "dray"});
  EXPECT_THROW(EventLoop({.host = "localhost", .port = 1}, 1, *driver), std::invalid_argument);
}

}  // namespace
}  // namespace load
