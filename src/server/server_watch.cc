// Who is turned away, what connections hold, and how long they take: see docs/limits.md.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <functional>
#include <utility>

#include "base/log.h"
#include "server/server.h"

namespace server {

using boost::system::error_code;

namespace {

// What a connection that is not taken is told.
std::string refusal_text(Refusal refusal, const ConnectionLimits& limits) {
  switch (refusal) {
    case Refusal::kConnections:
      return fmt::format("-MAXCONN limit={} connections: close some, or share them\r\n",
                         limits.connections_max);
    case Refusal::kStrangers:
      return fmt::format("-MAXCONN limit={} connections that did not log in\r\n",
                         limits.strangers_max);
    case Refusal::kStrangersOfAddress:
      return fmt::format(
          "-MAXCONN limit={} connections of one address that did not log in: AUTH first\r\n",
          limits.strangers_of_address_max);
    case Refusal::kOverloaded:
      return "-OVERLOADED retry_ms=1000 connections hold most of the memory that is for them\r\n";
    case Refusal::kHttpConnections:
      return fmt::format(
          "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n"
          "\r\nMAXCONN limit={} connections\n",
          kHttpConnectionsMax);
  }
  return {};
}

}  // namespace

// It is told why, and closed at the tick after the next: if it had sent something, a close at once
// would take the reason from it.
void Server::turn_away(Socket socket, Refusal refusal) {
  doorman_.count(refusal);
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (!error && doorman_.may_log(Doorman::Topic::kRefusal)) {
    LOG(kWarning, "a connection is refused", {"peer", peer.address().to_string()},
        {"reason", refusal_word(refusal)});
  }
  if (guards_.tls != nullptr) return;  // Who speaks TLS could not read it.
  socket.non_blocking(true, error);
  socket.write_some(boost::asio::buffer(refusal_text(refusal, limits_)), error);
  socket.shutdown(boost::asio::socket_base::shutdown_send, error);
  if (turned_away_.size() < kTurnedAwayMax) turned_away_.push_back(std::move(socket));
}

void Server::wait_for_tick() {
  watch_.expires_after(limits_.tick);
  watch_.async_wait([this](error_code error) {
    if (error || ended_) return;
    tick();
    wait_for_tick();
  });
}

void Server::tick() {
  turned_away_.erase(turned_away_.begin(),
                     turned_away_.begin() + static_cast<ptrdiff_t>(turned_away_before_));
  turned_away_before_ = turned_away_.size();
  const uint64_t left_out = doorman_.next_second(clock_.mono());
  if (left_out != 0) LOG(kWarning, "more of the same", {"lines_left_out", left_out});
  Session* largest = nullptr;  // Of those who cannot get on, since all are held back.
  for (const auto& [id, session] : sessions_) {
    session->tick();
    if (!session->is_held_back() || session->ticks_held_back() < limits_.held_back_ticks) continue;
    if (largest == nullptr || session->held_bytes() > largest->held_bytes()) {
      largest = session.get();
    }
  }
  if (largest != nullptr && !keeper_.is_calm()) largest->put_out(Closure::kBufferBudget);
  for (const auto& shard : shards_) shard->feed.tick();
  watch_buffers();
}

void Server::watch_buffers() {
  if (keeper_.is_pressed()) close_largest();
  keeper_.acted();
  if (!keeper_.is_calm()) return;
  for (const uint64_t id : keeper_.take_held_back()) {
    const auto found = sessions_.find(id);
    if (found != sessions_.end()) found->second->resume();
  }
}

// When new jobs are refused for it, those who hold much for a peer that does not read, or does not
// send what it began; when the budget is used up, whoever holds most.
void Server::close_largest() {
  std::vector<Session*> by_size;
  uint64_t leaving = 0;  // Held by closed ones, until the engine has returned what it works on.
  for (const auto& [id, session] : sessions_) {
    if (session->is_closed()) {
      leaving += session->held_bytes();
    } else if (keeper_.is_over()
                   ? session->held_bytes() >= kHeldBytesRed
                   : session->held_bytes() >= kHeldBytesYellow && session->is_to_blame()) {
      by_size.push_back(session.get());
    }
  }
  std::ranges::sort(by_size, std::greater<>(), [](const Session* session) {
    return std::pair(session->does_not_read(), session->held_bytes());
  });
  for (Session* session : by_size) {
    if (keeper_.excess() <= leaving) return;
    session->put_out(Closure::kBufferBudget);
    leaving += session->held_bytes();
  }
}

}  // namespace server
