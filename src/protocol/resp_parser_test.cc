#include "protocol/resp_parser.h"

#include <gtest/gtest.h>

#include "protocol/resp_encoder.h"

namespace protocol {
namespace {

constexpr RespLimits kSmall{
    .arguments_max = 4, .bulk_bytes_max = 16, .request_bytes_max = 64, .authenticated = true};

// Feeds `bytes` in pieces and returns each request as "word|word\n", then the error or what is
// left. The buffer moves with every piece, and requests are dropped from its front.
std::string parsed(std::string_view bytes, size_t piece, const RespLimits& limits) {
  RespParser parser(limits);
  std::string text;
  auto unread = std::make_unique<std::string>();
  while (true) {
    const ParseStatus status = parser.parse(*unread);
    if (status == ParseStatus::kError) return text + parser.error_text();
    if (status == ParseStatus::kRequest) {
      std::string line;
      for (const std::string_view word : parser.arguments()) {
        line += (line.empty() ? "" : "|") + std::string(word);
      }
      text += line + "\n";
      unread = std::make_unique<std::string>(unread->substr(parser.consumed()));
      continue;
    }
    if (bytes.empty()) return text + (unread->empty() ? "" : "rest " + *unread);
    unread = std::make_unique<std::string>(*unread + std::string(bytes.substr(0, piece)));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

void expect_in_any_pieces(std::string_view bytes, std::string_view expected,
                          const RespLimits& limits = kSmall) {
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_EQ(parsed(bytes, piece, limits), expected) << bytes << " by " << piece;
  }
}

TEST(RespParser, ReadsMultibulkRequests) {
  expect_in_any_pieces("*1\r\n$4\r\nPING\r\n", "PING\n");
  expect_in_any_pieces("*3\r\n$1\r\na\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n", "a||\r\n\r\n\n");
  expect_in_any_pieces("*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n*1\r\n$4\r\nPING\r\n*1\r\n$1\r\n",
                       "ECHO|hi\nPING\nrest *1\r\n$1\r\n");
}

TEST(RespParser, ARequestWithoutWordsIsEmpty) {
  expect_in_any_pieces("*0\r\n*-1\r\n\r\n \n*1\r\n$4\r\nPING\r\n", "\n\n\n\nPING\n");
}

TEST(RespParser, ReadsInlineRequests) {
  expect_in_any_pieces("PING\r\n", "PING\n");
  expect_in_any_pieces("  set  a\tb \nGET a\r\n", "set|a|b\nGET|a\n");
  expect_in_any_pieces(R"(echo "a \"b\" \x41\n" 'it''s' "" x"y")"
                       "\n",
                       "Protocol error: unbalanced quotes in request");
  expect_in_any_pieces(R"(echo "a \"b\" \x41\x4\t" 'it\'s \x' "")"
                       "\n",
                       "echo|a \"b\" Ax4\t|it's \\x|\n");
  expect_in_any_pieces("echo \"a\n", "Protocol error: unbalanced quotes in request");
  expect_in_any_pieces("echo 'a'b\n", "Protocol error: unbalanced quotes in request");
}

TEST(RespParser, NamesEveryFaultAsRedisDoes) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"*x\r\n", "Protocol error: invalid multibulk length"},
      {"*\r\n", "Protocol error: invalid multibulk length"},
      {"*+1\r\n", "Protocol error: invalid multibulk length"},
      {"* 1\r\n", "Protocol error: invalid multibulk length"},
      {"*01\r\n", "Protocol error: invalid multibulk length"},
      {"*-0\r\n", "Protocol error: invalid multibulk length"},
      {"*1\rx", "Protocol error: invalid multibulk length"},
      {"*1\n*", "Protocol error: invalid multibulk length"},
      {"*1111111111111111111111111111\r\n", "Protocol error: invalid multibulk length"},
      {"*5\r\n", "Protocol error: invalid multibulk length: 5, at most 4"},
      {"*1\r\n+1\r\n", "Protocol error: expected '$', got '+'"},
      {"*1\r\n\x01", "Protocol error: expected '$', got '?'"},
      {"*1\r\n$x\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$-1\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$1 \r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$1111111111111111111111111111\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$17\r\n", "Protocol error: invalid bulk length: 17, at most 16"},
      {"*1\r\n$1\r\nab\r\n", "Protocol error: expected CRLF behind a bulk string"},
      {"*1\r\n$1\r\na\n\n", "Protocol error: expected CRLF behind a bulk string"},
  };
  for (const auto& [bytes, text] : kCases) expect_in_any_pieces(bytes, text);
}

TEST(RespParser, TellsStrangersSo) {
  RespLimits stranger = kSmall;
  stranger.authenticated = false;
  expect_in_any_pieces("*5\r\n", "Protocol error: unauthenticated multibulk length: 5, at most 4",
                       stranger);
  expect_in_any_pieces("*1\r\n$17\r\n",
                       "Protocol error: unauthenticated bulk length: 17, at most 16", stranger);
}

TEST(RespParser, BoundsARequestAsAWhole) {
  const std::string word = "$16\r\n" + std::string(16, 'x') + "\r\n";  // 23 bytes.
  expect_in_any_pieces("*2\r\n" + word + word,
                       std::string(16, 'x') + "|" + std::string(16, 'x') + "\n");
  expect_in_any_pieces("*3\r\n" + word + word + word,
                       "Protocol error: too big request: 73, at most 64");
  expect_in_any_pieces(std::string(65, 'x'), "Protocol error: too big inline request");
  expect_in_any_pieces(std::string(65, ' ') + "\n", "Protocol error: too big inline request");
  expect_in_any_pieces("a b c d e\n",
                       "Protocol error: too many words in an inline request: 5, at most 4");
}

TEST(RespParser, ADeclaredLengthReservesNothing) {
  RespParser parser(kRespLimitsClient);
  EXPECT_EQ(parser.parse("*1000000\r\n$16000000\r\nabc"), ParseStatus::kNeedMore);
}

TEST(RespParser, KnowsHttpAndTls) {
  const auto fault_of = [](std::string_view bytes) {
    RespParser parser(kRespLimitsStranger);
    EXPECT_EQ(parser.parse(bytes), ParseStatus::kError) << bytes;
    return parser.fault();
  };
  for (const std::string_view line :
       {"POST / HTTP/1.1\r\n", "post /x\r\n", "GET / HTTP/1.1\r\n", "GET /api\r\n",
        "get x HTTP/1.0\n", "Host: localhost\r\n", "HEAD / HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n",
        "PUT /x HTTP/1.1\r\n", "DELETE /x HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n"}) {
    EXPECT_EQ(fault_of(line), RespFault::kHttp) << line;
  }
  EXPECT_EQ(fault_of("\x16\x03\x01"), RespFault::kTls);
  EXPECT_EQ(fault_of("*x\r\n"), RespFault::kSyntax);
  EXPECT_EQ(fault_of("*9\r\n"), RespFault::kTooBig);
  expect_in_any_pieces("GET key\n", "GET|key\n");
}

TEST(RespParser, AnErrorStays) {
  RespParser parser(kSmall);
  EXPECT_EQ(parser.parse("*x\r\n"), ParseStatus::kError);
  EXPECT_EQ(parser.parse("*1\r\n$4\r\nPING\r\n"), ParseStatus::kError);
  EXPECT_TRUE(parser.arguments().empty());
}

TEST(RespParser, LimitsMayGrowBetweenRequests) {
  RespParser parser(kRespLimitsStranger);
  const std::string_view auth = "AUTH secret\r\n";
  ASSERT_EQ(parser.parse(auth), ParseStatus::kRequest);
  parser.set_limits(kRespLimitsClient);
  std::string request;
  encode_request_header(20, request);
  for (int i = 0; i < 20; ++i) encode_bulk(std::string(1000, 'x'), request);
  ASSERT_EQ(parser.parse(request), ParseStatus::kRequest);
  EXPECT_EQ(parser.arguments().size(), 20U);
  EXPECT_EQ(parser.consumed(), request.size());
}

TEST(RespParser, GivesTheRoomOfABatchBack) {
  std::string batch;
  encode_request_header(100'000, batch);
  for (int i = 0; i < 100'000; ++i) encode_bulk("", batch);
  RespParser parser(kRespLimitsClient);
  ASSERT_EQ(parser.parse(batch), ParseStatus::kRequest);
  EXPECT_EQ(parser.arguments().size(), 100'000U);
  EXPECT_GE(parser.memory_bytes(), 100'000 * sizeof(std::string_view));
  EXPECT_EQ(parser.parse(""), ParseStatus::kNeedMore);
  EXPECT_LT(parser.memory_bytes(), 1'000U);
}

// The words lie in the caller's bytes; when those have moved, so have the words.
TEST(RespParser, WordsAreViewsIntoTheBytes) {
  const std::string first = "*2\r\n$1\r\na\r\n";
  const std::string whole = first + "$1\r\nb\r\n";
  RespParser parser(kSmall);
  ASSERT_EQ(parser.parse(first), ParseStatus::kNeedMore);
  ASSERT_EQ(parser.parse(whole), ParseStatus::kRequest);
  EXPECT_EQ(parser.arguments()[0].data(), whole.data() + 8);
  EXPECT_EQ(parser.arguments()[1].data(), whole.data() + 15);
}

}  // namespace
}  // namespace protocol
