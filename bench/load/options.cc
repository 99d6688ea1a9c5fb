#include "bench/load/options.h"

#include <CLI/CLI.hpp>

#include "bench/load/args.h"

namespace load {
namespace {

CLI::App* add_workload(CLI::App& app, Options& options, const char* name, const char* what) {
  CLI::App* const command = app.add_subcommand(name, what);
  command->callback([&options, name] { options.workload = name; });
  command->add_option("--driver", options.driver, "dray, redis or beanstalkd")->required();
  command->add_option("--host", options.endpoint.host, "numeric address of the server");
  command->add_option("--port", options.endpoint.port, "port of the server")->required();
  command->add_option("--jobs", options.jobs, "number of jobs")->check(CLI::PositiveNumber);
  command->add_option("--args-bytes", options.args_bytes, "size of a job's JSON args")
      ->check(CLI::Range(kArgsBytesMin, size_t{60'000}));
  command->add_option("--timeout-s", options.timeout_s, "give up after this many seconds");
  command->add_option("--server-pid", options.server_pid, "process whose CPU and writes count");
  return command;
}

void add_pipelines(CLI::App& command, Options& options) {
  command.add_option("--connections", options.connections, "number of connections")
      ->check(CLI::Range(1, 10'000));
  command.add_option("--depth", options.depth, "requests in flight per connection")
      ->check(CLI::Range(1, 10'000));
}

void add_seen(CLI::App& command, Options& options) {
  command.add_option("--seen", options.seen_file,
                     "file that keeps, from run to run, which jobs were handed out");
}

}  // namespace

void declare_options(CLI::App& app, Options& options) {
  app.require_subcommand(1);
  CLI::App* const push = add_workload(app, options, "push", "a burst of pushes");
  add_pipelines(*push, options);

  CLI::App* const life = add_workload(app, options, "life", "push, fetch and acknowledge");
  add_pipelines(*life, options);
  life->add_option("--fetch-count", options.fetch_count, "jobs per fetch (dray only)")
      ->check(CLI::Range(1, 1'000));
  life->add_option("--waiting-max", options.waiting_max,
                   "most jobs that may wait in the server, beside the backlog")
      ->check(CLI::PositiveNumber);
  life->add_option("--backlog", options.backlog,
                   "jobs of a `fill` that wait in the server already");
  add_seen(*life, options);

  CLI::App* const fill = add_workload(app, options, "fill", "pushes without consumers");
  add_pipelines(*fill, options);
  fill->add_option("--seconds", options.seconds, "stop after this time, whatever --jobs says")
      ->check(CLI::PositiveNumber);

  CLI::App* const drain = add_workload(app, options, "drain", "consumers only, one job per fetch");
  add_pipelines(*drain, options);
  drain->add_option("--numbers", options.numbers,
                    "the jobs carry numbers below this (default: --jobs)");
  add_seen(*drain, options);

  CLI::App* const latency = add_workload(app, options, "latency", "push to waiting handler");
  latency->add_option("--rate", options.jobs_per_second, "pushes per second")
      ->check(CLI::PositiveNumber);
  latency->add_option("--workers", options.workers, "waiting workers")->check(CLI::Range(1, 1'000));

  CLI::App* const due = add_workload(app, options, "due", "delayed jobs that fall due (dray only)");
  add_pipelines(*due, options);
  due->add_option("--workers", options.workers, "waiting workers")->check(CLI::Range(1, 1'000));
  due->add_option("--fetch-count", options.fetch_count, "jobs per fetch")
      ->check(CLI::Range(1, 1'000));
  due->add_option("--spread-ms", options.spread_ms, "from the first due time to the last")
      ->check(CLI::PositiveNumber);
  due->add_option("--lead-ms", options.lead_ms, "from the first push to the first due time")
      ->check(CLI::PositiveNumber);

  CLI::App* const probe = app.add_subcommand("fsync-probe", "time of a small write and its sync");
  probe->callback([&options] { options.workload = "fsync-probe"; });
  probe->add_option("--dir", options.probe.folder, "existing folder on the disk in question")
      ->required()
      ->check(CLI::ExistingDirectory);
  probe->add_option("--writes", options.probe.writes, "writes per file")
      ->check(CLI::PositiveNumber);
}

}  // namespace load
