#include "server/connection.h"

#include <openssl/err.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <limits>

namespace server {

using boost::system::error_code;

namespace {

int clamp_size(size_t size) {
  return static_cast<int>(std::min<size_t>(size, std::numeric_limits<int>::max()));
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

void Connection::close() {
  if (ssl_ && socket_.is_open()) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // Says goodbye if the kernel takes it; nobody waits for an answer.
  }
  error_code ignored;
  socket_.close(ignored);
}

void Connection::read_tls(boost::asio::mutable_buffer room, Done done) {
  if (SSL_has_pending(ssl_.get()) != 0) {
    // Part of a record is here already: the socket might say nothing more of it.
    const auto loop = socket_.get_executor();  // tidy: allow word because Asio calls it so
    return boost::asio::post(loop, [this, room, done = std::move(done)] {
      if (!socket_.is_open()) return done(boost::asio::error::operation_aborted, 0);
      if (!try_read(room, done)) read_tls(room, done);
    });
  }
  const auto what = read_wants_write_ ? Socket::wait_write : Socket::wait_read;
  socket_.async_wait(what, [this, room, done = std::move(done)](error_code error) {
    if (error || !socket_.is_open()) return done(boost::asio::error::operation_aborted, 0);
    if (!try_read(room, done)) read_tls(room, done);
  });
}

bool Connection::try_read(boost::asio::mutable_buffer room, const Done& done) {
  ERR_clear_error();
  const int size = SSL_read(ssl_.get(), room.data(), clamp_size(room.size()));
  if (size > 0) {
    read_wants_write_ = false;
    done({}, static_cast<size_t>(size));
    return true;
  }
  const int why = SSL_get_error(ssl_.get(), size);
  read_wants_write_ = why == SSL_ERROR_WANT_WRITE;
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  const bool at_end = why == SSL_ERROR_ZERO_RETURN;
  ERR_clear_error();
  done(at_end ? error_code(boost::asio::error::eof)
              : error_code(boost::asio::error::connection_reset),
       0);
  return true;
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
  const bool later = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  ERR_clear_error();
  error = later ? error_code(boost::asio::error::would_block)
                : error_code(boost::asio::error::connection_reset);
  return 0;
}

}  // namespace server
