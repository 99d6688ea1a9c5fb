// One seed: a random stream of operations on the server and on the model, compared after each step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/server.h"

namespace sim {

struct RunOptions {
  uint64_t seed = 1;
  uint64_t steps = 300;
  bool verbose = false;  // Prints every step before it is taken, and what came of it.
};

// Returns a report of the first difference, with the steps before it; nothing if there is none.
// Adds to `tally` what happened.
std::optional<std::string> run_seed(const RunOptions& options, Tally& tally);

}  // namespace sim
