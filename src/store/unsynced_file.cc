#include "store/unsynced_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "store/system_calls.h"

namespace store {
namespace {

constexpr uint64_t kChances = 4;  // A sector survives with k/kChances; k is drawn for each cut.

int real_write(int file, std::span<const std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0) return -errno;
    bytes = bytes.subspan(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return 0;
}

int real_resize(int file, uint64_t size_bytes) {
  return ::ftruncate(file, static_cast<off_t>(size_bytes)) < 0 ? -errno : 0;
}

}  // namespace

UnsyncedFile::UnsyncedFile(std::string path, bool hidden)
    : path_(std::move(path)), hidden_path_(hidden ? path_ : "") {}

UnsyncedFile UnsyncedFile::existing(std::string path) {
  return {std::move(path), false};
}
UnsyncedFile UnsyncedFile::hidden(std::string hidden_path) {
  return {std::move(hidden_path), true};
}

UnsyncedFile::UnsyncedFile(UnsyncedFile&& other) noexcept
    : path_(std::move(other.path_)),
      hidden_path_(std::exchange(other.hidden_path_, "")),
      file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      real_size_(other.real_size_),
      real_valid_(other.real_valid_),
      sectors_(std::move(other.sectors_)) {}

UnsyncedFile::~UnsyncedFile() {
  if (file_ >= 0) ::close(file_);
  if (is_hidden()) ::unlink(hidden_path_.c_str());
}

int UnsyncedFile::open() {
  if (file_ >= 0) return 0;
  const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (is_hidden() ? O_CREAT | O_EXCL : 0);
  file_ = ::open(path_.c_str(), flags, kFileMode);
  if (file_ < 0) return -errno;
  struct stat facts {};
  if (::fstat(file_, &facts) < 0) return -errno;
  size_ = real_size_ = real_valid_ = static_cast<uint64_t>(facts.st_size);
  return 0;
}

int64_t UnsyncedFile::size() {
  const int opened = open();
  return opened < 0 ? opened : static_cast<int64_t>(size_);
}

int UnsyncedFile::read_real(std::span<std::byte> into, uint64_t offset) {
  const uint64_t shown = std::min(real_valid_, size_);
  uint64_t wanted = offset < shown ? std::min<uint64_t>(into.size(), shown - offset) : 0;
  size_t done = 0;
  while (done < wanted) {
    const ssize_t got =
        ::pread(file_, into.data() + done, wanted - done, static_cast<off_t>(offset + done));
    if (got < 0) return -errno;
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  std::fill(into.begin() + static_cast<ptrdiff_t>(done), into.end(), std::byte{0});
  return 0;
}

int64_t UnsyncedFile::read(std::span<std::byte> into, uint64_t offset) {
  if (const int opened = open(); opened < 0) return opened;
  if (offset >= size_) return 0;
  into = into.first(std::min<uint64_t>(into.size(), size_ - offset));
  if (const int got = read_real(into, offset); got < 0) return got;
  const uint64_t end = offset + into.size();
  for (auto it = sectors_.lower_bound(offset / kSectorBytes);
       it != sectors_.end() && it->first * kSectorBytes < end; ++it) {
    const uint64_t start = it->first * kSectorBytes;
    const uint64_t from = std::max(start, offset);
    const uint64_t to = std::min(start + kSectorBytes, end);
    std::memcpy(into.data() + (from - offset), it->second.bytes.data() + (from - start), to - from);
  }
  return static_cast<int64_t>(into.size());
}

UnsyncedFile::Sector& UnsyncedFile::sector_for_write(uint64_t number) {
  const auto [it, is_new] = sectors_.try_emplace(number);
  if (is_new) {
    const int got = read_real(it->second.bytes, number * kSectorBytes);
    ASSERT(got == 0, "the fault layer cannot read {}: {}", path_, got);
  }
  it->second.clean = false;
  return it->second;
}

int64_t UnsyncedFile::write(std::span<const std::byte> bytes, uint64_t offset) {
  if (const int opened = open(); opened < 0) return opened;
  for (uint64_t done = 0; done < bytes.size();) {
    const uint64_t at = offset + done;
    const uint64_t in_sector = at % kSectorBytes;
    const uint64_t count = std::min(kSectorBytes - in_sector, bytes.size() - done);
    Sector& sector = sector_for_write(at / kSectorBytes);
    std::memcpy(sector.bytes.data() + in_sector, bytes.data() + done, count);
    done += count;
  }
  size_ = std::max(size_, offset + bytes.size());
  return static_cast<int64_t>(bytes.size());
}

int UnsyncedFile::set_size(uint64_t size_bytes) {
  if (const int opened = open(); opened < 0) return opened;
  if (size_bytes < size_) {
    const uint64_t kept = (size_bytes + kSectorBytes - 1) / kSectorBytes;
    sectors_.erase(sectors_.lower_bound(kept), sectors_.end());
    real_valid_ = std::min(real_valid_, size_bytes);
    if (size_bytes % kSectorBytes != 0 && sectors_.contains(size_bytes / kSectorBytes)) {
      Sector& last = sectors_[size_bytes / kSectorBytes];
      std::fill(last.bytes.begin() + static_cast<ptrdiff_t>(size_bytes % kSectorBytes),
                last.bytes.end(), std::byte{0});
    }
  }
  size_ = size_bytes;
  return 0;
}

int UnsyncedFile::write_sector(uint64_t number, const Sector& sector, uint64_t limit_bytes) {
  const uint64_t start = number * kSectorBytes;
  if (start >= limit_bytes) return 0;
  const uint64_t count = std::min(kSectorBytes, limit_bytes - start);
  return real_write(file_, std::span(sector.bytes).first(count), start);
}

// Joins neighbours into one write: a spare has many.
int UnsyncedFile::write_dirty_runs() {
  std::vector<std::byte> run;
  uint64_t run_start = 0;
  for (auto it = sectors_.begin(); it != sectors_.end();) {
    if (it->second.clean) {
      ++it;
      continue;
    }
    const uint64_t start = it->first * kSectorBytes;
    if (!run.empty() && run_start + run.size() != start) {
      if (const int put = real_write(file_, run, run_start); put < 0) return put;
      run.clear();
    }
    if (run.empty()) run_start = start;
    const uint64_t count = std::min(kSectorBytes, size_ - std::min(size_, start));
    run.insert(run.end(), it->second.bytes.begin(),
               it->second.bytes.begin() + static_cast<ptrdiff_t>(count));
    it = sectors_.erase(it);
  }
  return real_write(file_, run, run_start);
}

int UnsyncedFile::sync() {
  if (const int opened = open(); opened < 0) return opened;
  if (real_valid_ < real_size_) {
    if (const int cut = real_resize(file_, real_valid_); cut < 0) return cut;
  }
  if (const int put = write_dirty_runs(); put < 0) return put;
  if (const int sized = real_resize(file_, size_); sized < 0) return sized;
  real_size_ = real_valid_ = size_;
  return 0;
}

void UnsyncedFile::fail_sync(base::Random& random) {
  for (auto& [number, sector] : sectors_) {
    if (sector.clean) continue;
    if (random.below(2) == 0) {
      ASSERT(write_sector(number, sector, real_size_) == 0, "cannot write {}", path_);
    }
    sector.clean = true;
  }
}

void UnsyncedFile::cut(base::Random& random) {
  if (file_ < 0) return;
  if (random.below(2) == 0) {  // The size is a change like any other.
    if (real_valid_ < real_size_) ASSERT(real_resize(file_, real_valid_) == 0);
    ASSERT(real_resize(file_, size_) == 0, "cannot resize {}", path_);
    real_size_ = size_;
  }
  const uint64_t chance = random.below(kChances + 1);
  for (const auto& [number, sector] : sectors_) {
    if (sector.clean || random.below(kChances) >= chance) continue;
    ASSERT(write_sector(number, sector, real_size_) == 0, "cannot write {}", path_);
  }
  sectors_.clear();
}

int UnsyncedFile::reveal(const std::string& path) {
  ASSERT(is_hidden());
  if (::rename(hidden_path_.c_str(), path.c_str()) < 0) return -errno;
  hidden_path_.clear();
  path_ = path;
  return 0;
}

void UnsyncedFile::moved(const std::string& directory) {
  const auto move = [&directory](std::string& path) {
    if (!path.empty()) path = directory + path.substr(path.rfind('/'));
  };
  move(path_);
  move(hidden_path_);
}

}  // namespace store
