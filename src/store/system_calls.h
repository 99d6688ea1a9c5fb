// The calls of the operating system that store/ makes on files: the one seam at which faults are
// put in. Thin on purpose: no loop, no retry, no translation; file.h has those, so tests of faults
// run the same loops as production.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace store {

// What statfs says of the volume that holds a path.
struct VolumeFacts {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // For this user: without what is kept back for root.
  uint64_t type = 0;        // The f_type of statfs(2).
};

// Jobs hold what others on the machine must not read.
inline constexpr unsigned kFileMode = 0600;

// Every call answers a value >= 0, or -errno.
// Threading: any thread, as the kernel allows.
class SystemCalls {
 public:
  SystemCalls() = default;
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;
  virtual ~SystemCalls() = default;

  enum class Open : uint8_t { kRead, kReadWrite, kCreateNew };

  virtual int open(const std::string& path, Open how) = 0;  // A descriptor for the calls below.
  virtual int close(int file) = 0;
  virtual int64_t read(int file, std::span<std::byte> into, uint64_t offset) = 0;
  virtual int64_t size(int file) = 0;
  virtual int64_t write(int file, std::span<const std::byte> bytes, uint64_t offset) = 0;
  virtual int sync_data(int file) = 0;                      // fdatasync.
  virtual int allocate(int file, uint64_t size_bytes) = 0;  // Never makes a file shorter.
  virtual int truncate(int file, uint64_t size_bytes) = 0;

  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int remove(const std::string& path) = 0;  // Also an empty directory.
  virtual int make_directory(const std::string& path) = 0;
  virtual int sync_directory(const std::string& path) = 0;
  virtual int list(const std::string& path, std::vector<std::string>& names) = 0;
  virtual int volume(const std::string& path, VolumeFacts& facts) = 0;

  // Opens or makes `path`, locks it without waiting and writes this process' id into it. When it
  // is locked: -EWOULDBLOCK, and the id that it holds (0: none) in `holder`. `close` gives the lock
  // back. It keeps nothing that must last, so no fault layer counts it or takes it back.
  virtual int lock(const std::string& path, int64_t& holder) = 0;

  // The same for who only reads: any number may hold it, none beside `lock`. Changes no byte and
  // makes no file: -ENOENT when there is none.
  virtual int lock_shared(const std::string& path, int64_t& holder) = 0;
};

// Returns the calls of this machine's kernel. It has no state and lives for ever.
SystemCalls& kernel_calls();

}  // namespace store
