#include "store/file_journal/data_directory.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "store/file_journal/format.h"

namespace store {
namespace {

constexpr size_t kVersionBytesMax = 64;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<uint64_t> numbers_in(const std::vector<std::string>& names, std::string_view prefix) {
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = format::number_in(name, prefix)) numbers.push_back(*number);
  }
  return numbers;
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
  const std::vector<std::string> names = TRY(files_.list(path_));  // Sorted, so numbers are too.
  DirectoryListing listing;
  listing.segments = numbers_in(names, format::kSegmentPrefix);
  listing.spares = numbers_in(names, format::kSparePrefix);
  std::ranges::copy_if(names, std::back_inserter(listing.unfinished), [](const std::string& name) {
    return name.ends_with(format::kUnfinishedSuffix);
  });
  listing.has_version = std::ranges::count(names, format::kVersionName) > 0;
  listing.has_watermark = std::ranges::count(names, format::kWatermarkName) > 0;
  listing.has_ballast = std::ranges::count(names, format::kBallastName) > 0;
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
  return base::fail(base::ErrorCode::kCorrupt, "{}: offset {}: {}", place.path, place.offset, what);
}

}  // namespace store
