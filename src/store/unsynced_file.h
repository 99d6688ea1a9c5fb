// One file of the crash build: what was synced lies in a real file, what was not lies in memory.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/random.h"

namespace store {

// Sectors are the unit in which unsynced bytes survive a power cut or do not.
// Threading: one thread at a time. Calls answer as SystemCalls does: >= 0, or -errno.
class UnsyncedFile {
 public:
  // A file that is there, opened at its first use.
  static UnsyncedFile existing(std::string path);
  // A new file. It is kept under `hidden_path` until its name is durable.
  static UnsyncedFile hidden(std::string hidden_path);

  UnsyncedFile(UnsyncedFile&& other) noexcept;
  UnsyncedFile& operator=(UnsyncedFile&&) = delete;
  ~UnsyncedFile();  // Removes the real file if it is still hidden.

  int open();
  int64_t read(std::span<std::byte> into, uint64_t offset);
  int64_t size();
  int64_t write(std::span<const std::byte> bytes, uint64_t offset);
  int set_size(uint64_t size_bytes);

  // Makes all that is in memory real.
  int sync();

  // What a failed fdatasync leaves, as Linux does it: some sectors reached the disk; the others
  // count as clean, so they are still read but no later sync writes them.
  void fail_sync(base::Random& random);

  // What a power cut leaves: some of the unsynced sectors.
  void cut(base::Random& random);

  bool is_hidden() const { return !hidden_path_.empty(); }
  // Gives the real file its name. Requires: is_hidden().
  int reveal(const std::string& path);
  // The directory that holds it has another path now.
  void moved(const std::string& directory);

 private:
  static constexpr uint64_t kSectorBytes = 512;

  struct Sector {
    std::array<std::byte, kSectorBytes> bytes{};
    bool clean = false;  // Lost by a failed sync: read, never written.
  };

  UnsyncedFile(std::string path, bool hidden);
  Sector& sector_for_write(uint64_t number);
  int write_sector(uint64_t number, const Sector& sector, uint64_t limit_bytes);
  int write_dirty_runs();
  int read_real(std::span<std::byte> into, uint64_t offset);

  std::string path_;
  std::string hidden_path_;
  int file_ = -1;
  uint64_t size_ = 0;        // As its user sees it.
  uint64_t real_size_ = 0;   // Of the real file.
  uint64_t real_valid_ = 0;  // How much of the real file still shows through.
  std::map<uint64_t, Sector> sectors_;
};

}  // namespace store
