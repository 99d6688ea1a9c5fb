// Runs one workload over non-blocking sockets with one thread and raw epoll.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/channel.h"
#include "bench/load/file_descriptor.h"
#include "bench/load/workload.h"

namespace load {

struct Endpoint {
  std::string host;  // A numeric IPv4 address.
  uint16_t port = 0;
};

// Use: connect, then run once. Errors of sockets and replies that failed throw std::runtime_error;
// malformed replies throw ProtocolError. Threading: one thread.
class EventLoop {
 public:
  // `driver` must outlive the loop.
  EventLoop(const Endpoint& endpoint, uint32_t channel_count, Driver& driver);

  // Returns when the workload is finished. Throws when that takes longer than `timeout_ns`.
  void run(Workload& workload, int64_t timeout_ns);

 private:
  struct Connection {
    FileDescriptor socket;
    Channel channel;
    bool waits_for_room = false;  // The socket's send buffer is full.
  };

  void arm_timer(int64_t wake_ns);
  void wait_for_events(int64_t timeout_ns);
  void receive(Connection& connection, Workload& workload);
  void send_output(Connection& connection);
  void set_interest(Connection& connection, bool room);

  FileDescriptor epoll_;
  FileDescriptor timer_;
  int64_t armed_ns_ = kNeverNs;
  std::vector<Connection> connections_;
  std::vector<Connection*> readable_;
  Reply reply_;
};

}  // namespace load
