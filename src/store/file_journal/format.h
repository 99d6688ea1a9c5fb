// The bytes of the file journal: every name, size and layout on disk, and nothing else. Recovery's
// rules stand in docs/journal.md.
//
// Files of a data directory:
//   LOCK             locked while a server runs; holds its process id as text
//   VERSION          "dray 1\n": the layout of the directory as a whole
//   watermark        two slots of what is known to be durable, written in turn
//   journal-<index>  a segment; indexes have no gaps; 16 hexadecimal digits
//   spare-<number>   a segment that waits for its turn: all its blocks are written
//   ballast          the same, kept back until the disk is full
//   *.new            a file in the making; removed at the next start
//
// All integers are little-endian. All checksums are CRC-32C. Unused bytes are zero.
//
// A segment: its header in the first page, then frames, each on a sector of its own, so that
// writing a frame never touches a sector that holds an earlier one. Behind the last frame lies
// whatever the file held before it became this segment; a salt of its own tells the two apart.
//
// To change a layout: add one to kFormatVersion, keep reading every older version (switch on the
// version of the header that was read), add a directory tests/golden/journal_v<n>/ made by the
// release that wrote it, and say it in docs/journal.md and in the change log. Offsets of retired
// fields are never given to a new meaning.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace store::format {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr std::string_view kVersionText = "dray 1\n";

inline constexpr uint64_t kSectorBytes = 512;  // What a disk writes whole or not at all.
inline constexpr uint64_t kPageBytes = 4096;   // What the kernel writes without reading it first.
inline constexpr uint64_t kHeaderBytes = 64;   // Of a segment, a frame and a watermark slot alike.
inline constexpr uint64_t kFirstFrameOffset = kPageBytes;
inline constexpr uint64_t kPayloadBytesMax = uint64_t{64} << 20U;
inline constexpr uint64_t kSegmentBytesMin = uint64_t{16} << 10U;
inline constexpr uint64_t kWatermarkFileBytes = 2 * kPageBytes;
static_assert(kHeaderBytes <= kSectorBytes, "a header is never torn");
static_assert(kPageBytes % kSectorBytes == 0);
static_assert(kSegmentBytesMin >= kFirstFrameOffset + kPageBytes, "room for a frame");

// Segment header, at offset 0 of a segment:
//    0  8  magic "DRAYJRNL"
//    8  4  format version
//   12  4  zero
//   16  8  index: the number in the file's name
//   24  8  segment_bytes: the size of the file
//   32  8  first_seq: of the first frame here; frames of it or later in older segments do not count
//   40  8  durable_seq: all frames up to it were synced, here or in older segments, when this
//          segment got its name; at least first_seq - 1
//   48  8  salt: random, never zero, another for each use of the file
//   56  4  previous_crc: the checksum of frame first_seq - 1 (its header's); 0 before the first
//   60  4  checksum of bytes 0 to 59
struct SegmentHeader {
  uint64_t index = 0;
  uint64_t segment_bytes = 0;
  uint64_t first_seq = 0;
  uint64_t durable_seq = 0;
  uint64_t salt = 0;
  uint32_t previous_crc = 0;

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

// Frame header, at a multiple of kSectorBytes; the payload follows it at once:
//    0  4  magic "DRFR"
//    4  4  format version
//    8  4  payload_bytes; 0 in a frame that only carries durable_seq
//   12  4  payload_crc
//   16  8  seq
//   24  8  durable_seq: all frames up to it were synced when this one was written
//   32  8  salt of the segment
//   40  4  previous_crc: the checksum of frame seq - 1 (its header's)
//   44 16  zero
//   60  4  checksum of bytes 0 to 59; through payload_crc it covers the payload as well
struct FrameHeader {
  uint32_t payload_bytes = 0;
  uint32_t payload_crc = 0;
  uint64_t seq = 0;
  uint64_t durable_seq = 0;
  uint64_t salt = 0;
  uint32_t previous_crc = 0;
  uint32_t header_crc = 0;  // Set by encode and decode.

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

// Watermark slot, at offsets 0 and kPageBytes of `watermark`. The one with the higher serial
// counts; serial n lies in slot n % 2, so a write never touches the slot that counts.
//    0  8  magic "DRAYMARK"
//    8  4  format version
//   12  4  flags: bit 0 = the journal was closed in order and durable_seq is its last
//   16  8  serial
//   24  8  durable_seq: a start that recovers less is refused
//   32  8  first_index: segments below it are trimmed, even if their files are still there
//   40  8  last_index: segments from first_index to it must be there; 0 = none yet
//   48 12  zero
//   60  4  checksum of bytes 0 to 59
struct Watermark {
  uint64_t serial = 0;
  uint64_t durable_seq = 0;
  uint64_t first_index = 1;
  uint64_t last_index = 0;
  bool clean = false;

  friend bool operator==(const Watermark&, const Watermark&) = default;
};

// Why 64 bytes are not a header.
enum class HeaderFault : uint8_t { kMagic, kChecksum, kVersion, kContent };
std::string_view fault_text(HeaderFault fault);

template <class Header>
using Decoded = tl::expected<Header, HeaderFault>;

using HeaderBlock = std::array<std::byte, kHeaderBytes>;

HeaderBlock encode(const SegmentHeader& header);
HeaderBlock encode(FrameHeader& header);  // Sets header.header_crc.
HeaderBlock encode(const Watermark& mark);

// Requires: `bytes` holds at least kHeaderBytes.
Decoded<SegmentHeader> decode_segment_header(std::span<const std::byte> bytes);
Decoded<FrameHeader> decode_frame_header(std::span<const std::byte> bytes);
Decoded<Watermark> decode_watermark(std::span<const std::byte> bytes);

// Returns what stands where a frame header has its salt, whether or not the rest verifies.
// Requires: `bytes` holds at least kHeaderBytes.
uint64_t frame_salt(std::span<const std::byte> bytes);

constexpr uint64_t round_up(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// What a frame takes in its segment, to the start of the next.
constexpr uint64_t frame_bytes(uint64_t payload_bytes) {
  return round_up(kHeaderBytes + payload_bytes, kSectorBytes);
}

inline constexpr std::string_view kLockName = "LOCK";
inline constexpr std::string_view kVersionName = "VERSION";
inline constexpr std::string_view kWatermarkName = "watermark";
inline constexpr std::string_view kBallastName = "ballast";
inline constexpr std::string_view kUnfinishedSuffix = ".new";
inline constexpr std::string_view kSegmentPrefix = "journal-";
inline constexpr std::string_view kSparePrefix = "spare-";

std::string numbered_name(std::string_view prefix, uint64_t number);
// Returns the number in a name that numbered_name made; nothing for any other name.
std::optional<uint64_t> number_in(std::string_view name, std::string_view prefix);

}  // namespace store::format
