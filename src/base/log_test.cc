#include "base/log.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <regex>
#include <vector>

namespace base {
namespace {

std::string json(std::string_view message, std::vector<LogField> fields = {}) {
  return log_text(LogFormat::kJson, message, fields);
}

std::string logfmt(std::string_view message, std::vector<LogField> fields = {}) {
  return log_text(LogFormat::kLogfmt, message, fields);
}

TEST(LogText, WritesEveryKindOfValue) {
  const std::string word = "q-1";
  const std::vector<LogField> fields = {
      {"text", "a b"}, {"word", word}, {"less", -3}, {"most", std::numeric_limits<uint64_t>::max()},
      {"half", 0.5},   {"on", true}};
  EXPECT_EQ(json("hello", fields),
            R"("msg":"hello","text":"a b","word":"q-1","less":-3,"most":18446744073709551615,)"
            R"("half":0.5,"on":true)");
  EXPECT_EQ(
      logfmt("hello", fields),
      R"(msg="hello" text="a b" word=q-1 less=-3 most=18446744073709551615 half=0.5 on=true)");
}

TEST(LogText, TextCannotBreakOutOfItsField) {
  EXPECT_EQ(json("m", {{"k", "a\",\"level\":\"error"}}),
            R"("msg":"m","k":"a\",\"level\":\"error")");
  EXPECT_EQ(logfmt("m", {{"k", "a level=error"}}), R"(msg="m" k="a level=error")");
  EXPECT_EQ(logfmt("m", {{"k", "\"quoted\" \\"}}), R"(msg="m" k="\"quoted\" \\")");
  EXPECT_EQ(logfmt("m", {{"k", ""}}), R"(msg="m" k="")");
}

TEST(LogText, ControlCharactersAreEscapedInBothFormats) {
  const std::string nasty("line\r\n\x1b[31mred\x7f\0end", 19);
  const std::string escaped = R"("line\u000d\n\u001b[31mred\u007f\u0000end")";
  EXPECT_EQ(json("m", {{"k", nasty}}), "\"msg\":\"m\",\"k\":" + escaped);
  EXPECT_EQ(logfmt(nasty), "msg=" + escaped);
  EXPECT_EQ(json("\xc2\x9b[31m"), R"("msg":"\u009b[31m")");  // CSI as one character.
}

TEST(LogText, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(json("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "\"msg\":\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
  EXPECT_EQ(json("a\xff"
                 "b"),
            R"("msg":"a\ufffdb")");
  EXPECT_EQ(json("\xc3"), R"("msg":"\ufffd")");                                // Cut short.
  EXPECT_EQ(json("\xc0\xaf"), R"("msg":"\ufffd\ufffd")");                      // Overlong.
  EXPECT_EQ(json("\xed\xa0\x80"), R"("msg":"\ufffd\ufffd\ufffd")");            // A surrogate.
  EXPECT_EQ(json("\xf4\x90\x80\x80"), R"("msg":"\ufffd\ufffd\ufffd\ufffd")");  // Above U+10FFFF.
}

TEST(LogText, LongValuesAreCutAndSaySo) {
  const std::string fits(kLogValueBytesMax, 'x');
  EXPECT_EQ(logfmt("m", {{"k", fits}}), "msg=\"m\" k=" + fits);
  EXPECT_EQ(logfmt("m", {{"k", fits + "y"}}), "msg=\"m\" k=\"" + fits + "... (cut)\"");
}

TEST(LogText, NumbersThatJsonHasNoWordForAreText) {
  EXPECT_EQ(json("m", {{"k", std::numeric_limits<double>::infinity()}}), R"("msg":"m","k":"inf")");
}

TEST(LogLevelName, IsKnownOrNot) {
  EXPECT_EQ(log_level("debug"), LogLevel::kDebug);
  EXPECT_EQ(log_level("warning"), LogLevel::kWarning);
  EXPECT_EQ(log_level("INFO"), std::nullopt);
  EXPECT_EQ(log_level(""), std::nullopt);
}

// Logs into a file of its own; stderr again afterwards.
class LogFile : public testing::Test {
 protected:
  void start(LogLevel level, LogFormat format) {
    log_start({.level = level, .format = format, .out = file_.get()});
  }
  void TearDown() override { log_start({}); }

  std::string written() {
    std::string text(4096, '\0');
    std::rewind(file_.get());
    text.resize(std::fread(text.data(), 1, text.size(), file_.get()));
    return text;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_{std::tmpfile()};
};

TEST_F(LogFile, AFileThatIsNoTerminalGetsJsonLines) {
  start(LogLevel::kInfo, LogFormat::kAuto);
  LOG(kInfo, "listening", {"port", 3729});
  LOG(kError, "100% {}");
  const std::string ts = R"re("ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")re";
  EXPECT_TRUE(std::regex_match(
      written(),
      std::regex(R"re(\{)re" + ts + R"re(,"level":"info","msg":"listening","port":3729\}\n\{)re" +
                 ts + R"re(,"level":"error","msg":"100% \{\}"\}\n)re")))
      << written();
}

TEST_F(LogFile, LogfmtLineHasTimeAndLevelFirst) {
  start(LogLevel::kInfo, LogFormat::kLogfmt);
  LOG(kWarning, "slow", {"queue", "q"});
  EXPECT_TRUE(
      std::regex_match(written(), std::regex("ts=\\S+Z level=warning msg=\"slow\" queue=q\n")))
      << written();
}

TEST_F(LogFile, WhatIsBelowTheLevelCostsNothing) {
  start(LogLevel::kWarning, LogFormat::kJson);
  int computed = 0;
  LOG(kInfo, "quiet", {"n", ++computed});
  EXPECT_EQ(computed, 0);
  EXPECT_EQ(written(), "");
  LOG(kWarning, "loud", {"n", ++computed});
  EXPECT_EQ(computed, 1);
  EXPECT_NE(written(), "");
}

}  // namespace
}  // namespace base
