#include "sdk/cpp/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/assert.h"

namespace dray::detail {
namespace {

using base::fail;
using base::Result;
using base::Status;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

int clamp_size(size_t size) {
  return static_cast<int>(std::min<size_t>(size, std::numeric_limits<int>::max()));
}

// OpenSSL tells of a file that is not there in words that do not say so.
Status check_readable(std::string_view field, const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    close(fd);
    return {};
  }
  return fail(base::ErrorCode::kBadReq, "field=tls.{} {} cannot be read: {}", field, path,
              std::strerror(errno));
}

Status trust(SSL_CTX* context, const std::string& ca_file) {
  if (ca_file.empty()) {
    // No authority at all is no error here: then no certificate will be good.
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  TRY(check_readable("ca_file", ca_file));
  if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return fail(base::ErrorCode::kBadReq, "field=tls.ca_file {} holds no certificate in PEM",
                ca_file);
  }
  // What the file names is trusted as it is: an authority below another one as well.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

Status show(SSL_CTX* context, const std::string& cert_file, const std::string& key_file) {
  if (cert_file.empty() && key_file.empty()) return {};
  if (cert_file.empty() || key_file.empty()) {
    return fail(base::ErrorCode::kBadReq,
                "field=tls.{} is empty: a certificate and its key are given together",
                cert_file.empty() ? "cert_file" : "key_file");
  }
  TRY(check_readable("cert_file", cert_file));
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) {
    return fail(base::ErrorCode::kBadReq, "field=tls.cert_file {} holds no certificate in PEM",
                cert_file);
  }
  TRY(check_readable("key_file", key_file));
  // Without this OpenSSL would ask for a passphrase on the terminal.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(base::ErrorCode::kBadReq,
                "field=tls.key_file {} is not the key of {}, in PEM and without a passphrase",
                key_file, cert_file);
  }
  return {};
}

Result<Context> make_context(const TlsOptions& options) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(base::ErrorCode::kIo, "TLS cannot be set up: no memory");
  SSL_CTX* const raw = context.get();
  // As the server has it: nothing older, and only what gives forward secrecy.
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, keep_bad_certificate);
  const Status trusted = trust(raw, options.ca_file);
  const Status shown = trusted ? show(raw, options.cert_file, options.key_file) : trusted;
  ERR_clear_error();
  if (!shown) return tl::unexpected(shown.error());
  return context;
}

// The certificate has to be for `name`, a host or an address.
Status expect_name(SSL* ssl, const std::string& name) {
  // OpenSSL would take the empty name for "any".
  ASSERT(!name.empty(), "no name to check a certificate by");
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1) return {};
  ERR_clear_error();
  if (X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size()) != 1 ||
      SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) {
    ERR_clear_error();
    return fail(base::ErrorCode::kBadReq, "field=tls.server_name is no name of a host");
  }
  return {};
}

}  // namespace

Status check_files(const TlsOptions& options) {
  TRY(make_context(options));
  return {};
}

Result<std::unique_ptr<Tls>> Tls::on(int fd, const std::string& host, const TlsOptions& options) {
  const Context context = TRY(make_context(options));
  SslPtr ssl(SSL_new(context.get()));
  if (!ssl) return fail(base::ErrorCode::kIo, "TLS cannot be set up: no memory");
  Peer peer{.name = options.server_name.empty() ? host : options.server_name,
            .shows_own = !options.cert_file.empty()};
  TRY(expect_name(ssl.get(), peer.name));
  std::unique_ptr<Tls> tls(new Tls(fd, std::move(ssl), std::move(peer)));
  TRY(tls->attach());
  return tls;
}

Tls::~Tls() = default;

// OpenSSL's own way to a socket is write(), which ends a process that does not ignore SIGPIPE. A
// library cannot ask that of its users.
int Tls::write_wire(BIO* bio, const char* data, int size) {
  auto* const wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t sent = send(wire->fd, data, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<int>(sent);
  if (is_for_later(errno)) {
    BIO_set_retry_write(bio);
  } else {
    wire->error = errno;
  }
  return -1;
}

int Tls::read_wire(BIO* bio, char* data, int size) {
  auto* const wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t got = recv(wire->fd, data, static_cast<size_t>(size), 0);
  if (got > 0) return static_cast<int>(got);
  if (got == 0) return 0;
  if (is_for_later(errno)) {
    BIO_set_retry_read(bio);
  } else {
    wire->error = errno;
  }
  return -1;
}

BIO_METHOD* Tls::wire_method() {
  // Never freed: threads may use it while the process ends.
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dray wire");
    if (made == nullptr) return made;
    BIO_meth_set_write(made, write_wire);
    BIO_meth_set_read(made, read_wire);
    BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return made;
  }();
  return kMethod;
}

Status Tls::attach() {
  BIO_METHOD* const method = wire_method();
  BIO* const bio = method != nullptr ? BIO_new(method) : nullptr;
  if (bio == nullptr) return fail(base::ErrorCode::kIo, "TLS cannot be set up: no memory");
  BIO_set_data(bio, &wire_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // Takes it.
  SSL_set_app_data(ssl_.get(), &peer_);
  SSL_set_connect_state(ssl_.get());
  return {};
}

Result<short> Tls::judge(int result) {
  const int why = SSL_get_error(ssl_.get(), result);
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (why == SSL_ERROR_WANT_READ) return short{POLLIN};
  if (why == SSL_ERROR_WANT_WRITE) return short{POLLOUT};
  if (peer_.bad.fault != 0) return tl::unexpected(certificate_fault(peer_));
  if (why == SSL_ERROR_SSL) return tl::unexpected(tls_fault(peer_, code));
  if (wire_.error != 0) {
    return fail(base::ErrorCode::kIo, "the connection broke: {}", std::strerror(wire_.error));
  }
  return fail(base::ErrorCode::kIo, "the server closed the connection");
}

Result<short> Tls::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return short{0};
  return judge(result);
}

Result<Moved> Tls::write(std::string_view bytes) {
  ERR_clear_error();
  const int result = SSL_write(ssl_.get(), bytes.data(), clamp_size(bytes.size()));
  if (result > 0) return Moved{.bytes = static_cast<size_t>(result)};
  return Moved{.wait_for = TRY(judge(result))};
}

Result<Moved> Tls::read(std::span<char> room) {
  ERR_clear_error();
  const int result = SSL_read(ssl_.get(), room.data(), clamp_size(room.size()));
  if (result > 0) return Moved{.bytes = static_cast<size_t>(result)};
  return Moved{.wait_for = TRY(judge(result))};
}

bool Tls::is_closed() {
  // Not a look at the socket: what lies there may be a farewell, or a ticket of no interest.
  char byte = 0;
  ERR_clear_error();
  const int result = SSL_peek(ssl_.get(), &byte, 1);
  return result <= 0 && !judge(result);
}

void Tls::finish_writing() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace dray::detail
