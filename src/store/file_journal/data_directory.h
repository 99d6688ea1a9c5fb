// The data directory as a set of names: what lies in it, and the errors that name its files.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/file.h"

namespace store {

// What a look at the directory found. Files of no known name belong to others and are left alone.
struct DirectoryListing {
  std::vector<uint64_t> segments;       // Indexes, ascending.
  std::vector<uint64_t> spares;         // Numbers, ascending.
  std::vector<std::string> unfinished;  // Names.
  bool has_version = false;
  bool has_watermark = false;
  bool has_ballast = false;

  // True when there is nothing to lose here.
  bool is_new() const { return segments.empty() && !has_watermark; }
};

// Threading: one thread at a time.
class DataDirectory {
 public:
  // `files` must outlive this.
  DataDirectory(FileSystem& files, std::string path);

  FileSystem& files() const { return files_; }
  const std::string& path() const { return path_; }
  std::string path_of(std::string_view name) const;
  std::string segment_path(uint64_t index) const;
  std::string spare_path(uint64_t number) const;

  base::Result<DirectoryListing> list() const;

  // Writes the file that names the layout, if the directory is new; checks it, if not. Durable
  // after the next sync.
  base::Status check_version(const DirectoryListing& listing) const;

  base::Status sync() const;

  // Makes the file `name` with `bytes` in it, whole or not at all. Its name is durable after the
  // next sync.
  base::Status write_whole(std::string_view name, std::span<const std::byte> bytes) const;

 private:
  FileSystem& files_;
  const std::string path_;
};

// Where damage was found.
struct Place {
  std::string path;
  uint64_t offset = 0;
};

// Makes the refusal of a start: CORRUPT, the place, and what is wrong with it.
tl::unexpected<base::Error> corrupt(const Place& place, std::string_view what);

}  // namespace store
