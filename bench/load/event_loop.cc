#include "bench/load/event_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "bench/load/clock.h"

namespace load {
namespace {

// How often a silent server is looked at for the time limit.
constexpr int64_t kWaitNsMax = 200 * kNsPerMs;
constexpr size_t kEventsMax = 256;
// Marks the timer among the events; connections are marked by their index.
constexpr uint64_t kTimerMark = ~uint64_t{0};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

FileDescriptor connect_to(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr) != 1) {
    throw std::invalid_argument("not a numeric IPv4 address: " + endpoint.host);
  }
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.number() < 0) fail("socket");
  // Connecting is setup, not measured, so it may block; reading and writing may not.
  if (connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  const int on = 1;
  if (setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    fail("TCP_NODELAY");
  }
  return socket;
}

}  // namespace

EventLoop::EventLoop(const Endpoint& endpoint, uint32_t channel_count, Driver& driver)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (epoll_.number() < 0 || timer_.number() < 0) fail("epoll and timerfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kTimerMark;
  if (epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, timer_.number(), &event) != 0) fail("epoll_ctl");
  connections_.reserve(channel_count);
  for (uint32_t index = 0; index < channel_count; ++index) {
    Connection& connection =
        connections_.emplace_back(Connection{connect_to(endpoint), Channel(index, driver)});
    event.data.u64 = index;
    if (epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, connection.socket.number(), &event) != 0) {
      fail("epoll_ctl");
    }
  }
}

void EventLoop::set_interest(Connection& connection, bool room) {
  if (connection.waits_for_room == room) return;
  epoll_event event{};
  event.events = room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = connection.channel.index();
  if (epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, connection.socket.number(), &event) != 0) {
    fail("epoll_ctl");
  }
  connection.waits_for_room = room;
}

void EventLoop::send_output(Connection& connection) {
  while (!connection.channel.output().empty()) {
    const std::string_view output = connection.channel.output();
    const ssize_t sent = ::send(connection.socket.number(), output.data(), output.size(),
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) fail("send");
      set_interest(connection, true);
      return;
    }
    connection.channel.output_sent(static_cast<size_t>(sent));
  }
  set_interest(connection, false);
}

void EventLoop::receive(Connection& connection, Workload& workload) {
  const std::span<char> space = connection.channel.input_space();
  const ssize_t got = recv(connection.socket.number(), space.data(), space.size(), MSG_DONTWAIT);
  if (got == 0) throw std::runtime_error("the server closed a connection");
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    fail("recv");
  }
  const int64_t received_ns = monotonic_ns();
  connection.channel.input_filled(static_cast<size_t>(got));
  OpKind op = OpKind::kPush;
  while (connection.channel.take(op, reply_)) {
    if (!reply_.failed) {
      workload.on_reply(connection.channel, op, reply_, received_ns);
    } else if (!workload.on_failure(connection.channel, op, reply_, received_ns)) {
      throw std::runtime_error("the server answered: " + std::string(reply_.error));
    }
  }
  workload.fill(connection.channel, received_ns);
}

void EventLoop::arm_timer(int64_t wake_ns) {
  if (wake_ns == armed_ns_) return;
  armed_ns_ = wake_ns;
  itimerspec when{};  // Zero disarms.
  if (wake_ns != kNeverNs) {
    when.it_value.tv_sec = wake_ns / kNsPerS;
    when.it_value.tv_nsec = wake_ns % kNsPerS;
  }
  if (timerfd_settime(timer_.number(), TFD_TIMER_ABSTIME, &when, nullptr) != 0) fail("timerfd");
}

void EventLoop::wait_for_events(int64_t timeout_ns) {
  std::array<epoll_event, kEventsMax> events;
  const int timeout_ms = static_cast<int>(std::min(timeout_ns, kWaitNsMax) / kNsPerMs);
  const int count = epoll_wait(epoll_.number(), events.data(), kEventsMax, timeout_ms);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  readable_.clear();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.u64 == kTimerMark) {
      uint64_t expirations = 0;
      if (read(timer_.number(), &expirations, sizeof expirations) < 0 && errno != EAGAIN) {
        fail("timerfd");
      }
      continue;
    }
    Connection& connection = connections_[event.data.u64];
    if ((event.events & EPOLLOUT) != 0) send_output(connection);
    if ((event.events & ~uint32_t{EPOLLOUT}) != 0) readable_.push_back(&connection);
  }
}

void EventLoop::run(Workload& workload, int64_t timeout_ns) {
  const int64_t start_ns = monotonic_ns();
  workload.begin(start_ns);
  int64_t now_ns = start_ns;
  for (;;) {
    // A channel that had nothing to do may have work now that others' replies came.
    for (Connection& connection : connections_) {
      workload.fill(connection.channel, now_ns);
      if (!connection.waits_for_room) send_output(connection);
    }
    if (workload.finished()) return;
    if (now_ns - start_ns > timeout_ns) throw std::runtime_error("the run took too long");
    arm_timer(workload.wake_ns());
    wait_for_events(timeout_ns);
    for (Connection* connection : readable_) {
      receive(*connection, workload);
      if (!connection->waits_for_room) send_output(*connection);
    }
    now_ns = monotonic_ns();
  }
}

}  // namespace load
