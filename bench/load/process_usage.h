// What a process has used so far, as the kernel counts it.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace load {

struct ProcessUsage {
  double cpu_seconds = 0;    // User and system, all threads, ended ones included.
  uint64_t write_bytes = 0;  // Sent to the storage layer.
};

// Reads /proc/<pid>/stat and /proc/<pid>/io. Throws std::runtime_error when the process is gone.
ProcessUsage process_usage(pid_t pid);

// Returns the seconds of user and system time that this process has used.
double own_cpu_seconds();

// Returns utime + stime, in ticks, of the text of a /proc/<pid>/stat. The program's name, which may
// hold spaces and parentheses, stands before them.
uint64_t cpu_ticks(std::string_view stat_text);

}  // namespace load
