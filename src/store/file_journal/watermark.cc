#include "store/file_journal/watermark.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/log.h"

namespace store {
namespace {

constexpr uint64_t kSlots = 2;
static_assert(format::kWatermarkFileBytes == kSlots * format::kPageBytes);

uint64_t slot_offset(uint64_t serial) {
  return serial % kSlots * format::kPageBytes;
}

}  // namespace

WatermarkFile::WatermarkFile(std::unique_ptr<File> file, const format::Watermark& mark)
    : file_(std::move(file)), mark_(mark) {}

base::Result<WatermarkFile> WatermarkFile::create(const DataDirectory& directory) {
  std::vector<std::byte> bytes(format::kWatermarkFileBytes);
  format::Watermark mark;
  for (mark.serial = 0; mark.serial < kSlots; ++mark.serial) {
    const format::HeaderBlock block = encode(mark);
    const uint64_t offset = slot_offset(mark.serial);
    std::copy(block.begin(), block.end(), bytes.begin() + static_cast<ptrdiff_t>(offset));
  }
  TRY(directory.write_whole(format::kWatermarkName, bytes));
  return open(directory);
}

base::Result<WatermarkFile> WatermarkFile::open(const DataDirectory& directory) {
  const format::Watermark mark = TRY(read(directory));
  const std::string path = directory.path_of(format::kWatermarkName);
  return WatermarkFile(TRY(directory.files().open_to_write(path)), mark);
}

base::Result<format::Watermark> WatermarkFile::read(const DataDirectory& directory) {
  const std::string path = directory.path_of(format::kWatermarkName);
  const std::unique_ptr<File> file = TRY(directory.files().open_to_read(path));
  std::optional<format::Watermark> best;
  for (uint64_t slot = 0; slot < kSlots; ++slot) {
    format::HeaderBlock block{};
    const size_t got = TRY(file->read_at(slot_offset(slot), block));
    const auto mark = format::decode_watermark(block);
    if (got < block.size() || !mark.has_value() || mark->serial % kSlots != slot) {
      LOG(kWarning, "a watermark slot cannot be read; the other one is used", {"file", path},
          {"slot", slot});
      continue;
    }
    if (!best.has_value() || mark->serial > best->serial) best = *mark;
  }
  if (!best.has_value()) return corrupt({path, 0}, "neither slot holds a watermark");
  return *best;
}

base::Status WatermarkFile::write(format::Watermark mark) {
  ASSERT(mark.durable_seq >= mark_.durable_seq, "{} after {}", mark.durable_seq, mark_.durable_seq);
  ASSERT(mark.last_index >= mark_.last_index, "{} after {}", mark.last_index, mark_.last_index);
  mark.serial = mark_.serial + 1;
  const format::HeaderBlock block = encode(mark);
  TRY(file_->write_at(slot_offset(mark.serial), block));
  TRY(file_->sync_data());
  mark_ = mark;
  return {};
}

}  // namespace store
