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
      spares_.push_back({number, true});
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
    return SpareFile{directory_.spare_path(spares_.back().number), options_.segment_bytes};
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
  if (!spares_.empty() && file.path == directory_.spare_path(spares_.back().number)) {
    if (unfinished_ && unfinished_->number == spares_.back().number) unfinished_.reset();
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
      spares_.push_back({next_number_++, true});
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

base::Status SparePool::replenish() {
  TRY(refresh());
  while (wants_spare() && !denied_ && has_room_for(options_.segment_bytes)) {
    if (!TRY(set_aside(directory_.spare_path(next_number_), options_.segment_bytes))) break;
    spares_.insert(spares_.begin(), {next_number_++, false});
    TRY(refresh());
  }
  return refresh();
}

// Makes a file with all its blocks. False, and denied: there is no room for it.
base::Result<bool> SparePool::set_aside(const std::string& target, uint64_t bytes) {
  const std::string path = target + std::string(format::kUnfinishedSuffix);
  auto file = directory_.files().create(path);
  if (!file.has_value()) {
    denied_ = file.error().code == ErrorCode::kDiskFull;
    if (denied_) return false;
    return tl::unexpected(file.error());
  }
  const base::Status allocated = (*file)->allocate(bytes);
  denied_ = is_full(allocated);
  if (denied_) {
    TRY(directory_.files().remove(path));
    return false;
  }
  TRY(allocated);
  return keep(path, target);
}

base::Status SparePool::prepare() {
  denied_ = false;
  TRY(replenish());
  if (has_unwritten()) {
    TRY(step());
  } else if (!wants_spare() && wants_ballast() && has_room_for(options_.ballast_bytes)) {
    // It is there to be given up: its blocks are set aside, and never written beforehand.
    has_ballast_ = TRY(set_aside(directory_.path_of(format::kBallastName), options_.ballast_bytes));
    if (has_ballast_) ballast_used_ = false;
  }
  return refresh();
}

base::Status SparePool::prepare_first() {
  TRY(refresh());
  while (pending_) TRY(prepare());
  return {};
}

base::Status SparePool::step() {
  if (!unfinished_) {
    const uint64_t number = spares_.front().number;
    auto file = TRY(directory_.files().open_to_write(directory_.spare_path(number)));
    unfinished_ = std::make_unique<Unfinished>(Unfinished{std::move(file), number, 0});
  }
  Unfinished& work = *unfinished_;
  const uint64_t count = std::min(kStepBytes, options_.segment_bytes - work.written);
  // In small pieces: a large write makes large folios in the page cache, and each small frame that
  // is later written into one costs the kernel as much as the whole of it (measured: 13 KiB
  // accounted per life instead of 280 bytes, and a seventh of the throughput).
  static constexpr std::array<std::byte, kZeroPieceBytes> kZeros{};
  for (uint64_t at = 0; at < count; at += kZeros.size()) {
    const auto piece = std::span(kZeros).first(std::min<uint64_t>(kZeros.size(), count - at));
    TRY(work.file->write_at(work.written + at, piece));
  }
  TRY(work.file->sync_data());
  work.written += count;
  if (work.written < options_.segment_bytes) return {};
  std::erase_if(spares_, [&](const Spare& spare) { return spare.number == work.number; });
  spares_.push_back({work.number, true});
  unfinished_.reset();
  return {};
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
  const uint64_t missing =
      options_.spare_count - std::min<uint64_t>(spares_.size(), options_.spare_count);
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
  pending_ = !denied_ && (has_unwritten() || room_for_spare || room_for_ballast);
  if (level_ == before) return;
  LOG(kWarning, "disk level changed", {"directory", directory_.path()},
      {"level", level_name(level_)}, {"was", level_name(before)}, {"free_bytes", free_bytes_},
      {"reserve_bytes", options_.reserve_bytes});
}

}  // namespace store
