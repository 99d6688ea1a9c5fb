#include "server/test_connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace server {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

bool is_ready(int socket, short events, std::chrono::milliseconds most) {
  pollfd wanted{.fd = socket, .events = events, .revents = 0};
  return ::poll(&wanted, 1, static_cast<int>(most.count())) == 1;
}

std::string joined(const std::vector<RespValue>& items) {
  std::string text;
  for (const RespValue& item : items) text += (text.empty() ? "" : " ") + show(item);
  return text;
}

}  // namespace

std::string request(const Words& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n";
    bytes += word;
    bytes += "\r\n";
  }
  return bytes;
}

void until(const std::function<bool()>& condition, std::string_view what) {
  const base::SystemClock clock;
  const base::MonoTime deadline = clock.mono() + kTestDeadline;
  while (!condition()) {
    if (clock.mono() > deadline) fail("waited too long for: " + std::string(what));
    std::this_thread::yield();
  }
}

TestConnection::TestConnection(const std::string& address, int receive_buffer,
                               const std::function<void()>& before_connect) {
  const size_t colon = address.rfind(':');
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(static_cast<uint16_t>(std::stoul(address.substr(colon + 1))));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &target.sin_addr);
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) fail("no socket");
  if (receive_buffer != 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  if (before_connect) before_connect();
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
    const int why = errno;
    close();
    fail("cannot connect to " + address + ": errno " + std::to_string(why));
  }
}

void TestConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fail("send: errno " + std::to_string(errno));
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

size_t TestConnection::send_while_taken(std::string_view bytes,
                                        std::chrono::milliseconds patience) {
  size_t sent = 0;
  while (sent < bytes.size() && is_ready(socket_, POLLOUT, patience)) {
    const ssize_t size =
        ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && (errno == ECONNRESET || errno == EPIPE)) break;
    if (size < 0) fail("send: errno " + std::to_string(errno));
    sent += static_cast<size_t>(size);
  }
  return sent;
}

size_t TestConnection::receive() {
  if (!is_ready(socket_, POLLIN, kTestDeadline)) fail("nothing was received in time");
  constexpr size_t kPiece = 65'536;
  const size_t before = unread_.size();
  unread_.resize(before + kPiece);
  const ssize_t size = ::recv(socket_, unread_.data() + before, kPiece, 0);
  unread_.resize(before + static_cast<size_t>(std::max<ssize_t>(size, 0)));
  if (size < 0 && errno != ECONNRESET) fail("recv: errno " + std::to_string(errno));
  return static_cast<size_t>(std::max<ssize_t>(size, 0));
}

RespValue TestConnection::read() {
  while (true) {
    const protocol::ReplyStatus status = parser_.parse(unread_);
    unread_.erase(0, parser_.consumed());
    if (status == protocol::ReplyStatus::kValue) return std::move(parser_.value());
    if (status == protocol::ReplyStatus::kError) fail(parser_.error_text());
    if (receive() == 0) fail("the connection ended instead of a reply");
  }
}

RespValue TestConnection::call(const Words& words) {
  send(words);
  return read();
}

std::string TestConnection::read_to_end() {
  while (receive() != 0) {
  }
  return std::exchange(unread_, {});
}

bool TestConnection::is_at_end() {
  return unread_.empty() && receive() == 0;
}

void TestConnection::half_close() {
  ::shutdown(socket_, SHUT_WR);
}

void TestConnection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

std::string show(const RespValue& value) {
  using protocol::ValueKind;
  switch (value.kind) {
    case ValueKind::kNil:
      return "nil";
    case ValueKind::kInteger:
    case ValueKind::kBoolean:
      return std::to_string(value.integer);
    case ValueKind::kError:
      return "(error) " + value.text;
    case ValueKind::kArray:
    case ValueKind::kSet:
    case ValueKind::kPush:
      return "[" + joined(value.items) + "]";
    case ValueKind::kMap:
      return "{" + joined(value.items) + "}";
    default:
      return value.text;
  }
}

std::string field(const RespValue& record, std::string_view name) {
  const RespValue* value = record.find(name);
  return value == nullptr ? "absent" : show(*value);
}

}  // namespace server
