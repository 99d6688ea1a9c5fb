// Where a server is, as a URL says it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dray/client.h"

namespace dray::detail {

struct Endpoint {
  std::string host = "127.0.0.1";
  uint16_t port = 3729;
  std::string user;
  std::string password;
  std::string job_namespace;  // Empty: the default one.
  bool is_tls = false;
  TlsOptions tls;  // Where is_tls.

  // For messages: never the password.
  std::string address() const;
};

// Reads dray://[user:password@]host[:port][/namespace], also with redis://; drays:// and rediss://
// ask for TLS. User and password may hold %XX. An empty text is the default endpoint.
base::Result<Endpoint> parse_endpoint(std::string_view url);

// The URL to use: `url`, else the environment's DRAY_URL, else empty.
std::string url_or_environment(std::string_view url);
// Where `options` say nothing, what the environment says: DRAY_TLS_CA, DRAY_TLS_NAME, and, as a
// pair, DRAY_TLS_CERT and DRAY_TLS_KEY.
TlsOptions tls_or_environment(TlsOptions options);

}  // namespace dray::detail
