// Which server a command talks to: --url, --profile, DRAY_URL, DRAY_PROFILE, or what the user's
// own file names.
#pragma once
#include <CLI/App.hpp>
#include <string>

#include "base/result.h"
#include "config/sources.h"
#include "dray/client.h"

namespace cli {

struct ServerChoice {
  std::string url = {};
  std::string profile = {};
};

// --url and --profile, for every command that talks to a server.
void add_server(CLI::App& app, ServerChoice& choice);

// The URL to use; empty: the SDK's own default. The file is $XDG_CONFIG_HOME/dray/config.toml, or
// ~/.config/dray/config.toml:
//   default_profile = "staging"
//   [profiles.staging]
//   url = "dray://dray.staging:3729"
//   token_file = "/home/ann/.dray-token"
// Errors: BADREQ for a profile that is not there, with the nearest, or a file that is wrong.
base::Result<std::string> server_url(const ServerChoice& choice,
                                     const config::Environment& environment);

// The settings of a client for one command: it reports an absent server soon. Throws dray::Error
// kBadReq for a choice that is none.
dray::ClientOptions client_options(const ServerChoice& choice);

}  // namespace cli
