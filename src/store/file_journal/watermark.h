// The file that says how far the journal was certainly durable, so that a start that finds less
// knows that something is missing.
#pragma once
#include <memory>

#include "base/result.h"
#include "store/file_journal/data_directory.h"
#include "store/file_journal/format.h"

namespace store {

// Written in place, two slots in turn: an update needs no space and changes no name, so it works on
// a full disk, and a torn update leaves the other slot.
// Threading: one thread at a time.
class WatermarkFile {
 public:
  // Makes the file of a new journal. Durable after the next sync of the directory.
  static base::Result<WatermarkFile> create(const DataDirectory& directory);

  // Errors: CORRUPT when no slot can be read.
  static base::Result<WatermarkFile> open(const DataDirectory& directory);

  // Returns the mark without opening the file for writing. Errors: as open.
  static base::Result<format::Watermark> read(const DataDirectory& directory);

  const format::Watermark& mark() const { return mark_; }
  const std::string& path() const { return file_->path(); }

  // Writes and syncs `mark` with the next serial.
  base::Status write(format::Watermark mark);

 private:
  WatermarkFile(std::unique_ptr<File> file, const format::Watermark& mark);

  std::unique_ptr<File> file_;
  format::Watermark mark_;
};

}  // namespace store
