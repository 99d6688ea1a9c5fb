#include "store/file_journal/spare_pool.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "store/file_journal/format.h"

namespace store {
namespace {

using base::ErrorCode;

// One call of prepare() may keep an append waiting for as long as this takes to write and sync.
constexpr uint64_t kStepBytes = uint64_t{4} << 20U;
constexpr size_t kZeroPieceBytes = size_t{32} << 10U;

// Spares kept over the wanted count when a trim frees many segments at once: a recycled file costs
// nothing, a new one has to be written.
constexpr uint32_t kSparesKeptOver = 2;

constexpr std::string_view kSegmentInTheMaking = "segment.new";

const char* level_name(DiskLevel level) {
  switch (level) {
    case DiskLevel::kFine:
      return "fine";
    case DiskLevel::kLow:
      return "low";
    case DiskLevel::kBallast:
      return "ballast";
    case DiskLevel::kFull:
      return "full";
  }
  return "unknown";
}

// No space is an answer that changes the level; anything else is an error.
bool is_full(const base::Status& status) {
  return !status.has_value() && status.error().code == ErrorCode::kDiskFull;
}

}  // namespace

SparePool::SparePool(const DataDirectory& directory, const SparePoolOptions& options)
    : directory_(directory), options_(options) {
  ASSERT(options.segment_bytes >= format::kSegmentBytesMin, "{} bytes", options.segment_bytes);
  ASSERT(options.segment_bytes % format::kPageBytes == 0, "{} bytes", options.segment_bytes);
  ASSERT(options.ballast_bytes % format::kPageBytes == 0, "{} bytes", options.ballast_bytes);
}

base::Status SparePool::adopt(const DirectoryListing& listing) {
  FileSystem& files = directory_.files();
  for (const uint64_t number : listing.spares) {
    const std::string path = directory_.spare_path(number);
    next_number_ = std::max(next_number_, number + 1);
    const std::unique_ptr<File> file = TRY(files.open_to_read(path));
    if (TRY(file->size()) == options_.segment_bytes) {
      spares_.push_back(number);
    } else {
      TRY(files.remove(path));
    }
  }
  if (listing.has_ballast) {
    const std::string path = directory_.path_of(format::kBallastName);
    const std::unique_ptr<File> file = TRY(files.open_to_read(path));
    has_ballast_ = options_.ballast_bytes > 0 && TRY(file->size()) == options_.ballast_bytes;
    if (!has_ballast_) TRY(files.remove(path));
  }
  return refresh();
}

base::Result<SpareFile> SparePool::find(uint64_t bytes) {
  if (bytes <= options_.segment_bytes && !spares_.empty()) {
    return SpareFile{directory_.spare_path(spares_.back()), options_.segment_bytes};
  }
  auto made = make_for_use(std::max(options_.segment_bytes, bytes));
  if (made.has_value() || made.error().code != ErrorCode::kDiskFull) return made;
  if (has_ballast_ && bytes <= options_.ballast_bytes) {
    return SpareFile{directory_.path_of(format::kBallastName), options_.ballast_bytes};
  }
  full_ = true;
  TRY(refresh());
  return made;
}

// In a hurry: blocks are set aside, not written, since an append waits. Syncs into it cost more
// than into a written one, but less than writing it first.
base::Result<SpareFile> SparePool::make_for_use(uint64_t bytes) {
  TRY(drop_unfinished());  // Its space may be what is missing.
  FileSystem& files = directory_.files();
  const SpareFile made{directory_.path_of(kSegmentInTheMaking), bytes};
  auto file = files.create(made.path);
  if (!file.has_value()) return tl::unexpected(file.error());
  const base::Status allocated = (*file)->allocate(bytes);
  if (allocated.has_value()) return made;
  if (is_full(allocated)) TRY(files.remove(made.path));
  return tl::unexpected(allocated.error());
}

void SparePool::taken(const SpareFile& file) {
  full_ = false;
  if (!spares_.empty() && file.path == directory_.spare_path(spares_.back())) {
    spares_.pop_back();
  } else if (file.path == directory_.path_of(format::kBallastName)) {
    has_ballast_ = false;
    ballast_used_ = true;
  }
}

base::Status SparePool::not_taken(const SpareFile& file) {
  if (file.path != directory_.path_of(kSegmentInTheMaking)) return {};
  return directory_.files().remove(file.path);
}

base::Status SparePool::give_back(const SpareFile& file) {
  denied_ = false;
  if (wants_ballast() && file.bytes == options_.ballast_bytes) {
    has_ballast_ = TRY(keep(file.path, directory_.path_of(format::kBallastName)));
    if (has_ballast_) ballast_used_ = false;
    return {};
  }
  // Below the reserve the space is better given to others.
  const uint32_t over = free_bytes_ < options_.reserve_bytes ? 0 : kSparesKeptOver;
  if (file.bytes == options_.segment_bytes && spares_.size() < options_.spare_count + over) {
    if (TRY(keep(file.path, directory_.spare_path(next_number_))))
      spares_.push_back(next_number_++);
    return {};
  }
  return directory_.files().remove(file.path);
}

// Gives a file its new name. Where not even the name has room, the file goes: false.
base::Result<bool> SparePool::keep(const std::string& path, const std::string& target) {
  const base::Status renamed = directory_.files().rename(path, target);
  if (renamed.has_value()) return true;
  if (!is_full(renamed)) return tl::unexpected(renamed.error());
  TRY(directory_.files().remove(path));
  return false;
}

base::Status SparePool::prepare() {
  denied_ = false;
  TRY(refresh());
  if (unfinished_ == nullptr && pending_) TRY(begin(!wants_spare()));
  if (unfinished_ != nullptr) TRY(step());
  return refresh();
}

base::Status SparePool::prepare_first() {
  TRY(refresh());
  while (spares_.size() < options_.spare_count && pending_) TRY(prepare());
  return {};
}

base::Status SparePool::begin(bool ballast) {
  const std::string target =
      ballast ? directory_.path_of(format::kBallastName) : directory_.spare_path(next_number_);
  auto file = directory_.files().create(target + std::string(format::kUnfinishedSuffix));
  if (!file.has_value()) {
    if (file.error().code == ErrorCode::kDiskFull) return deny();
    return tl::unexpected(file.error());
  }
  unfinished_ = std::make_unique<Unfinished>();
  unfinished_->file = *std::move(file);
  unfinished_->target = target;
  unfinished_->is_ballast = ballast;
  unfinished_->bytes = ballast ? options_.ballast_bytes : options_.segment_bytes;
  const base::Status allocated = unfinished_->file->allocate(unfinished_->bytes);
  return is_full(allocated) ? deny() : allocated;
}

base::Status SparePool::step() {
  Unfinished& work = *unfinished_;
  // The ballast is there to be given up: its blocks are set aside, but not written.
  if (work.is_ballast) work.written = work.bytes;
  const uint64_t count = std::min(kStepBytes, work.bytes - work.written);
  // In small pieces: a large write makes large folios in the page cache, and each small frame that
  // is later written into one costs the kernel as much as the whole of it (measured: 13 KiB
  // accounted per life instead of 280 bytes, and a seventh of the throughput).
  static constexpr std::array<std::byte, kZeroPieceBytes> kZeros{};
  base::Status done;
  for (uint64_t at = 0; at < count && done.has_value(); at += kZeros.size()) {
    const auto piece = std::span(kZeros).first(std::min<uint64_t>(kZeros.size(), count - at));
    done = work.file->write_at(work.written + at, piece);
  }
  if (done.has_value()) done = work.file->sync_data();
  if (is_full(done)) return deny();
  TRY(done);
  work.written += count;
  if (work.written < work.bytes) return {};

  const bool kept = TRY(keep(work.file->path(), work.target));
  if (kept && work.is_ballast) {
    has_ballast_ = true;
    ballast_used_ = false;
  } else if (kept) {
    spares_.push_back(next_number_++);
  }
  unfinished_.reset();
  return {};
}

base::Status SparePool::deny() {
  denied_ = true;
  return drop_unfinished();
}

base::Status SparePool::drop_unfinished() {
  if (unfinished_ == nullptr) return {};
  const std::string path = unfinished_->file->path();
  unfinished_.reset();
  return directory_.files().remove(path);
}

// True when `bytes` can be taken and the reserve is still there.
bool SparePool::has_room_for(uint64_t bytes) const {
  return free_bytes_ >= options_.reserve_bytes && free_bytes_ - options_.reserve_bytes >= bytes;
}

base::Status SparePool::refresh() {
  free_bytes_ = TRY(directory_.files().volume(directory_.path())).free_bytes;
  if (!spares_.empty() || has_ballast_ || free_bytes_ >= options_.segment_bytes) full_ = false;
  set_level();
  return {};
}

void SparePool::set_level() {
  // A spare in the making has its space already.
  const uint64_t begun = unfinished_ != nullptr && !unfinished_->is_ballast ? 1 : 0;
  const uint64_t have = spares_.size() + begun;
  const uint64_t missing = options_.spare_count - std::min<uint64_t>(have, options_.spare_count);
  const DiskLevel before = level_;
  if (full_) {
    level_ = DiskLevel::kFull;
  } else if (ballast_used_) {
    level_ = DiskLevel::kBallast;
  } else if (free_bytes_ < options_.reserve_bytes || denied_ ||
             (missing > 0 && !has_room_for(missing * options_.segment_bytes))) {
    level_ = DiskLevel::kLow;
  } else {
    level_ = DiskLevel::kFine;
  }
  const bool room_for_spare = wants_spare() && has_room_for(options_.segment_bytes);
  const bool room_for_ballast =
      !wants_spare() && wants_ballast() && has_room_for(options_.ballast_bytes);
  pending_ = !denied_ && (unfinished_ != nullptr || room_for_spare || room_for_ballast);
  if (level_ == before) return;
  LOG(kWarning, "disk level changed", {"directory", directory_.path()},
      {"level", level_name(level_)}, {"was", level_name(before)}, {"free_bytes", free_bytes_},
      {"reserve_bytes", options_.reserve_bytes});
}

}  // namespace store
