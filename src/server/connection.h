// A client's connection: TCP, or TLS on top of it. What is plain goes straight to the socket.
//
// TLS is OpenSSL on the socket itself: what `write_some` says is taken has been given to the
// kernel, as on a plain connection, which is what leases count by.
//
// Threading: one owner, the I/O thread.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

namespace server {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

class Connection {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Done = std::function<void(boost::system::error_code, size_t)>;

  explicit Connection(Socket socket) : socket_(std::move(socket)) {}
  // Requires: the handshake is over; `ssl` works on this socket, which does not block.
  Connection(Socket socket, SslPtr ssl) : socket_(std::move(socket)), ssl_(std::move(ssl)) {}

  // One at a time. The connection must outlive the handler's call, which comes after close() too.
  template <typename Handler>
  void async_read_some(boost::asio::mutable_buffer room, Handler&& handler) {
    if (!ssl_) return socket_.async_read_some(room, std::forward<Handler>(handler));
    read_tls(room, std::forward<Handler>(handler));
  }
  // Sets would_block when nothing is taken: wait_for_room, then try again with the same bytes and
  // as many more as have come behind them.
  size_t write_some(boost::asio::const_buffer bytes, boost::system::error_code& error) {
    return ssl_ ? write_tls(bytes, error) : socket_.write_some(bytes, error);
  }
  template <typename Handler>
  void wait_for_room(Handler&& handler) {
    const auto what = write_wants_read_ ? Socket::wait_read : Socket::wait_write;
    socket_.async_wait(what, std::forward<Handler>(handler));
  }
  // Bytes that a read would get without waiting.
  size_t available() const;

  boost::asio::ip::tcp::endpoint remote_endpoint() const;
  void close();

 private:
  void read_tls(boost::asio::mutable_buffer room, Done done);
  // Returns whether the read is over; then `done` has been called.
  bool try_read(boost::asio::mutable_buffer room, const Done& done);
  size_t write_tls(boost::asio::const_buffer bytes, boost::system::error_code& error);

  Socket socket_;
  SslPtr ssl_;
  // What TLS waits for where one would not expect it.
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
};

}  // namespace server
