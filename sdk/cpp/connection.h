// One connection to a server, TCP or TLS on it: requests out, replies in, each with a deadline.
// Blocking; knows nothing of reconnecting.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/resp_reply_parser.h"
#include "sdk/cpp/deadline.h"
#include "sdk/cpp/endpoint.h"
#include "sdk/cpp/tls.h"
#include "sdk/cpp/wake.h"

namespace dray::detail {

// Errors: kIo when the connection broke or the time is over; after any error it must be thrown
// away. Threading: one owner.
class Connection {
 public:
  // Connects, secures it with TLS if the endpoint says so, and introduces itself (HELLO, AUTH,
  // SETNAME, SELECT). An error of the server (a wrong password) keeps its own code; kBadReq is for
  // a certificate that is not trusted, or ours that is not; all else is kIo. `wake` may be null;
  // when set it ends every wait. It must outlive the connection.
  static base::Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint,
                                                        std::string_view name, Deadline deadline,
                                                        const Wake* wake);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  base::Status send(std::string_view bytes, Deadline deadline);
  // Returns the next reply; push messages are passed over. kUnavailable when the wake was set while
  // nothing had come.
  base::Result<protocol::RespValue> receive(Deadline deadline);
  // Whether the server closed it while nobody was looking. Requires: no reply is awaited.
  bool is_closed() const;
  // Tells the server that nothing more comes, so that it drops what waits; replies can still be
  // received. Waits do not end by the wake after that.
  void finish_sending();

 private:
  Connection(int fd, const Wake* wake) : fd_(fd), wake_(wake) {}

  // Waits until the socket is ready for `events`.
  base::Status wait_for(short events, Deadline deadline) const;
  base::Status connect_to(const Endpoint& endpoint, Deadline deadline);
  base::Status secure(const Endpoint& endpoint, Deadline deadline);
  base::Status introduce(const Endpoint& endpoint, std::string_view name, Deadline deadline);
  // One go on the socket, or on the TLS on it.
  base::Result<Moved> write_now(std::string_view bytes);
  base::Result<Moved> read_now(std::span<char> room);
  base::Status read_some(Deadline deadline);

  int fd_;
  std::unique_ptr<Tls> tls_;  // Null: plain TCP.
  const Wake* wake_;
  protocol::RespReplyParser parser_;
  std::string unread_;  // Received; the first read_ bytes are done with.
  size_t read_ = 0;
};

// Makes an error of the server from an error reply.
base::Error error_of(const protocol::RespValue& reply);

}  // namespace dray::detail
