// Why TLS with a server failed, in words that say what to do about it.
#pragma once
#include <openssl/ssl.h>

#include <string>

#include "base/result.h"

namespace dray::detail {

// A certificate that failed its check. Kept from the moment of the check: later OpenSSL has
// forgotten it.
struct BadCertificate {
  int fault = 0;  // Of OpenSSL's X509_V_ERR_…; 0: none has failed.
  std::string subject = {};
  std::string issuer = {};
  std::string names = {};  // The hosts that it is for.
  std::string begin = {};
  std::string end = {};
};

// The two sides of a handshake, as far as messages speak of them.
struct Peer {
  std::string name;         // What the server's certificate has to be for.
  bool shows_own = false;   // Whether we have a certificate to show.
  BadCertificate bad = {};  // Filled by keep_bad_certificate().
};

// For SSL_set_verify(). Requires: the app data of the SSL is a Peer.
int keep_bad_certificate(int is_good, X509_STORE_CTX* check);

// Both: kBadReq for what waiting does not mend, kIo for what may be better the next time.
// Of a certificate that failed. Requires: peer.bad.fault is not 0.
base::Error certificate_fault(const Peer& peer);
// Of an error of OpenSSL's queue.
base::Error tls_fault(const Peer& peer, unsigned long code);

}  // namespace dray::detail
