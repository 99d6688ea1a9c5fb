// Time, processor time and bytes written of a phase, as one line of JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace bench {

struct Usage {
  base::MonoTime wall;
  double cpu_s = 0;            // User and system, of the whole process.
  uint64_t bytes_written = 0;  // To the disk, as the kernel counts it.
};

Usage usage_now();

// Prints the phase over `jobs` jobs. `flush_ms`: how long each of its flushes took; may be empty.
void report(const std::string& phase, uint64_t jobs, const Usage& begin,
            std::vector<double> flush_ms);

// Makes the kernel forget what it has cached of the file.
void drop_cache(const std::string& path);
uint64_t file_bytes(const std::string& path);

}  // namespace bench
