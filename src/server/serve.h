// `dray serve`: puts the parts together.
#pragma once

#include "server/options.h"
#include "store/system_calls.h"

namespace server {

// Serves until SIGTERM or SIGINT. Returns the exit code. `calls` is the way to the disk: the
// kernel's, or a fault layer over it.
int serve(const ServeOptions& options, store::SystemCalls& calls);

// The command line of `dray`: serve, and the clients.
int run_command_line(int argc, char** argv, store::SystemCalls& calls);

}  // namespace server
