// A client's connection: TCP, or TLS on top of it. What is plain goes straight to the socket.
//
// TLS is OpenSSL on the socket itself: what `write_some` says is taken has been given to the
// kernel, as on a plain connection, which is what leases count by.
//
// Threading: one owner, the I/O thread.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

namespace server {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

class Connection {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Loop = Socket::executor_type;  // tidy: allow word because Asio calls it so

  explicit Connection(Socket socket) : socket_(std::move(socket)) {}
  // Requires: the handshake is over; `ssl` works on this socket, which does not block.
  Connection(Socket socket, SslPtr ssl) : socket_(std::move(socket)), ssl_(std::move(ssl)) {}

  // Calls `handler(error)` when there may be something to read, at once for what TLS has taken off
  // the socket already. No buffer is held meanwhile. One at a time. The connection must outlive the
  // handler's call, which comes after close() too.
  template <typename Handler>
  void wait_for_bytes(Handler&& handler) {
    if (has_buffered()) {
      return boost::asio::post(loop(), [this, handler = std::forward<Handler>(handler)]() mutable {
        boost::system::error_code error;
        if (!socket_.is_open()) error = boost::asio::error::operation_aborted;
        handler(error);
      });
    }
    const auto what = read_wants_write_ ? Socket::wait_write : Socket::wait_read;
    socket_.async_wait(what, std::forward<Handler>(handler));
  }
  // Sets would_block when there is nothing yet: wait_for_bytes, then try again.
  size_t read_some(boost::asio::mutable_buffer room, boost::system::error_code& error) {
    return ssl_ ? read_tls(room, error) : socket_.read_some(room, error);
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
  // Tells the peer that nothing more comes; what it sends can still be read.
  void end_sending();
  // From now on close() throws away what the kernel has not sent.
  void drop_unsent();
  void close();

  // What runs its handlers.
  Loop loop() { return socket_.get_executor(); }  // tidy: allow word because Asio calls it so

 private:
  // Whether TLS has taken bytes off the socket that no read has shown yet.
  bool has_buffered() const { return ssl_ && !read_waits_ && SSL_has_pending(ssl_.get()) != 0; }
  size_t read_tls(boost::asio::mutable_buffer room, boost::system::error_code& error);
  size_t write_tls(boost::asio::const_buffer bytes, boost::system::error_code& error);

  Socket socket_;
  SslPtr ssl_;
  // The last read found no whole record: only more bytes from the peer can complete it.
  bool read_waits_ = false;
  // What TLS waits for where one would not expect it.
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
};

}  // namespace server
