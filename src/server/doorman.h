// Who may come in: connections by address, logins that failed; and the count of who was turned away
// or put out, and why.
//
// Threading: the I/O thread.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "server/connection_limits.h"

namespace server {

// Why a connection was not taken.
enum class Refusal : uint8_t {
  kConnections,
  kStrangers,
  kStrangersOfAddress,
  kOverloaded,
  kHttpConnections,
};
inline constexpr size_t kRefusalCount = static_cast<size_t>(Refusal::kHttpConnections) + 1;

// Why the server ended a connection.
enum class Closure : uint8_t {
  kLoginTime,      // Did not log in in time.
  kFailedLogins,   // Came from an address that tried too often.
  kRequestTime,    // Began a request and did not end it.
  kNotReading,     // Did not take its replies.
  kBufferBudget,   // Held most when all together held too much.
  kProtocolError,  // Did not speak RESP.
  kTooBig,         // Announced more than a request may be.
  kHttp,           // Spoke HTTP on the port for RESP.
  kTls,            // The same with TLS.
  kRespOnHttp,     // The other way round.
  kHttpTime,       // Was too slow on the HTTP port.
  kHandshake,      // TLS did not come about.
};
inline constexpr size_t kClosureCount = static_cast<size_t>(Closure::kHandshake) + 1;

// The words of the metrics' label, and of the log.
std::string_view refusal_word(Refusal refusal);
std::string_view closure_word(Closure closure);

class Doorman {
 public:
  using Address = boost::asio::ip::address;

  explicit Doorman(const ConnectionLimits& limits) : limits_(limits) {}

  // What a new connection on the RESP port meets.
  struct Scene {
    size_t connections = 0;  // Open ones.
    bool logs_in = false;    // A token is asked for.
    bool pressed = false;    // The server is, so that new strangers are not welcome.
  };
  std::optional<Refusal> refusal(const Address& address, const Scene& scene) const;

  // A connection that has to log in came; it has logged in, or is gone.
  void stranger_came(const Address& address);
  void stranger_left(const Address& address);
  size_t strangers() const { return strangers_; }

  void login_failed(const Address& address, base::MonoTime now);
  // For how long no login is taken from the address; nothing: it may try.
  std::optional<std::chrono::milliseconds> barred_for(const Address& address,
                                                      base::MonoTime now) const;

  void count(Refusal refusal) { ++refused_[static_cast<size_t>(refusal)]; }
  void count(Closure closure) { ++closed_[static_cast<size_t>(closure)]; }
  uint64_t refused(Refusal refusal) const { return refused_[static_cast<size_t>(refusal)]; }
  uint64_t closed(Closure closure) const { return closed_[static_cast<size_t>(closure)]; }

  // Whether one more line on this goes to the log in this second: many may come at once.
  enum class Topic : uint8_t { kRefusal, kClosure, kLogin };
  bool may_log(Topic topic);
  // A second is over. Forgets what is long ago; returns how many lines were left out.
  uint64_t next_second(base::MonoTime now);

 private:
  struct Visitor {
    size_t strangers = 0;
    uint32_t failures = 0;  // Since `first_failure`.
    base::MonoTime first_failure;
  };

  // One machine may have very many addresses of IPv6: those of its network count as one.
  static Address key_of(const Address& address);
  void forget_if_idle(std::map<Address, Visitor>::iterator visitor);

  const ConnectionLimits& limits_;
  std::map<Address, Visitor> visitors_;  // With strangers or failures.
  size_t strangers_ = 0;
  std::array<uint64_t, kRefusalCount> refused_{};
  std::array<uint64_t, kClosureCount> closed_{};
  std::array<uint32_t, 3> lines_{};  // In this second, by topic.
};

}  // namespace server
