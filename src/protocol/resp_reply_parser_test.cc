#include "protocol/resp_reply_parser.h"

#include <gtest/gtest.h>

#include <cmath>

namespace protocol {
namespace {

// Feeds `bytes` in pieces of `piece` bytes and returns a text of every value, or of the error.
std::string shown(const RespValue& value) {
  switch (value.kind) {
    case ValueKind::kNil:
      return "nil";
    case ValueKind::kSimple:
      return "+" + value.text;
    case ValueKind::kError:
      return "-" + value.text;
    case ValueKind::kInteger:
      return ":" + std::to_string(value.integer);
    case ValueKind::kBoolean:
      return value.integer != 0 ? "true" : "false";
    case ValueKind::kDouble:
      return "," + value.text;
    case ValueKind::kBigNumber:
      return "(" + value.text;
    case ValueKind::kBulk:
      return "'" + value.text + "'";
    case ValueKind::kVerbatim:
      return std::string(value.format.data(), 3) + "'" + value.text + "'";
    default:
      break;
  }
  std::string text = value.kind == ValueKind::kMap    ? "{"
                     : value.kind == ValueKind::kSet  ? "<"
                     : value.kind == ValueKind::kPush ? "push("
                                                      : "[";
  for (const RespValue& item : value.items) text += shown(item) + " ";
  return text + "]";
}

std::string parsed_reply(std::string_view bytes, size_t piece, const RespReplyLimits& limits = {}) {
  RespReplyParser parser(limits);
  std::string unread;
  std::string text;
  while (true) {
    const ReplyStatus status = parser.parse(unread);
    if (status == ReplyStatus::kError) return text + parser.error_text();
    unread.erase(0, parser.consumed());
    if (status == ReplyStatus::kValue) {
      text += shown(parser.value()) + "\n";
      continue;
    }
    if (bytes.empty()) return text + (unread.empty() ? "" : "rest");
    unread.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

struct Case {
  std::string_view bytes;
  std::string_view values;
};

constexpr Case kCases[] = {
    {"+OK\r\n", "+OK\n"},
    {"+\r\n", "+\n"},
    {"-LEASELOST held_by_attempt=3\r\n", "-LEASELOST held_by_attempt=3\n"},
    {":-42\r\n:+7\r\n", ":-42\n:7\n"},
    {"$-1\r\n*-1\r\n_\r\n", "nil\nnil\nnil\n"},
    {"$0\r\n\r\n$4\r\na\r\nb\r\n", "''\n'a\r\nb'\n"},
    {"*0\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "[]\n['a' [:1 ] ]\n"},
    {"%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n", "{+a :1 +b {] ]\n"},
    {"~1\r\n#t\r\n#f\r\n", "<true ]\nfalse\n"},
    {",3.25\r\n,inf\r\n,-1e5\r\n", ",3.25\n,inf\n,-1e5\n"},
    {"(-123456789012345678901234567890\r\n", "(-123456789012345678901234567890\n"},
    {"=8\r\ntxt:a\r\nb\r\n", "txt'a\r\nb'\n"},
    {"!10\r\nERR a\r\n\r\nb\r\n", "-ERR a\r\n\r\nb\n"},
    {">2\r\n+message\r\n$1\r\nx\r\n+OK\r\n", "push(+message 'x' ]\n+OK\n"},
    // Attributes are dropped, before a value and inside of one.
    {"|1\r\n+ttl\r\n:3\r\n*2\r\n:1\r\n|0\r\n:2\r\n", "[:1 :2 ]\n"},
    {"*1\r\n|1\r\n+a\r\n*1\r\n:9\r\n+b\r\n", "[+b ]\n"},
};

TEST(RespReplyParser, ReadsEveryTypeInAnyPieces) {
  for (const Case& one : kCases) {
    for (size_t piece = 1; piece <= one.bytes.size(); ++piece) {
      EXPECT_EQ(parsed_reply(one.bytes, piece), one.values) << one.bytes << " by " << piece;
    }
  }
}

constexpr Case kFaults[] = {
    {"?\r\n", "malformed reply: unknown type '?'"},
    {"\r\n", "malformed reply: line without a type, or without CR"},
    {"+OK\n", "malformed reply: line without a type, or without CR"},
    {":\r\n", "malformed reply: malformed integer"},
    {":1x\r\n", "malformed reply: malformed integer"},
    {":99999999999999999999\r\n", "malformed reply: malformed integer"},
    {"$-2\r\n", "malformed reply: malformed length"},
    {"$x\r\n", "malformed reply: malformed length"},
    {"$?\r\n", "malformed reply: malformed length"},
    {"$1\r\nabc", "malformed reply: no CRLF behind a bulk string"},
    {"*x\r\n", "malformed reply: malformed count"},
    {"%-1\r\n", "malformed reply: malformed count"},
    {"_x\r\n", "malformed reply: malformed nil"},
    {"#x\r\n", "malformed reply: malformed boolean"},
    {",x\r\n", "malformed reply: malformed double"},
    {"(\r\n", "malformed reply: malformed big number"},
    {"(12a\r\n", "malformed reply: malformed big number"},
    {"=3\r\ntxt\r\n", "malformed reply: malformed verbatim text"},
    {"=5\r\ntxt?a\r\n", "malformed reply: malformed verbatim text"},
    {"*1\r\n>1\r\n:1\r\n", "malformed reply: a push inside a reply"},
};

TEST(RespReplyParser, NamesEveryFault) {
  for (const Case& one : kFaults) {
    for (size_t piece = 1; piece <= one.bytes.size(); ++piece) {
      EXPECT_EQ(parsed_reply(one.bytes, piece), one.values) << one.bytes << " by " << piece;
    }
  }
}

TEST(RespReplyParser, KeepsToItsLimits) {
  const RespReplyLimits small{
      .depth_max = 2, .items_max = 4, .reply_bytes_max = 40, .line_bytes_max = 8};
  EXPECT_EQ(parsed_reply("*1\r\n*1\r\n:1\r\n", 100, small), "[[:1 ] ]\n");
  EXPECT_EQ(parsed_reply("*1\r\n*1\r\n*1\r\n", 100, small),
            "malformed reply: reply nested too deep");
  EXPECT_EQ(parsed_reply("*5\r\n", 100, small), "malformed reply: too many values in one reply");
  EXPECT_EQ(parsed_reply("*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n", 100, small),
            "malformed reply: too many values in one reply");
  EXPECT_EQ(parsed_reply("$41\r\n", 100, small), "malformed reply: reply too big");
  EXPECT_EQ(parsed_reply("$35\r\n" + std::string(35, 'x') + "\r\n", 3, small),
            "malformed reply: reply too big");
  EXPECT_EQ(parsed_reply("+12345678", 1, small), "malformed reply: line too long");
  EXPECT_EQ(parsed_reply("+12345678\r\n", 100, small), "malformed reply: line too long");
  // The limits are of one reply, not of all.
  EXPECT_EQ(parsed_reply("$30\r\n" + std::string(30, 'x') + "\r\n$1\r\nx\r\n", 7, small),
            "'" + std::string(30, 'x') + "'\n'x'\n");
}

TEST(RespReplyParser, ADeclaredLengthReservesNothing) {
  RespReplyParser parser;
  EXPECT_EQ(parser.parse("*900000\r\n$60000000\r\nabc"), ReplyStatus::kNeedMore);
  EXPECT_EQ(parser.consumed(), 23U);
}

TEST(RespValue, FindsFieldsOfRecordsInBothForms) {
  for (const std::string_view bytes :
       {"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n", "*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n"}) {
    RespReplyParser parser;
    ASSERT_EQ(parser.parse(bytes), ReplyStatus::kValue);
    ASSERT_NE(parser.value().find("b"), nullptr);
    EXPECT_EQ(parser.value().find("b")->integer, 2);
    EXPECT_EQ(parser.value().find("c"), nullptr);
  }
  EXPECT_EQ(RespValue{}.find("a"), nullptr);
}

TEST(RespValue, SplitsAnErrorIntoCodeAndMessage) {
  RespReplyParser parser;
  ASSERT_EQ(parser.parse("-BADREQ field=id is missing\r\n"), ReplyStatus::kValue);
  EXPECT_EQ(parser.value().error_code(), "BADREQ");
  EXPECT_EQ(parser.value().error_message(), "field=id is missing");
  RespValue bare;
  bare.text = "ERR";
  EXPECT_EQ(bare.error_code(), "ERR");
  EXPECT_EQ(bare.error_message(), "");
}

TEST(RespReplyParser, ReadsDoubles) {
  RespReplyParser parser;
  ASSERT_EQ(parser.parse(",-inf\r\n"), ReplyStatus::kValue);
  EXPECT_TRUE(std::isinf(parser.value().number));
  RespReplyParser second;
  ASSERT_EQ(second.parse(",2.5\r\n"), ReplyStatus::kValue);
  EXPECT_DOUBLE_EQ(second.value().number, 2.5);
}

}  // namespace
}  // namespace protocol
