#include "bench/load/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

namespace load {
namespace {

std::string read_proc(pid_t pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.empty()) throw std::runtime_error("cannot read " + path);
  return text;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

uint64_t cpu_ticks(std::string_view stat_text) {
  const size_t name_end = stat_text.rfind(')');
  if (name_end == std::string_view::npos) throw std::runtime_error("unknown form of /proc stat");
  std::istringstream fields{std::string(stat_text.substr(name_end + 1))};
  // utime and stime are fields 14 and 15; the first one after the name is field 3.
  constexpr int kFieldsBetween = 11;
  std::string skipped;
  for (int i = 0; i < kFieldsBetween; ++i) fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  if (!(fields >> user >> system)) throw std::runtime_error("unknown form of /proc stat");
  return user + system;
}

ProcessUsage process_usage(pid_t pid) {
  ProcessUsage usage;
  const double ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  usage.cpu_seconds = static_cast<double>(cpu_ticks(read_proc(pid, "stat"))) / ticks_per_second;
  std::istringstream io(read_proc(pid, "io"));
  std::string name;
  uint64_t value = 0;
  while (io >> name >> value) {
    if (name == "write_bytes:") usage.write_bytes = value;
  }
  return usage;
}

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace load
