#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/steady_timer.hpp>

#include "auth/token_file.h"
#include "base/log.h"

namespace server {

using base::ErrorCode;
using boost::system::error_code;

namespace {

constexpr size_t kKeyBytesMax = size_t{1} << 20;
constexpr long kClientChainBytesMax = 32'000;
// Nobody is read for ever while others wait.
constexpr int kFarewellReads = 16;

// OpenSSL's reason for what failed last.
std::string reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* const text = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return text != nullptr ? text : "it holds nothing of the kind";
}

void set_rules(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // For TLS 1.2; those of 1.3 are all like these.
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  // Replies grow while they wait for room, and idle connections are many.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, kClientChainBytesMax);
  // Tickets resume; a cache would grow with whoever connects.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kSessions[] = "dray";
  SSL_CTX_set_session_id_context(context, kSessions, sizeof kSessions - 1);
}

// Does one handshake. Owned by the callbacks of its pending operations (hence shared).
class Handshake : public std::enable_shared_from_this<Handshake> {
 public:
  Handshake(Connection::Socket socket, SSL_CTX* context, HandshakeEnd end)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),  // tidy: allow word because Asio calls it so
        ssl_(SSL_new(context)),
        end_(std::move(end)) {}
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;
  ~Handshake() { end_.over(); }

  void start() {
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) return;
    timer_.expires_after(kHandshakeTime);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->give_up("it took too long");
    });
    step();
  }

 private:
  void step() {
    ERR_clear_error();
    const int result = SSL_accept(ssl_.get());
    if (result == 1) {
      timer_.cancel();
      return end_.done(Connection(std::move(socket_), std::move(ssl_)));
    }
    const int why = SSL_get_error(ssl_.get(), result);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      answer_plainly(ERR_peek_last_error());
      return give_up(reason());
    }
    const bool reads = why == SSL_ERROR_WANT_READ;
    socket_.async_wait(reads ? Connection::Socket::wait_read : Connection::Socket::wait_write,
                       [self = shared_from_this()](error_code error) {
                         if (!error && self->socket_.is_open()) self->step();
                       });
  }

  // Who speaks without TLS would otherwise see nothing but an end.
  void answer_plainly(unsigned long fault) {
    const int reason = ERR_GET_REASON(fault);
    if (reason != SSL_R_WRONG_VERSION_NUMBER && reason != SSL_R_HTTP_REQUEST) return;
    error_code error;
    socket_.write_some(boost::asio::buffer(end_.plain_answer), error);
    // What has come and was not read would make the end a reset, and the answer could be lost in
    // it.
    std::array<char, 4'096> rest;
    for (int reads = 0; !error && reads < kFarewellReads; ++reads) {
      socket_.read_some(boost::asio::buffer(rest), error);
    }
  }

  void give_up(std::string_view why) {
    error_code ignored;
    end_.failed(socket_.remote_endpoint(ignored).address(), why);
    timer_.cancel();
    socket_.close(ignored);
  }

  Connection::Socket socket_;
  boost::asio::steady_timer timer_;
  SslPtr ssl_;
  HandshakeEnd end_;
};

}  // namespace

base::Status Tls::load() {
  if (options_.key.empty()) {
    return base::fail(ErrorCode::kBadReq, "--tls-cert needs --tls-key, the key of the certificate");
  }
  // Read here, so that a key which others can read is refused; also asks nobody for a passphrase.
  const std::string key = TRY(auth::read_secret_file("--tls-key", options_.key, kKeyBytesMax));
  auto context = std::make_unique<Context>(Context::tls_server);
  SSL_CTX* const raw = context->native_handle();
  set_rules(raw);
  context->set_password_callback([](size_t, Context::password_purpose) { return std::string(); });
  ERR_clear_error();
  error_code error;
  if (SSL_CTX_use_certificate_chain_file(raw, options_.certificate.c_str()) != 1) {
    return base::fail(ErrorCode::kBadReq, "--tls-cert {} cannot be used: {}", options_.certificate,
                      reason());
  }
  context->use_private_key(boost::asio::buffer(key), Context::pem, error);
  if (error || SSL_CTX_check_private_key(raw) != 1) {
    ERR_clear_error();
    return base::fail(
        ErrorCode::kBadReq,
        "--tls-key {} is not the key of the certificate, without a passphrase, in PEM",
        options_.key);
  }
  if (!options_.client_ca.empty()) {
    if (SSL_CTX_load_verify_file(raw, options_.client_ca.c_str()) != 1) {
      return base::fail(ErrorCode::kBadReq, "--tls-client-ca {} cannot be used: {}",
                        options_.client_ca, reason());
    }
    SSL_CTX_set_client_CA_list(raw, SSL_load_client_CA_file(options_.client_ca.c_str()));
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  context_ = std::move(context);
  return {};
}

void start_handshake(Connection::Socket socket, Tls& tls, HandshakeEnd end) {
  std::make_shared<Handshake>(std::move(socket), tls.context().native_handle(), std::move(end))
      ->start();
}

}  // namespace server
