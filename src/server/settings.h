// The table of all settings of `dray serve`: what each is called, and where its value goes. A new
// setting is a field of ServeOptions, a line in settings.cc, and its row in docs/operating.md.
#pragma once
#include <span>

#include "config/key.h"
#include "config/settings.h"
#include "server/options.h"

namespace server {

// The keys, in the order of the file.
std::span<const config::Key> serve_keys();

// Requires: settings of serve_keys().
ServeOptions serve_options(const config::Settings& settings);

}  // namespace server
