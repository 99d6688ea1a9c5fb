#include "server/doorman.h"

#include <algorithm>

#include "base/assert.h"

namespace server {
namespace {

constexpr std::chrono::minutes kFailureTime{1};
constexpr uint32_t kLinesPerSecond = 10;
// Addresses whose failures are kept in mind. Beyond it only those known already are counted.
constexpr size_t kVisitorsMax = 65'536;

constexpr std::array<std::string_view, kRefusalCount> kRefusalWords = {
    "connections", "strangers", "strangers_of_address", "overloaded", "http_connections"};
constexpr std::array<std::string_view, kClosureCount> kClosureWords = {
    "login_time",    "failed_logins",  "request_time", "not_reading",
    "buffer_budget", "protocol_error", "too_big",      "http",
    "tls",           "resp_on_http",   "http_time",    "tls_handshake"};

}  // namespace

std::string_view refusal_word(Refusal refusal) {
  return kRefusalWords[static_cast<size_t>(refusal)];
}

std::string_view closure_word(Closure closure) {
  return kClosureWords[static_cast<size_t>(closure)];
}

Doorman::Address Doorman::key_of(const Address& address) {
  using boost::asio::ip::make_address_v4;
  using boost::asio::ip::v4_mapped;
  if (address.is_v4()) return address;
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return make_address_v4(v4_mapped, v6);
  auto bytes = v6.to_bytes();
  constexpr ptrdiff_t kNetworkBytes = 8;
  std::fill(bytes.begin() + kNetworkBytes, bytes.end(), uint8_t{0});
  return boost::asio::ip::make_address_v6(bytes);
}

std::optional<Refusal> Doorman::refusal(const Address& address, const Scene& scene) const {
  const bool is_near = address.is_loopback();
  const size_t reserved = is_near ? 0 : std::min(kConnectionsReserved, limits_.connections_max / 2);
  if (scene.connections + reserved >= limits_.connections_max) return Refusal::kConnections;
  if (!scene.logs_in) return std::nullopt;
  if (scene.pressed) return Refusal::kOverloaded;
  if (strangers_ >= limits_.strangers_max) return Refusal::kStrangers;
  const auto visitor = visitors_.find(key_of(address));
  const size_t here = visitor == visitors_.end() ? 0 : visitor->second.strangers;
  if (here >= limits_.strangers_of_address_max) return Refusal::kStrangersOfAddress;
  return std::nullopt;
}

void Doorman::stranger_came(const Address& address) {
  ++strangers_;
  ++visitors_[key_of(address)].strangers;
}

void Doorman::stranger_left(const Address& address) {
  const auto visitor = visitors_.find(key_of(address));
  ASSERT(visitor != visitors_.end() && visitor->second.strangers > 0 && strangers_ > 0);
  --strangers_;
  --visitor->second.strangers;
  forget_if_idle(visitor);
}

void Doorman::forget_if_idle(std::map<Address, Visitor>::iterator visitor) {
  if (visitor->second.strangers == 0 && visitor->second.failures == 0) visitors_.erase(visitor);
}

void Doorman::login_failed(const Address& address, base::MonoTime now) {
  const Address key = key_of(address);
  if (visitors_.size() >= kVisitorsMax && !visitors_.contains(key)) return;
  Visitor& visitor = visitors_[key];
  if (visitor.failures == 0 || now - visitor.first_failure >= kFailureTime) {
    visitor.failures = 0;
    visitor.first_failure = now;
  }
  ++visitor.failures;
}

std::optional<std::chrono::milliseconds> Doorman::barred_for(const Address& address,
                                                             base::MonoTime now) const {
  const auto found = visitors_.find(key_of(address));
  if (found == visitors_.end() || found->second.failures < limits_.failed_logins_max) return {};
  const auto over = found->second.first_failure + kFailureTime;
  if (now >= over) return {};
  return std::chrono::ceil<std::chrono::milliseconds>(over - now);
}

bool Doorman::may_log(Topic topic) {
  return ++lines_[static_cast<size_t>(topic)] <= kLinesPerSecond;
}

uint64_t Doorman::next_second(base::MonoTime now) {
  for (auto next = visitors_.begin(); next != visitors_.end();) {
    const auto visitor = next++;
    if (now - visitor->second.first_failure >= kFailureTime) visitor->second.failures = 0;
    forget_if_idle(visitor);
  }
  uint64_t left_out = 0;
  for (uint32_t& lines : lines_) {
    left_out += lines - std::min(lines, kLinesPerSecond);
    lines = 0;
  }
  return left_out;
}

}  // namespace server
