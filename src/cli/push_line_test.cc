#include "cli/push_line.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

using namespace std::chrono_literals;

std::string message_of(std::string_view line) {
  PushLineReader reader;
  const auto job = reader.read(line);
  return job ? "no error" : job.error().message;
}

TEST(PushLine, ReadsTheLeastThereIs) {
  PushLineReader reader;
  const auto job = reader.read(R"({"queue":"emails","type":"send_email"})");
  ASSERT_TRUE(job.has_value()) << job.error().message;
  EXPECT_EQ(job->queue, "emails");
  EXPECT_EQ(job->type, "send_email");
  EXPECT_EQ(job->args, "{}");
}

TEST(PushLine, ArgsStayAsTheyStand) {
  PushLineReader reader;
  for (const std::string args : {R"({ "big": 12345678901234567890, "e": 1.50e-3 , "a":[ 1 ] })",
                                 R"([1, 2])", R"("x\u00fc")", "12.50", "null", "true", "{}"}) {
    const auto job = reader.read(R"({"type":"t", "args": )" + args + R"( ,"queue":"q"})");
    ASSERT_TRUE(job.has_value()) << args << job.error().message;
    EXPECT_EQ(job->args, args);
  }
}

TEST(PushLine, ReadsEveryOption) {
  PushLineReader reader;
  const auto job = reader.read(
      R"({"queue":"q","type":"t","delay":"5m","priority":9,"attempts":2,"backoff":"fixed:1",)"
      R"("timeout":1500,"soft_timeout":"1s","lease":"2s","expire":"1h","keep":"1d","crashes":1,)"
      R"("key":"k","on_duplicate":"error","request":"r","request_for":"1m","meta":{"a":"b"}})");
  ASSERT_TRUE(job.has_value()) << job.error().message;
  const dray::PushOptions& options = job->options;
  EXPECT_EQ(options.delay, 5min);
  EXPECT_EQ(options.priority, 9);
  EXPECT_EQ(options.attempts, 2);
  EXPECT_EQ(options.backoff, "fixed:1");
  EXPECT_EQ(options.timeout, 1'500ms);
  EXPECT_EQ(options.soft_timeout, 1s);
  EXPECT_EQ(options.lease, 2s);
  EXPECT_EQ(options.expire, 1h);
  EXPECT_EQ(options.keep, 24h);
  EXPECT_EQ(options.crashes, 1);
  EXPECT_EQ(options.key, "k");
  EXPECT_EQ(options.on_duplicate, dray::OnDuplicate::kError);
  EXPECT_EQ(options.request, "r");
  EXPECT_EQ(options.request_for, 1min);
  EXPECT_EQ(options.meta.front(), std::make_pair(std::string("a"), std::string("b")));
}

TEST(PushLine, TimesAreTextOrMilliseconds) {
  PushLineReader reader;
  const auto text = reader.read(R"({"queue":"q","type":"t","at":"1970-01-01T00:00:01Z"})");
  const auto number = reader.read(R"({"queue":"q","type":"t","at":1000})");
  ASSERT_TRUE(text.has_value() && number.has_value());
  EXPECT_EQ(text->options.at, number->options.at);
}

TEST(PushLine, ErrorsNameTheField) {
  EXPECT_NE(message_of(R"({"type":"t"})").find("queue"), std::string::npos);
  EXPECT_NE(message_of(R"({"queue":"q"})").find("type"), std::string::npos);
  EXPECT_NE(message_of(R"({"queue":"q","type":"t","prio":1})").find("prio"), std::string::npos);
  EXPECT_NE(message_of(R"({"queue":"q","type":"t","delay":"5"})").find("delay"), std::string::npos);
  EXPECT_NE(message_of(R"({"queue":"q","type":7})").find("type"), std::string::npos);
  EXPECT_NE(message_of(R"({"queue":"q","type":"t","delay":"1s","at":1})").find("exclude"),
            std::string::npos);
}

TEST(PushLine, WhatIsNoObjectIsRefused) {
  for (const char* line : {"", "{", "[]", "7", R"({"queue":"q","type":"t"} x)",
                           R"({"queue":"q","type":"t","args":{"a":tru}})"}) {
    EXPECT_NE(message_of(line), "no error") << line;
  }
}

TEST(PushLine, ChecksJson) {
  EXPECT_TRUE(check_json("{\"a\": [1, 2.5]}").has_value());
  EXPECT_FALSE(check_json("{'a': 1}").has_value());
  EXPECT_FALSE(check_json("").has_value());
}

}  // namespace
}  // namespace cli
