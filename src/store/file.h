// The only way store/ touches files. It does what the raw calls leave to their caller: goes on
// after a signal and after a short write, closes, and turns errno into a base::Error that names the
// file. DISKFULL means no space (also: a quota); every other refusal of the system is IO.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/system_calls.h"

namespace store {

// An open file; closed when destroyed.
// Threading: one thread at a time.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  // Writes all of `bytes` at `offset`. On an error some of them may have been written.
  virtual base::Status write_at(uint64_t offset, std::span<const std::byte> bytes) = 0;

  // Fills `into` from `offset` on. Returns the count read, less than asked only at the end.
  virtual base::Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) = 0;

  // Makes all that was written durable. Never to be repeated after an error: the kernel has then
  // forgotten which pages it could not write, and a second sync would say OK without them.
  virtual base::Status sync_data() = 0;

  // Gives the file `size_bytes` with blocks behind them; what was not written reads as zeros.
  // Requires: size_bytes is not less than the size.
  virtual base::Status allocate(uint64_t size_bytes) = 0;

  virtual base::Status truncate(uint64_t size_bytes) = 0;
  virtual base::Result<uint64_t> size() = 0;
  virtual const std::string& path() const = 0;
};

enum class VolumeKind : uint8_t { kLasting, kNetwork, kMemory, kOverlay };

struct Volume {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
  VolumeKind kind = VolumeKind::kLasting;
};

// Returns what stands behind a file system type of statfs(2), and its name for people.
VolumeKind volume_kind(uint64_t type);
const char* volume_name(VolumeKind kind);

// Names in directories. A change of names is durable after sync_directory of their directory, and
// not before.
// Threading: any thread.
class FileSystem {
 public:
  // `calls` must outlive this and all files and locks opened with it.
  explicit FileSystem(SystemCalls& calls) : calls_(calls) {}

  // Files are made with mode 0600. A path that is a symbolic link is refused.
  base::Result<std::unique_ptr<File>> open_to_read(const std::string& path);
  base::Result<std::unique_ptr<File>> open_to_write(const std::string& path);
  base::Result<std::unique_ptr<File>> create(const std::string& path);  // It must not exist.

  base::Status rename(const std::string& from, const std::string& to);
  base::Status remove(const std::string& path);  // Also an empty directory.
  base::Status sync_directory(const std::string& path);

  // Makes `path` with mode 0700, and the parents it lacks, and their names durable. OK when it
  // exists.
  base::Status make_directories(const std::string& path);

  base::Result<std::vector<std::string>> list(const std::string& path);  // Sorted.
  base::Result<Volume> volume(const std::string& path);

  // Locks `path` for as long as the answer lives and writes this process' id into it. UNAVAILABLE,
  // with the id of the holder, when another has it.
  base::Result<std::unique_ptr<File>> lock(const std::string& path);

  // The same for who only reads, beside others who do. Changes nothing. NOTFOUND: no server ever
  // locked it, or this is a copy without it.
  base::Result<std::unique_ptr<File>> lock_shared(const std::string& path);

  // For a layer of calls over the same ones.
  SystemCalls& calls() const { return calls_; }

 private:
  base::Result<std::unique_ptr<File>> locked(const std::string& path, int answer, int64_t holder);
  base::Result<std::unique_ptr<File>> open(const std::string& path, SystemCalls::Open how);

  SystemCalls& calls_;
};

}  // namespace store
