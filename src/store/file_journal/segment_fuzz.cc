// Any bytes as the newest segment of a journal: the start shows frames in order or refuses, and
// never takes more memory than the file has bytes.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/crc32c.h"
#include "store/file.h"
#include "store/file_journal/recovery.h"

namespace {

namespace format = store::format;

using Bytes = std::vector<std::byte>;

// A directory with one segment, in memory, that cannot be written to.
class OneSegment final : public store::SystemCalls {
 public:
  explicit OneSegment(Bytes bytes) : bytes_(std::move(bytes)) {}

  int open(const std::string&, Open how) override { return how == Open::kRead ? 0 : -EROFS; }
  int close(int) override { return 0; }
  int64_t read(int, std::span<std::byte> into, uint64_t offset) override {
    ASSERT(into.size() <= std::max(bytes_.size(), size_t{1} << 20U), "{} bytes", into.size());
    if (offset >= bytes_.size()) return 0;
    const size_t count = std::min(into.size(), bytes_.size() - offset);
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), count, into.begin());
    return static_cast<int64_t>(count);
  }
  int64_t size(int) override { return static_cast<int64_t>(bytes_.size()); }
  int64_t write(int, std::span<const std::byte>, uint64_t) override { return -EROFS; }
  int sync_data(int) override { return -EROFS; }
  int allocate(int, uint64_t) override { return -EROFS; }
  int truncate(int, uint64_t) override { return -EROFS; }
  int rename(const std::string&, const std::string&) override { return -EROFS; }
  int remove(const std::string&) override { return -EROFS; }
  int make_directory(const std::string&) override { return -EROFS; }
  int sync_directory(const std::string&) override { return -EROFS; }
  int list(const std::string&, std::vector<std::string>&) override { return -EROFS; }
  int volume(const std::string&, store::VolumeFacts&) override { return -EROFS; }
  int lock(const std::string&, int64_t&) override { return -EROFS; }
  int lock_shared(const std::string&, int64_t&) override { return -EROFS; }

 private:
  const Bytes bytes_;
};

// Makes the checksum of the header at `offset` right, so that what it says is believed.
void seal(Bytes& bytes, size_t offset) {
  constexpr size_t kCrcOffset = format::kHeaderBytes - 4;
  const uint32_t crc = base::crc32c(std::span(bytes).subspan(offset, kCrcOffset));
  std::memcpy(bytes.data() + offset + kCrcOffset, &crc, sizeof crc);
}

// Input: what to repair, then a segment. Bit 0: the segment's header, and its size; bit 1: the
// headers and the salts of frames; bit 2: the checksums of their payloads.
Bytes segment_of(uint8_t repairs, Bytes bytes) {
  if (bytes.size() < format::kHeaderBytes) return bytes;
  if ((repairs & 1U) != 0) {
    const uint64_t size = format::round_up(std::max<uint64_t>(bytes.size(), 1), format::kPageBytes);
    bytes.resize(std::max(size, format::kSegmentBytesMin));
    const uint64_t whole = bytes.size();
    const uint64_t index = 1;
    std::memcpy(bytes.data() + 16, &index, sizeof index);
    std::memcpy(bytes.data() + 24, &whole, sizeof whole);
    seal(bytes, 0);
  }
  for (size_t at = format::kFirstFrameOffset;
       (repairs & 2U) != 0 && at + format::kHeaderBytes <= bytes.size();
       at += format::kSectorBytes) {
    if (std::memcmp(bytes.data() + at, "DRFR", 4) != 0) continue;
    std::memcpy(bytes.data() + at + 32, bytes.data() + 48, sizeof(uint64_t));
    uint32_t payload_bytes = 0;
    std::memcpy(&payload_bytes, bytes.data() + at + 8, sizeof payload_bytes);
    if ((repairs & 4U) != 0 && payload_bytes <= bytes.size() - at - format::kHeaderBytes) {
      const uint32_t crc =
          base::crc32c(std::span(bytes).subspan(at + format::kHeaderBytes, payload_bytes));
      std::memcpy(bytes.data() + at + 12, &crc, sizeof crc);
    }
    seal(bytes, at);
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  const Bytes bytes = segment_of(data[0], Bytes(begin + 1, begin + size));
  if (bytes.size() >= format::kHeaderBytes) {
    const auto mark = format::decode_watermark(bytes);
    ASSERT(!mark.has_value() || mark->first_index > 0);
  }
  OneSegment calls(bytes);
  store::FileSystem files(calls);
  const store::DataDirectory directory(files, "data");
  store::DirectoryListing listing;
  listing.segments = {1};
  format::Watermark mark;
  mark.last_index = 1;

  uint64_t shown_bytes = 0;
  uint64_t shown_seq = 0;
  const auto found = store::recover_journal(
      directory, listing, mark, [&](uint64_t seq, std::span<const std::byte> payload) {
        ASSERT(seq > shown_seq, "{} after {}", seq, shown_seq);
        ASSERT(!payload.empty());
        shown_seq = seq;
        shown_bytes += payload.size();
        return base::Status();
      });
  ASSERT(shown_bytes <= bytes.size(), "{} of {} bytes", shown_bytes, bytes.size());
  if (found.has_value()) {
    ASSERT(found->segments.size() == 1);
    ASSERT(found->last_seq >= shown_seq, "{} of {}", shown_seq, found->last_seq);
    ASSERT(found->tail_offset <= format::round_up(bytes.size(), format::kPageBytes));
  } else {
    ASSERT(found.error().code == base::ErrorCode::kCorrupt, "{}", found.error().message);
    ASSERT(found.error().message.find("data/journal-0000000000000001") != std::string::npos);
  }
  return 0;
}
