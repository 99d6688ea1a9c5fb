#include "server/connection.h"

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace server {

using boost::system::error_code;

namespace {

int clamp_size(size_t size) {
  return static_cast<int>(std::min<size_t>(size, std::numeric_limits<int>::max()));
}

// What Asio would call it. Right after the call, which left its errno.
error_code error_of(int why) {
  const int number = errno;
  ERR_clear_error();
  switch (why) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return boost::asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
      return boost::asio::error::eof;
    case SSL_ERROR_SYSCALL:
      if (number == ETIMEDOUT) return boost::asio::error::timed_out;
      [[fallthrough]];
    default:
      return boost::asio::error::connection_reset;
  }
}

}  // namespace

size_t Connection::available() const {
  error_code ignored;
  const size_t raw = socket_.available(ignored);
  return ssl_ ? raw + static_cast<size_t>(SSL_pending(ssl_.get())) : raw;
}

boost::asio::ip::tcp::endpoint Connection::remote_endpoint() const {
  error_code ignored;
  return socket_.remote_endpoint(ignored);
}

void Connection::end_sending() {
  if (ssl_) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Connection::drop_unsent() {
  error_code ignored;
  socket_.set_option(Socket::linger(true, 0), ignored);
}

void Connection::close() {
  if (ssl_ && socket_.is_open()) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // Says goodbye if the kernel takes it; nobody waits for an answer.
  }
  error_code ignored;
  socket_.close(ignored);
}

size_t Connection::read_tls(boost::asio::mutable_buffer room, error_code& error) {
  ERR_clear_error();
  const int size = SSL_read(ssl_.get(), room.data(), clamp_size(room.size()));
  if (size > 0) {
    read_wants_write_ = false;
    read_waits_ = false;
    error = {};
    return static_cast<size_t>(size);
  }
  const int why = SSL_get_error(ssl_.get(), size);
  read_wants_write_ = why == SSL_ERROR_WANT_WRITE;
  read_waits_ = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  error = error_of(why);
  return 0;
}

size_t Connection::write_tls(boost::asio::const_buffer bytes, error_code& error) {
  ERR_clear_error();
  const int size = SSL_write(ssl_.get(), bytes.data(), clamp_size(bytes.size()));
  if (size > 0) {
    write_wants_read_ = false;
    error = {};
    return static_cast<size_t>(size);
  }
  const int why = SSL_get_error(ssl_.get(), size);
  write_wants_read_ = why == SSL_ERROR_WANT_READ;
  error = error_of(why);
  return 0;
}

}  // namespace server
