#include "store/file_journal/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace store::format {
namespace {

std::string hex(const HeaderBlock& block) {
  std::string text;
  for (const std::byte byte : block) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[std::to_integer<size_t>(byte >> 4U)];
    text += kDigits[std::to_integer<size_t>(byte & std::byte{15})];
  }
  return text;
}

SegmentHeader segment_header() {
  return {0x0102030405060708, 0x10000,   0x1112131415161718, 0x2122232425262728,
          0x3132333435363738, 0x41424344};
}

FrameHeader frame_header() {
  return {0x00010203, 0x11121314, 0x2122232425262728, 0x1112131415161718, 0x3132333435363738,
          0x41424344, 0};
}

Watermark watermark() {
  return {0x0102030405060708, 0x1112131415161718, 3, 9, true};
}

// These texts are the format: a change of them is a change of kFormatVersion.
TEST(Format, SegmentHeaderHasTheseBytes) {
  EXPECT_EQ(hex(encode(segment_header())),
            "445241594a524e4c01000000000000000807060504030201"
            "0000010000000000181716151413121128272625242322213837363534333231"
            "4443424176a6f9c5");
}

TEST(Format, FrameHeaderHasTheseBytes) {
  FrameHeader header = frame_header();
  EXPECT_EQ(hex(encode(header)),
            "4452465201000000030201001413121128272625242322211817161514131211"
            "383736353433323144434241000000000000000000000000000000000d62c89c");
}

TEST(Format, WatermarkHasTheseBytes) {
  EXPECT_EQ(hex(encode(watermark())),
            "445241594d41524b010000000100000008070605040302011817161514131211"
            "030000000000000009000000000000000000000000000000000000009cf7211c");
}

TEST(Format, ReadsBackWhatItWrote) {
  EXPECT_EQ(decode_segment_header(encode(segment_header())).value(), segment_header());
  FrameHeader frame = frame_header();
  const HeaderBlock block = encode(frame);
  EXPECT_EQ(decode_frame_header(block).value(), frame);
  EXPECT_EQ(frame_salt(block), frame.salt);
  EXPECT_EQ(decode_watermark(encode(watermark())).value(), watermark());
}

TEST(Format, SeesEveryFlippedBit) {
  FrameHeader frame = frame_header();
  const HeaderBlock blocks[] = {encode(segment_header()), encode(frame), encode(watermark())};
  for (const HeaderBlock& block : blocks) {
    for (size_t bit = 0; bit < 8 * block.size(); ++bit) {
      HeaderBlock damaged = block;
      damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_FALSE(decode_segment_header(damaged).has_value()) << bit;
      EXPECT_FALSE(decode_frame_header(damaged).has_value()) << bit;
      EXPECT_FALSE(decode_watermark(damaged).has_value()) << bit;
    }
  }
}

TEST(Format, TakesNoHeaderForAnother) {
  FrameHeader frame = frame_header();
  EXPECT_EQ(decode_frame_header(encode(segment_header())).error(), HeaderFault::kMagic);
  EXPECT_EQ(decode_segment_header(encode(watermark())).error(), HeaderFault::kMagic);
  EXPECT_EQ(decode_watermark(encode(frame)).error(), HeaderFault::kMagic);
  EXPECT_FALSE(decode_frame_header(HeaderBlock{}).has_value()) << "zeros are nothing";
}

TEST(Format, AFrameTakesWholeSectors) {
  EXPECT_EQ(frame_bytes(0), 512U);
  EXPECT_EQ(frame_bytes(512 - 64), 512U);
  EXPECT_EQ(frame_bytes(512 - 63), 1024U);
  EXPECT_EQ(frame_bytes(kPayloadBytesMax), kPayloadBytesMax + 512);
}

TEST(Format, NamesSortAsTheirNumbers) {
  const uint64_t numbers[] = {
      0, 1, 9, 10, 15, 16, 255, 256, 0xffffffff, 0x100000000, 0xffffffffffffffff};
  EXPECT_TRUE(std::is_sorted(std::begin(numbers), std::end(numbers)));
  std::string before;
  for (const uint64_t number : numbers) {
    const std::string name = numbered_name(kSegmentPrefix, number);
    EXPECT_LT(before, name);
    EXPECT_EQ(number_in(name, kSegmentPrefix), number);
    before = name;
  }
}

TEST(Format, TakesNoOtherNameForItsOwn) {
  for (const char* name :
       {"journal-", "journal-1", "journal-000000000000000g", "journal-000000000000000A",
        "journal-00000000000000010", "journal-0000000000000001.bak", "Journal-0000000000000001",
        "journal--000000000000001", "journal-+000000000000001", "spare-0000000000000001", ""}) {
    EXPECT_FALSE(number_in(name, kSegmentPrefix).has_value()) << name;
  }
}

}  // namespace
}  // namespace store::format
