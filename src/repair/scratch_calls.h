// System calls that change nothing: files are read as they are, and what is written to them stays
// in memory, bounded, until this ends. So a data directory can be opened as a start does it, and is
// the same afterwards.
//
// Threading: one thread at a time.
#pragma once
#include <array>
#include <map>
#include <optional>

#include "store/system_calls.h"

namespace repair {

class ScratchCalls final : public store::SystemCalls {
 public:
  // `real` must outlive this. Writing more than `bytes_max` answers -ENOSPC.
  ScratchCalls(store::SystemCalls& real, uint64_t bytes_max) : real_(real), bytes_max_(bytes_max) {}

  int open(const std::string& path, Open how) override;
  int close(int file) override;
  int64_t read(int file, std::span<std::byte> into, uint64_t offset) override;
  int64_t size(int file) override;
  int64_t write(int file, std::span<const std::byte> bytes, uint64_t offset) override;
  int sync_data(int file) override;
  int allocate(int file, uint64_t size_bytes) override;
  int truncate(int file, uint64_t size_bytes) override;

  int rename(const std::string& from, const std::string& to) override;  // -EROFS.
  int remove(const std::string& path) override;
  int make_directory(const std::string& path) override;  // -EROFS.
  int sync_directory(const std::string& path) override;
  int list(const std::string& path, std::vector<std::string>& names) override;  // As it is.
  int volume(const std::string& path, store::VolumeFacts& facts) override;

  // Nobody is kept out: whoever looks holds the directory's own lock.
  int lock(const std::string& path, int64_t& holder) override;
  int lock_shared(const std::string& path, int64_t& holder) override;

 private:
  static constexpr uint64_t kPageBytes = 4096;
  using Page = std::array<std::byte, kPageBytes>;

  // What is known of a path that somebody wants to write to, or has written to.
  struct Content {
    std::map<uint64_t, Page> pages;  // Written ones, by number.
    std::optional<uint64_t> size;    // Nothing: that of the real file.
    uint64_t real_end = UINT64_MAX;  // From here on the real file does not count.
    bool is_removed = false;
  };
  struct OpenFile {
    int real = -1;  // None: it is in memory alone.
    Content* content = nullptr;
  };

  int64_t read_real(const OpenFile& file, std::span<std::byte> into, uint64_t offset);
  int64_t size_of(const OpenFile& file);
  int64_t load(const OpenFile& file, uint64_t number, Page& page);
  int add(OpenFile file);

  store::SystemCalls& real_;
  const uint64_t bytes_max_;
  uint64_t bytes_ = 0;  // Of pages.
  std::map<std::string, Content> contents_;
  std::map<int, OpenFile> files_;
  int next_ = 1;
};

}  // namespace repair
