// TLS on a connected socket, as a client does it: the server's certificate and its name are always
// checked.
#pragma once
#include <openssl/ssl.h>

#include <cerrno>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dray/client.h"
#include "sdk/cpp/tls_fault.h"

namespace dray::detail {

// What one go on a socket that does not block came to.
struct Moved {
  size_t bytes = 0;
  short wait_for = 0;  // Nothing moved: for poll(), what has to come first.
};

// Whether a call on it that failed with this errno is to be tried again.
inline bool is_for_later(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// Whether the files that `options` names can be used as they are now. Errors: kBadReq names the
// file and the field.
base::Status check_files(const TlsOptions& options);

// After an error it must be thrown away. Its end says no goodbye to the server, as a forked child
// that drops its parent's connections must not. Errors: kBadReq for what waiting does not mend
// (files, certificates, a server without TLS), kIo for what may be better the next time.
// Threading: one owner.
class Tls {
 public:
  // On socket `fd`, which must outlive it. `host` is the one that was connected to. Reads the files
  // anew, so that a certificate that was renewed is taken without a restart.
  static base::Result<std::unique_ptr<Tls>> on(int fd, const std::string& host,
                                               const TlsOptions& options);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Returns what to wait for before the next call; 0: it is done.
  base::Result<short> shake_hands();
  base::Result<Moved> write(std::string_view bytes);
  base::Result<Moved> read(std::span<char> room);
  // Whether the server has ended it.
  bool is_closed();
  // Tells the server that nothing more comes; replies can still be read.
  void finish_writing();

 private:
  // The socket as OpenSSL sees it.
  struct Wire {
    int fd;
    int error = 0;  // Of errno, when it broke.
  };
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  using SslPtr = std::unique_ptr<SSL, FreeSsl>;

  Tls(int fd, SslPtr ssl, Peer peer) : wire_{fd}, peer_(std::move(peer)), ssl_(std::move(ssl)) {}

  static BIO_METHOD* wire_method();
  static int write_wire(BIO* bio, const char* data, int size);
  static int read_wire(BIO* bio, char* data, int size);
  base::Status attach();
  // What to wait for after a call that returned `result`, or why it failed.
  base::Result<short> judge(int result);

  Wire wire_;
  Peer peer_;
  SslPtr ssl_;  // Last: it uses the others.
};

}  // namespace dray::detail
