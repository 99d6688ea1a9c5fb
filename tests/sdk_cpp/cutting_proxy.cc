#include "tests/sdk_cpp/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace sdk_test {
namespace {

constexpr int kLookMs = 10;  // How often the end of the proxy is looked for.

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(uint16_t server_port, Cut cut)
    : server_port_(server_port), cut_(std::move(cut)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, any, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, any, &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

CuttingProxy::~CuttingProxy() {
  ended_ = true;
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

void CuttingProxy::accept_all() {
  while (!ended_) {
    pollfd entry{listener_, POLLIN, 0};
    if (poll(&entry, 1, kLookMs) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([this, client] { forward(client); });
  }
}

void CuttingProxy::forward(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(server_port_);
  std::array<char, 65'536> buffer{};
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (open && !ended_) {
    std::array<pollfd, 2> entries{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    if (poll(entries.data(), entries.size(), kLookMs) <= 0) continue;
    for (size_t i = 0; i < entries.size() && open; ++i) {
      if (entries[i].revents == 0) continue;
      const ssize_t count = recv(entries[i].fd, buffer.data(), buffer.size(), 0);
      if (count <= 0) {
        open = false;
        break;
      }
      const std::string_view bytes(buffer.data(), static_cast<size_t>(count));
      const size_t allowed = cut_(i == 0 ? Direction::kToServer : Direction::kToClient, bytes);
      open = send_all(i == 0 ? server : client, bytes.substr(0, std::min(allowed, bytes.size())));
      if (allowed == kPass) continue;
      ++cuts_;
      open = false;
    }
  }
  close(client);
  close(server);
}

}  // namespace sdk_test
