#include "bench/tables/measure.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace bench {
namespace {

uint64_t written_bytes() {
  std::ifstream in("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  while (in >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return 0;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double percentile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(part * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

Usage usage_now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return {base::SystemClock().mono(), seconds(usage.ru_utime) + seconds(usage.ru_stime),
          written_bytes()};
}

void report(const std::string& phase, uint64_t jobs, const Usage& begin,
            std::vector<double> flush_ms) {
  const Usage end = usage_now();
  const double wall_s = static_cast<double>((end.wall - begin.wall).count()) / 1e9;
  const double cpu_s = end.cpu_s - begin.cpu_s;
  const auto count = static_cast<double>(std::max<uint64_t>(jobs, 1));
  std::sort(flush_ms.begin(), flush_ms.end());
  fmt::print(
      "{{\"phase\":\"{}\",\"jobs\":{},\"wall_s\":{:.3f},\"cpu_s\":{:.3f},\"per_s\":{:.0f},"
      "\"wall_us\":{:.3f},\"cpu_us\":{:.3f},\"bytes\":{:.0f},\"flush_p50_ms\":{:.1f},"
      "\"flush_max_ms\":{:.1f}}}\n",
      phase, jobs, wall_s, cpu_s, count / wall_s, wall_s * 1e6 / count, cpu_s * 1e6 / count,
      static_cast<double>(end.bytes_written - begin.bytes_written) / count,
      percentile(flush_ms, 0.5), percentile(flush_ms, 1.0));
  std::fflush(stdout);
}

void drop_cache(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ::fdatasync(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

uint64_t file_bytes(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? static_cast<uint64_t>(facts.st_size) : 0;
}

}  // namespace bench
