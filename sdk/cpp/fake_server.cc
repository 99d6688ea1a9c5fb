#include "sdk/cpp/fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/assert.h"
#include "protocol/resp_parser.h"
#include "sdk/cpp/deadline.h"

namespace dray::detail {
namespace {

constexpr std::chrono::milliseconds kTestPatience{10'000};
constexpr std::chrono::milliseconds kLook{2};  // How often a waiting fetch looks at its peer.

int64_t number_behind(const FakeWords& words, std::string_view option, int64_t otherwise) {
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == option) return std::stoll(words[i + 1]);
  }
  return otherwise;
}

std::string lease_reply(const FakeLease& lease) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"id", fake_bulk(lease.id)},
      {"token", fake_bulk(lease.token)},
      {"fence", fake_integer(lease.attempt)},
      {"queue", fake_bulk("emails")},
      {"type", fake_bulk(lease.type)},
      {"args", fake_bulk(lease.args)},
      {"attempt", fake_integer(lease.attempt)},
      {"max_attempts", fake_integer(4)},
      {"priority", fake_integer(5)},
      {"lease_ms", fake_integer(lease.lease_ms)},
      {"timeout_ms", fake_integer(lease.timeout_ms)},
      {"soft_timeout_ms", fake_integer(lease.soft_timeout_ms)},
      {"pushed_ms", fake_integer(1'767'225'600'000)},
      {"meta", fake_map({{"trace", fake_bulk("t1")}})}};
  if (!lease.progress.empty()) fields.emplace_back("progress", fake_bulk(lease.progress));
  return fake_map(fields);
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

}  // namespace

std::string fake_bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}
std::string fake_integer(int64_t value) {
  return ":" + std::to_string(value) + "\r\n";
}
std::string fake_array(const std::vector<std::string>& replies) {
  std::string out = "*" + std::to_string(replies.size()) + "\r\n";
  for (const std::string& reply : replies) out += reply;
  return out;
}
std::string fake_map(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out = "%" + std::to_string(fields.size()) + "\r\n";
  for (const auto& [field, value] : fields) out += fake_bulk(field) + value;
  return out;
}

struct FakeServer::Peer {
  explicit Peer(int fd_in) : fd(fd_in) {}
  const int fd;
  std::atomic<bool> cut{false};
  std::thread thread;

  bool is_gone() const {
    char byte = 0;
    return cut || recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }
};

FakeServer::FakeServer() {
  listen_on(0);
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeServer::~FakeServer() {
  ended_ = true;
  acceptor_.join();
  close_peers();
  if (listener_ >= 0) close(listener_);
}

void FakeServer::listen_on(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT(bind(fd, any, size) == 0 && listen(fd, 64) == 0, "cannot listen on port {}", port);
  ASSERT(getsockname(fd, any, &size) == 0);
  port_ = ntohs(address.sin_port);
  listener_ = fd;
}

std::string FakeServer::url() const {
  return "dray://127.0.0.1:" + std::to_string(port_);
}

void FakeServer::on(const std::string& command, Script script) {
  const std::lock_guard lock(mutex_);
  scripts_[command] = std::move(script);
}

void FakeServer::offer(FakeLease lease) {
  {
    const std::lock_guard lock(mutex_);
    offers_.push_back(std::move(lease));
  }
  changed_.notify_all();
}

void FakeServer::cut_all() {
  close_peers();
}

void FakeServer::set_reachable(bool reachable) {
  if (reachable) {
    listen_on(port_);
    return;
  }
  const int fd = listener_.exchange(-1);
  // At once, although the acceptor may still be looking at it.
  shutdown(fd, SHUT_RDWR);
  close(fd);
  close_peers();
}

std::vector<FakeWords> FakeServer::heard(std::string_view command) const {
  const std::lock_guard lock(mutex_);
  std::vector<FakeWords> found;
  for (const FakeWords& words : heard_) {
    if (command.empty() || words.front() == command) found.push_back(words);
  }
  return found;
}

bool FakeServer::wait_heard(std::string_view command, size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kTestPatience, [&] {
    size_t found = 0;
    for (const FakeWords& words : heard_) found += words.front() == command ? 1 : 0;
    return found >= count;
  });
}

void FakeServer::accept_all() {
  while (!ended_) {
    // A negative descriptor is passed over by poll: then it is only a pause.
    pollfd entry{listener_, POLLIN, 0};
    if (poll(&entry, 1, 5) <= 0 || entry.fd != listener_) continue;
    const int fd = accept4(entry.fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++made_;
    const std::lock_guard lock(mutex_);
    Peer& peer = *peers_.emplace_back(std::make_unique<Peer>(fd));
    peer.thread = std::thread([this, &peer] { serve(peer); });
  }
}

void FakeServer::close_peers() {
  std::vector<std::unique_ptr<Peer>> peers;
  {
    const std::lock_guard lock(mutex_);
    peers.swap(peers_);
  }
  for (const auto& peer : peers) {
    peer->cut = true;
    shutdown(peer->fd, SHUT_RDWR);
  }
  changed_.notify_all();
  for (const auto& peer : peers) {
    peer->thread.join();
    close(peer->fd);
  }
}

void FakeServer::serve(Peer& peer) {
  protocol::RespParser parser(protocol::kRespLimitsClient);
  std::string unread;
  std::array<char, 16'384> buffer{};
  for (;;) {
    while (parser.parse(unread) == protocol::ParseStatus::kRequest) {
      FakeWords words;
      for (const std::string_view word : parser.arguments()) words.emplace_back(word);
      unread.erase(0, parser.consumed());
      {
        const std::lock_guard lock(mutex_);
        heard_.push_back(words);
      }
      changed_.notify_all();
      const FakeAnswer made = answer(words, peer);
      send_all(peer.fd, made.bytes);
      if (!made.close_after) continue;
      shutdown(peer.fd, SHUT_RDWR);
      return;
    }
    const ssize_t got = recv(peer.fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) {
      shutdown(peer.fd, SHUT_RDWR);
      return;
    }
    unread.append(buffer.data(), static_cast<size_t>(got));
  }
}

FakeAnswer FakeServer::answer(const FakeWords& words, Peer& peer) {
  const std::string& command = words.front();
  Script script;
  {
    const std::lock_guard lock(mutex_);
    const auto found = scripts_.find(command);
    if (found != scripts_.end()) script = found->second;
  }
  if (script) return script(words);
  if (command == "HELLO") return {fake_map({{"server", fake_bulk("dray")}})};
  if (command == "JOB.FETCH") return fetch(words, peer);
  if (command == "JOB.PUSH") return {fake_bulk("0000000000001")};
  if (command == "INCRBY") return {fake_integer(1)};
  if (command == "JOB.GET") return {"_\r\n"};
  if (command == "JOB.FAIL") return {fake_map({{"state", fake_bulk("scheduled")}})};
  if (command == "JOB.PROGRESS") {
    return {fake_map({{"lease_ms", fake_integer(30'000)}, {"cancelled", fake_integer(0)}})};
  }
  if (command == "WORKER.BEAT") {
    return {fake_map(
        {{"state", fake_bulk("run")}, {"cancel", fake_array({})}, {"lost", fake_array({})}})};
  }
  return {"+OK\r\n"};
}

FakeAnswer FakeServer::fetch(const FakeWords& words, Peer& peer) {
  const auto count = static_cast<size_t>(number_behind(words, "COUNT", 1));
  const Deadline until = Deadline::in(std::chrono::milliseconds(number_behind(words, "BLOCK", 0)));
  std::unique_lock lock(mutex_);
  while (offers_.empty() && !until.is_over() && !peer.is_gone()) changed_.wait_for(lock, kLook);
  std::vector<std::string> leases;
  // What is granted on a connection that is gone is taken back, as a server does.
  while (!offers_.empty() && leases.size() < count && !peer.is_gone()) {
    leases.push_back(lease_reply(offers_.front()));
    offers_.pop_front();
  }
  return {fake_array(leases)};
}

}  // namespace dray::detail
