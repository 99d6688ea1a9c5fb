// dray_load: drives one server with one workload and prints one line of JSON.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>

#include "bench/load/clock.h"
#include "bench/load/deliveries.h"
#include "bench/load/drain_workload.h"
#include "bench/load/driver.h"
#include "bench/load/due_workload.h"
#include "bench/load/event_loop.h"
#include "bench/load/fill_workload.h"
#include "bench/load/fsync_probe.h"
#include "bench/load/json_line.h"
#include "bench/load/latency_workload.h"
#include "bench/load/life_workload.h"
#include "bench/load/options.h"
#include "bench/load/process_usage.h"
#include "bench/load/push_workload.h"

namespace load {
namespace {

// How many numbers jobs may carry that are handed out by a workload which looks at them.
uint64_t numbers_of(const Options& options) {
  if (options.workload == "life") return options.backlog + options.jobs;
  if (options.workload == "drain") return options.numbers == 0 ? options.jobs : options.numbers;
  return 0;
}

std::unique_ptr<Workload> make_workload(const Options& options, Deliveries& seen) {
  if (options.workload == "push") {
    return std::make_unique<PushWorkload>(options.jobs, options.depth);
  }
  if (options.workload == "life") {
    return std::make_unique<LifeWorkload>(LifeOptions{.jobs = options.jobs,
                                                      .depth = options.depth,
                                                      .waiting_max = options.waiting_max,
                                                      .fetch_count = options.fetch_count,
                                                      .backlog = options.backlog,
                                                      .args_bytes = options.args_bytes},
                                          seen);
  }
  if (options.workload == "fill") {
    const int64_t ns_max =
        options.seconds == 0 ? kNeverNs : static_cast<int64_t>(options.seconds) * kNsPerS;
    return std::make_unique<FillWorkload>(FillOptions{.jobs = options.jobs,
                                                      .channel_count = options.connections,
                                                      .depth = options.depth,
                                                      .ns_max = ns_max});
  }
  if (options.workload == "drain") {
    return std::make_unique<DrainWorkload>(
        DrainOptions{
            .jobs = options.jobs, .depth = options.depth, .args_bytes = options.args_bytes},
        seen);
  }
  if (options.workload == "latency") {
    return std::make_unique<LatencyWorkload>(
        LatencyOptions{.jobs = options.jobs, .jobs_per_second = options.jobs_per_second});
  }
  return std::make_unique<DueWorkload>(DueOptions{.jobs = options.jobs,
                                                  .producers = options.connections,
                                                  .depth = options.depth,
                                                  .spread_ms = options.spread_ms,
                                                  .lead_ms = options.lead_ms});
}

// In latency and due, producers and workers have channels of their own.
uint32_t channel_count(const Options& options) {
  if (options.workload == "latency") return 1 + options.workers;
  if (options.workload == "due") return options.connections + options.workers;
  return options.connections;
}

ProcessUsage server_usage(const Options& options) {
  return options.server_pid == 0 ? ProcessUsage{} : process_usage(options.server_pid);
}

// Setup (connecting, memory) is over when the first reading is taken.
void measure(const Options& options, EventLoop& loop, Workload& workload, JsonLine& line) {
  const ProcessUsage server_before = server_usage(options);
  const double own_before = own_cpu_seconds();
  const int64_t start_ns = monotonic_ns();
  loop.run(workload, options.timeout_s * kNsPerS);
  const double seconds = static_cast<double>(monotonic_ns() - start_ns) / 1e9;
  const double own_cpu = own_cpu_seconds() - own_before;
  const ProcessUsage server_after = server_usage(options);

  const double jobs = static_cast<double>(workload.jobs_done());
  line.add("jobs", workload.jobs_done());
  line.add("seconds", seconds);
  line.add("rate", jobs / seconds);
  line.add("loader_cpu_us_per_job", own_cpu * 1e6 / jobs);
  if (options.server_pid != 0) {
    const double cpu = server_after.cpu_seconds - server_before.cpu_seconds;
    const double written =
        static_cast<double>(server_after.write_bytes - server_before.write_bytes);
    line.add("server_cpu_us_per_job", cpu * 1e6 / jobs);
    line.add("server_write_bytes_per_job", written / jobs);
  }
}

void run_workload(const Options& options) {
  const bool blocks = options.workload == "latency" || options.workload == "due";
  const std::unique_ptr<Driver> driver = make_driver({.kind = options.driver,
                                                      .args_bytes = options.args_bytes,
                                                      .channel_count = channel_count(options),
                                                      .fetch_count = options.fetch_count,
                                                      .fetch_blocks = blocks});
  Deliveries seen(numbers_of(options));
  if (!options.seen_file.empty()) seen.load(options.seen_file);
  const std::unique_ptr<Workload> workload = make_workload(options, seen);
  EventLoop loop(options.endpoint, channel_count(options), *driver);
  JsonLine line;
  line.add("workload", options.workload);
  line.add("driver", options.driver);
  line.add("args_bytes", uint64_t{options.args_bytes});
  line.add("channels", uint64_t{channel_count(options)});
  measure(options, loop, *workload, line);
  workload->report(line);
  if (!options.seen_file.empty()) seen.save(options.seen_file);
  std::puts(line.text().c_str());
}

void run_probe(const Options& options) {
  const FsyncProbeResult result = probe_fsync(options.probe);
  JsonLine line;
  line.add("workload", options.workload);
  line.add("writes", uint64_t{options.probe.writes});
  line.add("write_bytes", uint64_t{options.probe.write_bytes});
  result.recycled.report("recycled_", line);
  result.paced.report("paced_", line);
  result.growing.report("growing_", line);
  std::puts(line.text().c_str());
}

}  // namespace
}  // namespace load

int main(int argc, char** argv) {
  load::Options options;
  CLI::App app("Load generator for Dray and the servers it is compared with.", "dray_load");
  load::declare_options(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    if (options.workload == "fsync-probe") {
      load::run_probe(options);
    } else {
      load::run_workload(options);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dray_load: %s\n", error.what());
    return 1;
  }
  return 0;
}
