#include "bench/load/fsync_probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/load/clock.h"
#include "bench/load/file_descriptor.h"

namespace load {
namespace {

[[noreturn]] void probe_failed(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// A file that is gone when the probe ends, however it ends.
class ProbeFile {
 public:
  explicit ProbeFile(std::string path)
      : path_(std::move(path)),
        file_(open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (file_.number() < 0) probe_failed(path_);
  }
  ProbeFile(const ProbeFile&) = delete;
  ProbeFile& operator=(const ProbeFile&) = delete;
  ~ProbeFile() { unlink(path_.c_str()); }

  void write_at(const std::vector<char>& bytes, size_t offset) {
    const ssize_t written =
        pwrite(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) probe_failed(path_);
    if (static_cast<size_t>(written) != bytes.size()) throw std::runtime_error("short write");
  }
  void sync_data() {
    if (fdatasync(file_.number()) != 0) probe_failed(path_);
  }
  void allocate(size_t bytes) {
    const int code = posix_fallocate(file_.number(), 0, static_cast<off_t>(bytes));
    if (code != 0) throw std::system_error(code, std::generic_category(), path_);
  }

 private:
  std::string path_;
  FileDescriptor file_;
};

void fill_whole(ProbeFile& file, size_t segment_bytes) {
  const std::vector<char> chunk(size_t{1} << 20, 'r');
  file.allocate(segment_bytes);
  for (size_t offset = 0; offset + chunk.size() <= segment_bytes; offset += chunk.size()) {
    file.write_at(chunk, offset);
  }
  file.sync_data();
}

Samples timed_writes(ProbeFile& file, const FsyncProbeOptions& options, size_t writes,
                     std::chrono::nanoseconds pause) {
  Samples samples(writes);
  std::vector<char> bytes(options.write_bytes, 'w');
  for (size_t i = 0; i < writes; ++i) {
    std::this_thread::sleep_for(pause);  // tidy: allow sleep because the pause is what is measured
    bytes[i % bytes.size()] = static_cast<char>('a' + i % 26);
    const size_t offset = i * options.write_bytes % options.segment_bytes;
    const int64_t start_ns = monotonic_ns();
    file.write_at(bytes, offset);
    file.sync_data();
    samples.add(monotonic_ns() - start_ns);
  }
  return samples;
}

}  // namespace

FsyncProbeResult probe_fsync(const FsyncProbeOptions& options) {
  ProbeFile recycled(options.folder + "/probe-recycled");
  fill_whole(recycled, options.segment_bytes);
  const std::chrono::nanoseconds pause(1'000'000'000 / options.paced_per_second);
  constexpr std::chrono::nanoseconds kNone(0);
  Samples back_to_back = timed_writes(recycled, options, options.writes, kNone);
  Samples paced = timed_writes(recycled, options, options.paced_writes, pause);
  ProbeFile growing(options.folder + "/probe-growing");
  return {.recycled = std::move(back_to_back),
          .growing = timed_writes(growing, options, options.writes, kNone),
          .paced = std::move(paced)};
}

}  // namespace load
