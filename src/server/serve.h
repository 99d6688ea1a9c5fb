// `dray serve`: puts the parts together.
#pragma once

#include "config/settings.h"
#include "server/options.h"
#include "store/system_calls.h"

namespace server {

// Serves until SIGTERM or SIGINT. Returns the exit code. `calls` is the way to the disk: the
// kernel's, or a fault layer over it. Requires: settings of serve_keys() without problems.
int serve(const config::Settings& settings, store::SystemCalls& calls);

// The command line of `dray`: serve, and the clients.
int run_command_line(int argc, char** argv, store::SystemCalls& calls);

}  // namespace server
