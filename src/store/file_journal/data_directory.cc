#include "store/file_journal/data_directory.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "store/file_journal/format.h"

namespace store {
namespace {

constexpr size_t kVersionBytesMax = 64;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

DataDirectory::DataDirectory(FileSystem& files, std::string path)
    : files_(files), path_(std::move(path)) {}

std::string DataDirectory::path_of(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

std::string DataDirectory::segment_path(uint64_t index) const {
  return path_of(format::numbered_name(format::kSegmentPrefix, index));
}

std::string DataDirectory::spare_path(uint64_t number) const {
  return path_of(format::numbered_name(format::kSparePrefix, number));
}

base::Result<DirectoryListing> DataDirectory::list() const {
  DirectoryListing listing;
  for (const std::string& name : TRY(files_.list(path_))) {
    if (const auto index = format::number_in(name, format::kSegmentPrefix)) {
      listing.segments.push_back(*index);
    } else if (const auto number = format::number_in(name, format::kSparePrefix)) {
      listing.spares.push_back(*number);
    } else if (name.ends_with(format::kUnfinishedSuffix)) {
      listing.unfinished.push_back(name);
    } else if (name == format::kVersionName) {
      listing.has_version = true;
    } else if (name == format::kWatermarkName) {
      listing.has_watermark = true;
    } else if (name == format::kBallastName) {
      listing.has_ballast = true;
    }
  }
  std::sort(listing.segments.begin(), listing.segments.end());
  std::sort(listing.spares.begin(), listing.spares.end());
  return listing;
}

base::Status DataDirectory::check_version(const DirectoryListing& listing) const {
  if (!listing.has_version) {
    if (listing.segments.empty()) {
      return write_whole(format::kVersionName, bytes_of(format::kVersionText));
    }
    return corrupt({path_of(format::kVersionName), 0}, "the file is missing");
  }
  const std::unique_ptr<File> file = TRY(files_.open_to_read(path_of(format::kVersionName)));
  std::string text(kVersionBytesMax, '\0');
  text.resize(TRY(file->read_at(0, std::as_writable_bytes(std::span(text)))));
  if (text == format::kVersionText) return {};
  return corrupt({file->path(), 0},
                 "the directory is not of the version that this server reads, or the file is "
                 "damaged");
}

base::Status DataDirectory::sync() const {
  return files_.sync_directory(path_);
}

base::Status DataDirectory::write_whole(std::string_view name,
                                        std::span<const std::byte> bytes) const {
  const std::string target = path_of(name);
  const std::string unfinished = target + std::string(format::kUnfinishedSuffix);
  {
    const std::unique_ptr<File> file = TRY(files_.create(unfinished));
    TRY(file->write_at(0, bytes));
    TRY(file->sync_data());
  }
  return files_.rename(unfinished, target);
}

tl::unexpected<base::Error> corrupt(const Place& place, std::string_view what) {
  return base::fail(base::ErrorCode::kCorrupt,
                    "{}: offset {}: {}. Nothing was changed. Copy the directory away, then run "
                    "`dray check` on the copy to see what can be read, or start with a backup",
                    place.path, place.offset, what);
}

}  // namespace store
