#include "protocol/resp_encoder.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/reply.h"
#include "protocol/resp_reply_parser.h"

namespace protocol {
namespace {

std::string encoded(const core::Reply& reply, RespVersion version) {
  std::string out;
  encode_reply(reply.tape(), version, out);
  return out;
}

void expect_both(const core::Reply& reply, std::string_view resp2, std::string_view resp3) {
  EXPECT_EQ(encoded(reply, RespVersion::kResp2), resp2);
  EXPECT_EQ(encoded(reply, RespVersion::kResp3), resp3);
}

TEST(RespEncoder, WritesSingleValues) {
  core::Reply reply;
  reply.ok();
  reply.nil();
  reply.integer(std::numeric_limits<int64_t>::min());
  reply.integer(0);
  reply.bulk("");
  reply.bulk(std::string_view("a\r\n\0b", 5));
  reply.simple("QUEUED");
  const std::string before = "+OK\r\n";
  const std::string after = std::string(":-9223372036854775808\r\n:0\r\n$0\r\n\r\n$5\r\na\r\n") +
                            std::string("\0b\r\n+QUEUED\r\n", 13);
  expect_both(reply, before + "$-1\r\n" + after, before + "_\r\n" + after);
}

TEST(RespEncoder, FlattensMapsAtEveryDepthInResp2) {
  core::Reply reply;
  reply.array(2);
  reply.map(2);
  reply.bulk("meta");
  reply.map(1);
  reply.bulk("k");
  reply.bulk("v");
  reply.bulk("n");
  reply.integer(1);
  reply.map(0);
  expect_both(reply,
              "*2\r\n*4\r\n$4\r\nmeta\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n$1\r\nn\r\n:1\r\n*0\r\n",
              "*2\r\n%2\r\n$4\r\nmeta\r\n%1\r\n$1\r\nk\r\n$1\r\nv\r\n$1\r\nn\r\n:1\r\n%0\r\n");
}

TEST(RespEncoder, AnErrorHasItsCodeAndOneLine) {
  core::Reply reply;
  reply.error(base::ErrorCode::kLeaseLost, std::string_view("a\r\n+OK\r\n\0b", 10));
  expect_both(reply, "-LEASELOST a  +OK   b\r\n", "-LEASELOST a  +OK   b\r\n");
}

TEST(RespEncoder, ASimpleWordHasOneLine) {
  core::Reply reply;
  reply.simple("a\r\n-ERR b");
  expect_both(reply, "+a  -ERR b\r\n", "+a  -ERR b\r\n");
}

TEST(RespEncoder, VerbatimIsForResp3) {
  std::string out;
  encode_verbatim("a:1\r\n", RespVersion::kResp2, out);
  encode_verbatim("a:1\r\n", RespVersion::kResp3, out);
  EXPECT_EQ(out, "$5\r\na:1\r\n\r\n=9\r\ntxt:a:1\r\n\r\n");
}

// Sizes around every boundary of copying and buffering, read back by the client's parser.
TEST(RespEncoder, KeepsEveryByteOfEverySize) {
  core::Reply reply;
  std::vector<std::string> sent;
  for (size_t size = 0; size < 2100; size += size < 70 ? 1 : 97) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 7 + size);
    sent.push_back(bytes);
  }
  reply.array(static_cast<uint32_t>(sent.size()));
  for (const std::string& bytes : sent) reply.bulk(bytes);
  for (const RespVersion version : {RespVersion::kResp2, RespVersion::kResp3}) {
    RespReplyParser parser;
    const std::string bytes = encoded(reply, version);
    ASSERT_EQ(parser.parse(bytes), ReplyStatus::kValue);
    EXPECT_EQ(parser.consumed(), bytes.size());
    ASSERT_EQ(parser.value().items.size(), sent.size());
    for (size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(parser.value().items[i].text, sent[i]);
  }
}

TEST(RespEncoder, KeepsTheOrderOfLinesAndValues) {
  core::Reply reply;
  reply.array(5);
  reply.bulk("a");
  reply.error(base::ErrorCode::kGone, "x");
  reply.integer(10);
  reply.simple("S");
  reply.nil();
  expect_both(reply, "*5\r\n$1\r\na\r\n-GONE x\r\n:10\r\n+S\r\n$-1\r\n",
              "*5\r\n$1\r\na\r\n-GONE x\r\n:10\r\n+S\r\n_\r\n");
}

TEST(RespEncoder, AppendsBehindWhatIsThere) {
  std::string out = "+before\r\n";
  encode_request_header(2, out);
  encode_bulk("PING", out);
  encode_bulk("x", out);
  EXPECT_EQ(out, "+before\r\n*2\r\n$4\r\nPING\r\n$1\r\nx\r\n");
}

}  // namespace
}  // namespace protocol
