// The command line of the loader.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "bench/load/event_loop.h"
#include "bench/load/fsync_probe.h"

namespace CLI {
class App;
}  // namespace CLI

namespace load {

struct Options {
  std::string workload;  // push, life, fill, drain, latency, due or fsync-probe.
  std::string driver;
  Endpoint endpoint{.host = "127.0.0.1", .port = 0};
  uint32_t connections = 50;
  uint32_t depth = 32;
  uint64_t jobs = 100'000;
  size_t args_bytes = 150;
  uint32_t fetch_count = 1;
  uint64_t waiting_max = 10'000;
  uint64_t backlog = 0;
  uint64_t seconds = 0;   // 0: as long as the jobs take.
  uint64_t numbers = 0;   // 0: as many as jobs are drained.
  std::string seen_file;  // Empty: what was handed out is not kept.
  double jobs_per_second = 200;
  uint32_t workers = 1;
  int64_t spread_ms = 5'000;
  int64_t lead_ms = 2'000;
  int64_t timeout_s = 300;
  pid_t server_pid = 0;  // 0: the server's usage is not measured.
  FsyncProbeOptions probe;
};

// Declares the command line on `app`; parsing fills `options`, which must outlive `app`.
void declare_options(CLI::App& app, Options& options);

}  // namespace load
