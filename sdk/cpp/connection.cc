#include "sdk/cpp/connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sdk/cpp/request.h"

namespace dray::detail {
namespace {

using base::fail;
using base::Result;
using base::Status;

std::string errno_text(int error) {
  std::array<char, 128> buffer{};
  return strerror_r(error, buffer.data(), buffer.size());
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  const int fault = getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
  if (fault != 0) {
    return fail(base::ErrorCode::kIo, "cannot find host {}: {}", endpoint.host,
                gai_strerror(fault));
  }
  return Addresses(found);
}

// A dead peer is noticed within about a minute even while nobody sends.
void set_options(int fd) {
  const int on = 1;
  const int idle_s = 15;
  const int interval_s = 5;
  const int count = 3;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

// A server with TLS has nothing to say to who speaks plainly, but an alert at most.
base::Error without_introduction(base::Error error, const Endpoint& endpoint) {
  if (error.code == base::ErrorCode::kIo && !endpoint.is_tls) {
    error.message += "; if this server speaks TLS, the URL begins with drays://";
  }
  return error;
}

}  // namespace

base::Error error_of(const protocol::RespValue& reply) {
  const auto code = base::error_code(reply.error_code());
  if (code) return base::Error{*code, std::string(reply.error_message())};
  // A code of a newer server, or of something that is no Dray: its text says all there is.
  return base::Error{base::ErrorCode::kErr, reply.text};
}

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& endpoint,
                                                     std::string_view name, Deadline deadline,
                                                     const Wake* wake) {
  std::unique_ptr<Connection> connection(new Connection(-1, wake));
  TRY(with_context(connection->connect_to(endpoint, deadline), endpoint.address()));
  TRY(with_context(connection->secure(endpoint, deadline), endpoint.address()));
  TRY(with_context(connection->introduce(endpoint, name, deadline), endpoint.address()));
  return connection;
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

Status Connection::connect_to(const Endpoint& endpoint, Deadline deadline) {
  const Addresses addresses = TRY(resolve(endpoint));
  Status last = fail(base::ErrorCode::kIo, "has no address");
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    if (fd_ >= 0) close(fd_);
    fd_ = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return fail(base::ErrorCode::kIo, "cannot open a socket: {}", errno_text(errno));
    set_options(fd_);
    if (connect(fd_, address->ai_addr, address->ai_addrlen) == 0) return {};
    if (errno != EINPROGRESS) {
      last = fail(base::ErrorCode::kIo, "cannot connect: {}", errno_text(errno));
      continue;
    }
    last = wait_for(POLLOUT, deadline);
    if (!last) continue;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return {};
    last = fail(base::ErrorCode::kIo, "cannot connect: {}", errno_text(error));
  }
  return last;
}

Status Connection::secure(const Endpoint& endpoint, Deadline deadline) {
  if (!endpoint.is_tls) return {};
  tls_ = TRY(Tls::on(fd_, endpoint.host, endpoint.tls));
  for (;;) {
    const short wanted = TRY(with_context(tls_->shake_hands(), "the TLS handshake"));
    if (wanted == 0) return {};
    TRY(with_context(wait_for(wanted, deadline), "the TLS handshake"));
  }
}

Status Connection::introduce(const Endpoint& endpoint, std::string_view name, Deadline deadline) {
  std::string hello;
  size_t replies = 1;
  if (endpoint.password.empty()) {
    hello = request({"HELLO", "3", "SETNAME", name});
  } else {
    const std::string user = endpoint.user.empty() ? "default" : endpoint.user;
    hello = request({"HELLO", "3", "AUTH", user, endpoint.password, "SETNAME", name});
  }
  if (!endpoint.job_namespace.empty()) {
    hello += request({"SELECT", endpoint.job_namespace});
    ++replies;
  }
  // When it fails, what the server said before it closed tells more, if there is something.
  const Status sent = send(hello, deadline);
  for (; replies > 0; --replies) {
    const Result<protocol::RespValue> reply = receive(deadline);
    if (!reply) return tl::unexpected(without_introduction(reply.error(), endpoint));
    if (reply->is_error()) return tl::unexpected(error_of(*reply));
  }
  return sent;
}

Status Connection::wait_for(short events, Deadline deadline) const {
  for (;;) {
    std::array<pollfd, 2> entries{{{fd_, events, 0}, {-1, POLLIN, 0}}};
    if (wake_ != nullptr) entries[1].fd = wake_->fd();
    const int ready = poll(entries.data(), entries.size(), deadline.poll_timeout());
    if (ready < 0 && errno != EINTR) {
      return fail(base::ErrorCode::kIo, "cannot wait for the server: {}", errno_text(errno));
    }
    // What has come is read before the wake is heard.
    if (ready > 0 && entries[0].revents != 0) return {};
    if (ready > 0 && entries[1].revents != 0) {
      return fail(base::ErrorCode::kUnavailable, "the wait was ended");
    }
    if (deadline.is_over()) return fail(base::ErrorCode::kIo, "no answer within the time allowed");
  }
}

Result<Moved> Connection::write_now(std::string_view bytes) {
  if (tls_) return tls_->write(bytes);
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return Moved{.bytes = static_cast<size_t>(sent)};
  if (is_for_later(errno)) return Moved{.wait_for = POLLOUT};
  return fail(base::ErrorCode::kIo, "the connection broke: {}", errno_text(errno));
}

Result<Moved> Connection::read_now(std::span<char> room) {
  if (tls_) return tls_->read(room);
  const ssize_t got = recv(fd_, room.data(), room.size(), 0);
  if (got > 0) return Moved{.bytes = static_cast<size_t>(got)};
  if (got == 0) return fail(base::ErrorCode::kIo, "the server closed the connection");
  if (is_for_later(errno)) return Moved{.wait_for = POLLIN};
  return fail(base::ErrorCode::kIo, "the connection broke: {}", errno_text(errno));
}

Status Connection::send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const Moved moved = TRY(write_now(bytes));
    bytes.remove_prefix(moved.bytes);
    if (moved.wait_for != 0) TRY(wait_for(moved.wait_for, deadline));
  }
  return {};
}

Status Connection::read_some(Deadline deadline) {
  constexpr size_t kReadBytes = size_t{64} << 10;
  unread_.erase(0, std::exchange(read_, 0));
  const size_t before = unread_.size();
  for (;;) {
    unread_.resize(before + kReadBytes);
    const Result<Moved> moved = read_now(std::span(unread_).subspan(before));
    unread_.resize(before + (moved ? moved->bytes : 0));
    if (!moved) return tl::unexpected(moved.error());
    if (moved->wait_for == 0) return {};
    TRY(wait_for(moved->wait_for, deadline));
  }
}

Result<protocol::RespValue> Connection::receive(Deadline deadline) {
  for (;;) {
    const protocol::ReplyStatus status = parser_.parse(std::string_view(unread_).substr(read_));
    read_ += parser_.consumed();
    if (status == protocol::ReplyStatus::kError) {
      return fail(base::ErrorCode::kIo, "the server's answer makes no sense: {}",
                  parser_.error_text());
    }
    if (status == protocol::ReplyStatus::kNeedMore) {
      TRY(read_some(deadline));
      continue;
    }
    if (parser_.value().kind == protocol::ValueKind::kPush) continue;
    return std::move(parser_.value());
  }
}

bool Connection::is_closed() const {
  if (tls_) return tls_->is_closed();
  char byte = 0;
  const ssize_t got = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && !is_for_later(errno));
}

void Connection::finish_sending() {
  wake_ = nullptr;
  if (tls_) tls_->finish_writing();
  shutdown(fd_, SHUT_WR);
}

}  // namespace dray::detail
