#include "store/system_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace store {
namespace {

constexpr mode_t kDirectoryMode = 0700;

int result_of(int answer) {
  return answer < 0 ? -errno : answer;
}

int flags_of(SystemCalls::Open how) {
  const int always = O_CLOEXEC | O_NOFOLLOW;
  switch (how) {
    case SystemCalls::Open::kRead:
      return always | O_RDONLY;
    case SystemCalls::Open::kReadWrite:
      return always | O_RDWR;
    case SystemCalls::Open::kCreateNew:
      return always | O_RDWR | O_CREAT | O_EXCL;
  }
  return always;
}

constexpr size_t kPidBytes = 24;

int64_t pid_in(int file) {
  std::array<char, kPidBytes> text{};
  if (::pread(file, text.data(), text.size() - 1, 0) < 0) return 0;
  return std::strtoll(text.data(), nullptr, 10);
}

class KernelCalls final : public SystemCalls {
 public:
  int open(const std::string& path, Open how) override {
    return result_of(::open(path.c_str(), flags_of(how), kFileMode));
  }

  int close(int file) override { return result_of(::close(file)); }

  int64_t read(int file, std::span<std::byte> into, uint64_t offset) override {
    const ssize_t got = ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
    return got < 0 ? -errno : got;
  }

  int64_t size(int file) override {
    struct stat facts {};
    return ::fstat(file, &facts) < 0 ? -errno : static_cast<int64_t>(facts.st_size);
  }

  int64_t write(int file, std::span<const std::byte> bytes, uint64_t offset) override {
    const ssize_t put = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    return put < 0 ? -errno : put;
  }

  int sync_data(int file) override { return result_of(::fdatasync(file)); }

  int allocate(int file, uint64_t size_bytes) override {
    return result_of(::fallocate(file, 0, 0, static_cast<off_t>(size_bytes)));
  }

  int truncate(int file, uint64_t size_bytes) override {
    return result_of(::ftruncate(file, static_cast<off_t>(size_bytes)));
  }

  int rename(const std::string& from, const std::string& to) override {
    return result_of(::rename(from.c_str(), to.c_str()));
  }

  int remove(const std::string& path) override { return result_of(::remove(path.c_str())); }

  int make_directory(const std::string& path) override {
    return result_of(::mkdir(path.c_str(), kDirectoryMode));
  }

  int sync_directory(const std::string& path) override {
    const int file = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return -errno;
    const int answer = result_of(::fsync(file));
    ::close(file);
    return answer;
  }

  int list(const std::string& path, std::vector<std::string>& names) override {
    const auto close_it = [](DIR* directory) { ::closedir(directory); };
    const std::unique_ptr<DIR, decltype(close_it)> directory(::opendir(path.c_str()), close_it);
    if (directory == nullptr) return -errno;
    names.clear();
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    return -errno;
  }

  int volume(const std::string& path, VolumeFacts& facts) override {
    struct statfs answer {};
    if (::statfs(path.c_str(), &answer) < 0) return -errno;
    const auto block_bytes = static_cast<uint64_t>(answer.f_bsize);
    facts.total_bytes = answer.f_blocks * block_bytes;
    facts.free_bytes = answer.f_bavail * block_bytes;
    facts.type = static_cast<uint64_t>(answer.f_type) & 0xffffffffU;
    return 0;
  }

  int lock(const std::string& path, int64_t& holder) override {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kFileMode);
    if (file < 0) return -errno;
    if (::flock(file, LOCK_EX | LOCK_NB) < 0) {
      const int error = errno;
      holder = pid_in(file);
      ::close(file);
      return -error;
    }
    // Of one length always, so that nothing of an earlier holder stays behind it.
    std::string text = std::to_string(::getpid());
    text.resize(kPidBytes - 1, ' ');
    text += '\n';
    if (::pwrite(file, text.data(), text.size(), 0) < 0) {
      // It is for people only; the lock holds without it.
    }
    return file;
  }

  int lock_shared(const std::string& path, int64_t& holder) override {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return -errno;
    if (::flock(file, LOCK_SH | LOCK_NB) == 0) return file;
    const int error = errno;
    holder = pid_in(file);
    ::close(file);
    return -error;
  }
};

}  // namespace

SystemCalls& kernel_calls() {
  static KernelCalls calls;
  return calls;
}

}  // namespace store
