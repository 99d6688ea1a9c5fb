#include "store/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/assert.h"

namespace store {
namespace {

using base::ErrorCode;

constexpr size_t kZeroChunkBytes = size_t{1} << 20U;

// The one place where errno becomes an Error.
tl::unexpected<base::Error> system_error(const std::string& path, const char* what,
                                         int64_t answer) {
  ASSERT(answer < 0, "{} answered {}", what, answer);
  const int error = static_cast<int>(-answer);
  const bool full = error == ENOSPC || error == EDQUOT;
  const ErrorCode code = full              ? ErrorCode::kDiskFull
                         : error == ENOENT ? ErrorCode::kNotFound
                                           : ErrorCode::kIo;
  return base::fail(code, "{}: cannot {}: {}", path, what, std::generic_category().message(error));
}

base::Status status_of(const std::string& path, const char* what, int answer) {
  if (answer < 0) return system_error(path, what, answer);
  return {};
}

class SystemFile final : public File {
 public:
  SystemFile(SystemCalls& calls, int file, std::string path)
      : calls_(calls), file_(file), path_(std::move(path)) {
    ASSERT(file >= 0, "{}: {}", path_, file);
  }

  // What close() says of writing comes too late to act on: sync_data has said it before.
  ~SystemFile() override { calls_.close(file_); }

  base::Status write_at(uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const int64_t put = calls_.write(file_, bytes, offset);
      if (put == -EINTR) continue;
      if (put < 0) return system_error(path_, "write", put);
      if (put == 0) return system_error(path_, "write", -EIO);
      ASSERT(static_cast<uint64_t>(put) <= bytes.size(), "wrote {} of {}", put, bytes.size());
      bytes = bytes.subspan(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    }
    return {};
  }

  base::Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    size_t done = 0;
    while (done < into.size()) {
      const int64_t got = calls_.read(file_, into.subspan(done), offset + done);
      if (got == -EINTR) continue;
      if (got < 0) {
        return base::fail(ErrorCode::kIo, "{}: cannot read at offset {}: {}", path_, offset + done,
                          std::generic_category().message(static_cast<int>(-got)));
      }
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  // Not even a signal makes this call again: whether the first one had begun is not known.
  base::Status sync_data() override { return status_of(path_, "sync", calls_.sync_data(file_)); }

  base::Status allocate(uint64_t size_bytes) override {
    int answer = -EINTR;
    while (answer == -EINTR) answer = calls_.allocate(file_, size_bytes);
    if (answer == -EOPNOTSUPP || answer == -ENOSYS) return write_zeros_up_to(size_bytes);
    return status_of(path_, "allocate", answer);
  }

  base::Status truncate(uint64_t size_bytes) override {
    int answer = -EINTR;
    while (answer == -EINTR) answer = calls_.truncate(file_, size_bytes);
    return status_of(path_, "truncate", answer);
  }

  base::Result<uint64_t> size() override {
    const int64_t answer = calls_.size(file_);
    if (answer < 0) return system_error(path_, "stat", answer);
    return static_cast<uint64_t>(answer);
  }

  const std::string& path() const override { return path_; }

 private:
  // For file systems that cannot set blocks aside.
  base::Status write_zeros_up_to(uint64_t size_bytes) {
    const std::vector<std::byte> zeros(kZeroChunkBytes);
    for (uint64_t at = TRY(size()); at < size_bytes;) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(zeros.size(), size_bytes - at));
      TRY(write_at(at, std::span(zeros).first(count)));
      at += count;
    }
    return {};
  }

  SystemCalls& calls_;
  const int file_;
  const std::string path_;
};

std::string parent_of(const std::string& path) {
  const size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) return "/";
  const size_t slash = path.rfind('/', last);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

VolumeKind volume_kind(uint64_t type) {
  switch (type) {
    case 0x6969:      // NFS
    case 0x517b:      // SMB
    case 0xff534d42:  // CIFS
    case 0xfe534d42:  // SMB 2
      return VolumeKind::kNetwork;
    case 0x01021994:  // tmpfs
    case 0x858458f6:  // ramfs
      return VolumeKind::kMemory;
    case 0x794c7630:  // overlayfs
      return VolumeKind::kOverlay;
    default:
      return VolumeKind::kLasting;
  }
}

const char* volume_name(VolumeKind kind) {
  switch (kind) {
    case VolumeKind::kLasting:
      return "a lasting volume";
    case VolumeKind::kNetwork:
      return "a network file system, whose locks and syncs cannot be relied on";
    case VolumeKind::kMemory:
      return "held in memory (tmpfs) and gone after a restart";
    case VolumeKind::kOverlay:
      return "the overlay of a container and gone with it";
  }
  return "unknown";
}

base::Result<std::unique_ptr<File>> FileSystem::open(const std::string& path,
                                                     SystemCalls::Open how) {
  int answer = -EINTR;
  while (answer == -EINTR) answer = calls_.open(path, how);
  const bool create = how == SystemCalls::Open::kCreateNew;
  if (answer < 0) return system_error(path, create ? "create" : "open", answer);
  return std::make_unique<SystemFile>(calls_, answer, path);
}

base::Result<std::unique_ptr<File>> FileSystem::open_to_read(const std::string& path) {
  return open(path, SystemCalls::Open::kRead);
}

base::Result<std::unique_ptr<File>> FileSystem::open_to_write(const std::string& path) {
  return open(path, SystemCalls::Open::kReadWrite);
}

base::Result<std::unique_ptr<File>> FileSystem::create(const std::string& path) {
  return open(path, SystemCalls::Open::kCreateNew);
}

base::Status FileSystem::rename(const std::string& from, const std::string& to) {
  return status_of(from, ("rename to " + to).c_str(), calls_.rename(from, to));
}

base::Status FileSystem::remove(const std::string& path) {
  return status_of(path, "remove", calls_.remove(path));
}

base::Status FileSystem::sync_directory(const std::string& path) {
  return status_of(path, "sync", calls_.sync_directory(path));
}

base::Status FileSystem::make_directories(const std::string& path) {
  const std::string parent = parent_of(path);
  int answer = calls_.make_directory(path);
  if (answer == -ENOENT && parent != path) {
    TRY(make_directories(parent));
    answer = calls_.make_directory(path);
  }
  if (answer < 0 && answer != -EEXIST) return system_error(path, "make directory", answer);
  // Also when it was there: who made it may have died before it was durable. A parent that this
  // user may not read cannot be synced by it, and was not made by it either.
  const int synced = calls_.sync_directory(parent);
  if (synced == -EACCES && answer == -EEXIST) return {};
  return status_of(parent, "sync", synced);
}

base::Result<std::vector<std::string>> FileSystem::list(const std::string& path) {
  std::vector<std::string> names;
  const int answer = calls_.list(path, names);
  if (answer < 0) return system_error(path, "list", answer);
  std::sort(names.begin(), names.end());
  return names;
}

base::Result<Volume> FileSystem::volume(const std::string& path) {
  VolumeFacts facts;
  const int answer = calls_.volume(path, facts);
  if (answer < 0) return system_error(path, "look at the volume of", answer);
  return Volume{facts.total_bytes, facts.free_bytes, volume_kind(facts.type)};
}

base::Result<std::unique_ptr<File>> FileSystem::lock(const std::string& path) {
  int64_t holder = 0;
  const int answer = calls_.lock(path, holder);
  return locked(path, answer, holder);
}

base::Result<std::unique_ptr<File>> FileSystem::lock_shared(const std::string& path) {
  int64_t holder = 0;
  const int answer = calls_.lock_shared(path, holder);
  return locked(path, answer, holder);
}

base::Result<std::unique_ptr<File>> FileSystem::locked(const std::string& path, int answer,
                                                       int64_t holder) {
  if (answer == -EWOULDBLOCK) {
    const std::string who = holder > 0 ? fmt::format("process {}", holder) : "another process";
    return base::fail(ErrorCode::kUnavailable,
                      "{}: {} holds this data directory; stop it, or use another directory", path,
                      who);
  }
  if (answer < 0) return system_error(path, "lock", answer);
  return std::make_unique<SystemFile>(calls_, answer, path);
}

}  // namespace store
