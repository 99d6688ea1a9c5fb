#include "store/file_journal/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "base/crc32c.h"

namespace store::format {
namespace {

constexpr size_t kCrcOffset = kHeaderBytes - sizeof(uint32_t);
constexpr std::string_view kSegmentMagic = "DRAYJRNL";
constexpr std::string_view kFrameMagic = "DRFR";
constexpr std::string_view kWatermarkMagic = "DRAYMARK";
constexpr uint32_t kFlagClean = 1;
constexpr size_t kNumberDigits = 16;

template <class T>
void put(HeaderBlock& block, size_t offset, T value) {
  ASSERT(offset + sizeof(T) <= block.size(), "field at {}", offset);
  for (size_t i = 0; i < sizeof(T); ++i) {
    block[offset + i] = static_cast<std::byte>(value >> (8U * i));
  }
}

template <class T>
T get(std::span<const std::byte> block, size_t offset) {
  ASSERT(offset + sizeof(T) <= block.size(), "field at {}", offset);
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value =
        static_cast<T>(value | static_cast<T>(std::to_integer<T>(block[offset + i]) << (8U * i)));
  }
  return value;
}

void put_magic(HeaderBlock& block, std::string_view magic) {
  std::memcpy(block.data(), magic.data(), magic.size());
}

uint32_t seal(HeaderBlock& block) {
  const uint32_t crc = base::crc32c(std::span(block).first(kCrcOffset));
  put(block, kCrcOffset, crc);
  return crc;
}

// Checks what all headers have in common; the version lies right behind the magic.
std::optional<HeaderFault> fault_in(std::span<const std::byte> bytes, std::string_view magic) {
  ASSERT(bytes.size() >= kHeaderBytes, "{} bytes", bytes.size());
  if (std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) return HeaderFault::kMagic;
  if (get<uint32_t>(bytes, kCrcOffset) != base::crc32c(bytes.first(kCrcOffset))) {
    return HeaderFault::kChecksum;
  }
  if (get<uint32_t>(bytes, magic.size()) != kFormatVersion) return HeaderFault::kVersion;
  return {};
}

}  // namespace

std::string_view fault_text(HeaderFault fault) {
  switch (fault) {
    case HeaderFault::kMagic:
      return "no header";
    case HeaderFault::kChecksum:
      return "wrong header checksum";
    case HeaderFault::kVersion:
      return "a format version that this server does not know";
    case HeaderFault::kContent:
      return "a header that contradicts itself";
  }
  return "unknown";
}

HeaderBlock encode(const SegmentHeader& header) {
  ASSERT(header.salt != 0);
  ASSERT(header.durable_seq + 1 >= header.first_seq, "first {} durable {}", header.first_seq,
         header.durable_seq);
  HeaderBlock block{};
  put_magic(block, kSegmentMagic);
  put(block, 8, kFormatVersion);
  put(block, 16, header.index);
  put(block, 24, header.segment_bytes);
  put(block, 32, header.first_seq);
  put(block, 40, header.durable_seq);
  put(block, 48, header.salt);
  put(block, 56, header.previous_crc);
  seal(block);
  return block;
}

Decoded<SegmentHeader> decode_segment_header(std::span<const std::byte> bytes) {
  if (const auto fault = fault_in(bytes, kSegmentMagic)) return tl::unexpected(*fault);
  SegmentHeader header;
  header.index = get<uint64_t>(bytes, 16);
  header.segment_bytes = get<uint64_t>(bytes, 24);
  header.first_seq = get<uint64_t>(bytes, 32);
  header.durable_seq = get<uint64_t>(bytes, 40);
  header.salt = get<uint64_t>(bytes, 48);
  header.previous_crc = get<uint32_t>(bytes, 56);
  const bool sane = header.salt != 0 && header.index != 0 && header.first_seq != 0 &&
                    header.durable_seq >= header.first_seq - 1 &&
                    header.segment_bytes % kPageBytes == 0 &&
                    header.segment_bytes >= kSegmentBytesMin;
  if (!sane) return tl::unexpected(HeaderFault::kContent);
  return header;
}

HeaderBlock encode(FrameHeader& header) {
  ASSERT(header.seq > header.durable_seq, "seq {} durable {}", header.seq, header.durable_seq);
  ASSERT(header.payload_bytes <= kPayloadBytesMax, "{} bytes", header.payload_bytes);
  HeaderBlock block{};
  put_magic(block, kFrameMagic);
  put(block, 4, kFormatVersion);
  put(block, 8, header.payload_bytes);
  put(block, 12, header.payload_crc);
  put(block, 16, header.seq);
  put(block, 24, header.durable_seq);
  put(block, 32, header.salt);
  put(block, 40, header.previous_crc);
  header.header_crc = seal(block);
  return block;
}

Decoded<FrameHeader> decode_frame_header(std::span<const std::byte> bytes) {
  if (const auto fault = fault_in(bytes, kFrameMagic)) return tl::unexpected(*fault);
  FrameHeader header;
  header.payload_bytes = get<uint32_t>(bytes, 8);
  header.payload_crc = get<uint32_t>(bytes, 12);
  header.seq = get<uint64_t>(bytes, 16);
  header.durable_seq = get<uint64_t>(bytes, 24);
  header.salt = get<uint64_t>(bytes, 32);
  header.previous_crc = get<uint32_t>(bytes, 40);
  header.header_crc = get<uint32_t>(bytes, kCrcOffset);
  const bool sane = header.seq > header.durable_seq && header.payload_bytes <= kPayloadBytesMax;
  if (!sane) return tl::unexpected(HeaderFault::kContent);
  return header;
}

uint64_t frame_salt(std::span<const std::byte> bytes) {
  return get<uint64_t>(bytes, 32);
}

HeaderBlock encode(const Watermark& mark) {
  ASSERT(mark.last_index + 1 >= mark.first_index, "first {} last {}", mark.first_index,
         mark.last_index);
  HeaderBlock block{};
  put_magic(block, kWatermarkMagic);
  put(block, 8, kFormatVersion);
  put(block, 12, mark.clean ? kFlagClean : 0U);
  put(block, 16, mark.serial);
  put(block, 24, mark.durable_seq);
  put(block, 32, mark.first_index);
  put(block, 40, mark.last_index);
  seal(block);
  return block;
}

Decoded<Watermark> decode_watermark(std::span<const std::byte> bytes) {
  if (const auto fault = fault_in(bytes, kWatermarkMagic)) return tl::unexpected(*fault);
  Watermark mark;
  mark.clean = (get<uint32_t>(bytes, 12) & kFlagClean) != 0;
  mark.serial = get<uint64_t>(bytes, 16);
  mark.durable_seq = get<uint64_t>(bytes, 24);
  mark.first_index = get<uint64_t>(bytes, 32);
  mark.last_index = get<uint64_t>(bytes, 40);
  const bool sane = mark.first_index != 0 && mark.last_index >= mark.first_index - 1;
  if (!sane) return tl::unexpected(HeaderFault::kContent);
  return mark;
}

std::string numbered_name(std::string_view prefix, uint64_t number) {
  return fmt::format("{}{:016x}", prefix, number);
}

std::optional<uint64_t> number_in(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || name.size() != prefix.size() + kNumberDigits) return {};
  uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, number, 16);
  if (error != std::errc{} || stop != end) return {};
  // Not the capitals and the like that from_chars takes as well: one number has one name.
  if (numbered_name(prefix, number) != name) return {};
  return number;
}

}  // namespace store::format
