#include "sdk/cpp/push_words.h"

#include <gtest/gtest.h>

#include <set>

#include "core/limits.h"
#include "protocol/decode.h"
#include "protocol/resp_parser.h"

namespace dray::detail {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

std::vector<std::string> words_of(const std::string& bytes) {
  protocol::RespParser parser(protocol::kRespLimitsClient);
  EXPECT_EQ(parser.parse(bytes), protocol::ParseStatus::kRequest);
  std::vector<std::string> words;
  for (const std::string_view word : parser.arguments()) words.emplace_back(word);
  return words;
}

std::vector<std::string> words_of(const Request& request) {
  return words_of(request.bytes());
}

TEST(PushWords, PlainPushCarriesTheNameOnly) {
  const NewJob job{.queue = "emails", .type = "send_email", .args = "{\"a\":1}"};
  EXPECT_EQ(words_of(push_request(job, {"p", 7})),
            (std::vector<std::string>{"JOB.PUSH", "emails", "send_email", "{\"a\":1}", "REQSEQ",
                                      "p", "7"}));
}

TEST(PushWords, EveryOptionHasItsWord) {
  NewJob job{.queue = "q", .type = "t", .args = ""};
  job.options = {.delay = 5min,
                 .priority = 9,
                 .attempts = 3,
                 .backoff = "fixed:500~0",
                 .timeout = 10s,
                 .soft_timeout = 5s,
                 .lease = 2s,
                 .expire = 1h,
                 .keep = 24h,
                 .crashes = 2,
                 .key = "k",
                 .on_duplicate = OnDuplicate::kError,
                 .request = "r",
                 .request_for = 1min,
                 .meta = {{"trace", "x"}}};
  EXPECT_EQ(words_of(push_request(job, {"p", 7})),
            (std::vector<std::string>{
                "JOB.PUSH", "q",       "t",           "",         "DELAY",   "300000",
                "PRIORITY", "9",       "ATTEMPTS",    "3",        "BACKOFF", "fixed:500~0",
                "TIMEOUT",  "10000",   "SOFTTIMEOUT", "5000",     "LEASE",   "2000",
                "EXPIRE",   "3600000", "KEEP",        "86400000", "CRASHES", "2",
                "KEY",      "k",       "ONDUP",       "ERROR",    "REQUEST", "r",
                "FOR",      "60000",   "META",        "1",        "trace",   "x"}));
}

TEST(PushWords, LockLimitersAndFairnessHaveTheirWords) {
  NewJob job{.queue = "q", .type = "t", .args = ""};
  const auto options_of = [&] {
    auto words = words_of(push_request(job, {"p", 7}));
    return std::vector<std::string>(words.begin() + 4, words.end());
  };
  job.options = {.unique = {.key = "u"}, .limits = {"api", "db"}, .fair = "customer:3"};
  EXPECT_EQ(options_of(),
            (std::vector<std::string>{"UNIQUE", "u", "ONDUP", "REPORT", "REQSEQ", "p", "7",
                                      "LIMITS", "2", "api", "db", "FAIR", "customer:3"}));
  job.options = {.unique = {.key = "u", .until = Unique::Until::kStarted}};
  EXPECT_EQ(options_of(), (std::vector<std::string>{"UNIQUE", "u", "UNTIL", "STARTED", "ONDUP",
                                                    "REPORT", "REQSEQ", "p", "7"}));
  job.options = {.unique = {.key = "u", .ttl = 5s}};
  EXPECT_EQ(options_of(), (std::vector<std::string>{"UNIQUE", "u", "FOR", "5000", "ONDUP", "REPORT",
                                                    "REQSEQ", "p", "7"}));
}

TEST(PushWords, AsksWhetherTheJobIsNewWhereItMayNotBe) {
  NewJob job{.queue = "q", .type = "t", .args = ""};
  job.options.key = "k";
  const auto words = words_of(push_request(job, {"p", 1}));
  EXPECT_NE(std::find(words.begin(), words.end(), "REPORT"), words.end());
}

TEST(PushWords, BatchOfTheLargestSizeFitsTheProducersWindow) {
  std::vector<NewJob> jobs(core::limits::kBatchItemsMax,
                           NewJob{.queue = "q", .type = "t", .args = ""});
  std::map<std::string, std::set<int64_t>> numbers;
  for (const uint64_t batch : {uint64_t{0}, uint64_t{1}}) {
    const auto words = words_of(push_many_request(jobs, "p", batch));
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i] == "REQSEQ") numbers[words[i + 1]].insert(std::stoll(words[i + 2]));
    }
  }
  size_t all = 0;
  for (const auto& [producer, seen] : numbers) {
    all += seen.size();
    // Both batches together, without a hole: the second one ends within the window of its first.
    EXPECT_EQ(*seen.rbegin() - *seen.begin() + 1, static_cast<int64_t>(seen.size()));
    EXPECT_LE(seen.size() / 2, core::limits::kProducerWindow);
  }
  EXPECT_EQ(all, 2 * jobs.size()) << "a name was used for two jobs";
}

TEST(PushWords, ServerUnderstandsThem) {
  std::vector<NewJob> jobs(3, NewJob{.queue = "q", .type = "t", .args = "x"});
  jobs[1].options = {.delay = 5min, .key = "k", .meta = {{"a", "b"}, {"c", "d"}}};
  const std::string bytes = push_many_request(jobs, "p", 0);
  protocol::RespParser parser(protocol::kRespLimitsClient);
  ASSERT_EQ(parser.parse(bytes), protocol::ParseStatus::kRequest);
  const auto arguments = parser.arguments();
  const auto command = protocol::decode(*protocol::find_command(arguments[0]), arguments);
  ASSERT_TRUE(command.has_value()) << command.error().message;
}

TEST(PushWords, ReadsBothFormsOfTheAnswer) {
  protocol::RespReplyParser parser;
  ASSERT_EQ(parser.parse("$3\r\nabc\r\n"), protocol::ReplyStatus::kValue);
  EXPECT_EQ(read_pushed(parser.value()).id, "abc");
  ASSERT_EQ(parser.parse("*2\r\n$3\r\nabc\r\n:0\r\n"), protocol::ReplyStatus::kValue);
  EXPECT_EQ(read_pushed(parser.value()).id, "abc");
  EXPECT_FALSE(read_pushed(parser.value()).created);
}

}  // namespace
}  // namespace dray::detail
