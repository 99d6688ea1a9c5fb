// tables_bench: how fast the tables take, give back and forget jobs. It makes its file in
// --directory, which must exist, and leaves it there.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/tables/phases.h"

namespace {

base::Status run(const bench::TablesOptions& options) {
  bench::TablesPhases phases(options);
  TRY(phases.open());
  TRY(phases.fill());
  phases.report_size("filled");
  TRY(phases.start(false));
  TRY(phases.start(true));
  TRY(phases.read_back());
  TRY(phases.steady());
  TRY(phases.scattered());
  TRY(phases.start(false));
  TRY(phases.verify());
  phases.report_size("before drain");
  return phases.drain();
}

}  // namespace

int main(int argc, char** argv) {
  bench::TablesOptions options;
  CLI::App app{"Measures the tables alone"};
  app.add_option("--directory", options.directory)->required();
  app.add_option("--rows", options.rows);
  app.add_option("--flush-rows", options.flush_rows);
  app.add_option("--args-bytes", options.args_bytes);
  app.add_option("--queues", options.queues);
  app.add_option("--steady-flushes", options.steady_flushes);
  app.add_option("--scattered-flushes", options.scattered_flushes);
  CLI11_PARSE(app, argc, argv);
  const base::Status done = run(options);
  if (done) return 0;
  fmt::print(stderr, "tables_bench: {}\n", done.error().message);
  return 1;
}
