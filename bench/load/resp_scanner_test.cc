#include "bench/load/resp_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "bench/load/reply.h"

namespace load {
namespace {

using Items = std::vector<std::tuple<RespType, std::string, int64_t>>;

constexpr std::string_view kAllTypes =
    "+OK\r\n-LEASELOST it is gone\r\n:42\r\n:-7\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n"
    "*3\r\n:1\r\n*1\r\n$1\r\nx\r\n*0\r\n*-1\r\n";

// Reads all whole items of the input from its start.
Items read_items(std::string_view input) {
  Items items;
  RespScanner scanner(input);
  RespItem item;
  while (scanner.next(item)) {
    const bool has_text = item.type <= RespType::kError || item.type == RespType::kBulk;
    const bool has_number = item.type == RespType::kInteger || item.type == RespType::kArray;
    items.emplace_back(item.type, has_text ? std::string(item.text) : std::string(),
                       has_number ? item.number : 0);
  }
  return items;
}

TEST(RespScanner, ReadsEveryTypeOfItem) {
  const Items expected = {
      {RespType::kSimple, "OK", 0},    {RespType::kError, "LEASELOST it is gone", 0},
      {RespType::kInteger, "", 42},    {RespType::kInteger, "", -7},
      {RespType::kBulk, "a\r\nbc", 0}, {RespType::kBulk, "", 0},
      {RespType::kNil, "", 0},         {RespType::kArray, "", 3},
      {RespType::kInteger, "", 1},     {RespType::kArray, "", 1},
      {RespType::kBulk, "x", 0},       {RespType::kArray, "", 0},
      {RespType::kNil, "", 0}};
  EXPECT_EQ(read_items(kAllTypes), expected);
}

TEST(RespScanner, PrefixOfAStreamGivesPrefixOfItsItems) {
  const Items whole = read_items(kAllTypes);
  for (size_t size = 0; size < kAllTypes.size(); ++size) {
    const Items part = read_items(kAllTypes.substr(0, size));
    ASSERT_LT(part.size(), whole.size()) << size;
    ASSERT_TRUE(std::equal(part.begin(), part.end(), whole.begin())) << size;
  }
}

TEST(RespScanner, SkipsOneValueWithAllThatItHolds) {
  const std::string_view value = "*2\r\n*2\r\n$1\r\na\r\n:1\r\n*0\r\n";
  for (size_t size = 0; size < value.size(); ++size) {
    RespScanner part(value.substr(0, size));
    EXPECT_FALSE(part.skip_value()) << size;
  }
  const std::string input = std::string(value) + ":9\r\n";
  RespScanner scanner(input);
  ASSERT_TRUE(scanner.skip_value());
  EXPECT_EQ(scanner.position(), value.size());
}

TEST(RespScanner, RefusesMalformedBytes) {
  for (const std::string_view input :
       {"?\r\n", ":\r\n", ":1x\r\n", ":1\rx", "$x\r\n", "$-2\r\n", "$2\r\nabcd", "+OK\n", "*-2\r\n",
        ":99999999999999999999\r\n", "$999999999999\r\n", "*99999999999\r\n"}) {
    RespScanner scanner(input);
    EXPECT_THROW(scanner.skip_value(), ProtocolError) << input;
  }
}

}  // namespace
}  // namespace load
