// Which server a command talks to, and with which certificates: --url, --profile, --tls-…,
// DRAY_URL, DRAY_PROFILE, or what the user's own file names.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "config/sources.h"
#include "dray/client.h"

namespace cli {

struct ServerChoice {
  std::string url = {};
  std::string profile = {};
  dray::TlsOptions tls = {};
};

// --url, --profile and --tls-…, for every command that talks to a server.
void add_server(CLI::App& app, ServerChoice& choice);

// What a client is made from, as far as it was said; the SDK knows defaults for the rest.
struct ServerPlace {
  std::string url = {};
  dray::TlsOptions tls = {};
};

// The file is $XDG_CONFIG_HOME/dray/config.toml, or ~/.config/dray/config.toml:
//   default_profile = "staging"
//   [profiles.staging]
//   url = "drays://dray.staging:3729"
//   token_file = "/home/ann/.dray-token"
//   tls_ca = "/home/ann/staging-ca.pem"     # also tls_cert, tls_key, tls_name
// Errors: BADREQ for a profile that is not there, with the nearest, or a file that is wrong.
base::Result<ServerPlace> find_server(const ServerChoice& choice,
                                      const config::Environment& environment);

// The settings of a client for one command: it reports an absent server soon. Throws dray::Error
// kBadReq for a choice that is none.
dray::ClientOptions client_options(const ServerChoice& choice);

}  // namespace cli
