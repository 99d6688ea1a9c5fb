// Measures the disk alone: one small write and its sync, again and again.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/load/samples.h"

namespace load {

struct FsyncProbeOptions {
  std::string folder;
  size_t writes = 1'000;
  size_t paced_writes = 400;
  int64_t paced_per_second = 200;  // The latency workload's rate: a disk at rest is slower.
  size_t write_bytes = 4'096;
  size_t segment_bytes = size_t{64} << 20;
};

struct FsyncProbeResult {
  Samples recycled;  // In a file whose blocks were allocated and written before: data only.
  Samples growing;   // At the end of a new file: data, size and allocation.
  Samples paced;     // As `recycled`, with a pause before each write.
};

// Writes and removes two files in `folder`. Throws std::system_error on any error of the disk.
FsyncProbeResult probe_fsync(const FsyncProbeOptions& options);

}  // namespace load
