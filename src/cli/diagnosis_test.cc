#include "cli/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cli {
namespace {

using ::testing::HasSubstr;

dray::QueueStats queue(std::string name, int64_t ready = 0) {
  dray::QueueStats stats;
  stats.queue = std::move(name);
  stats.ready = ready;
  return stats;
}

// A server on which there is nothing to find.
Facts healthy() {
  Facts facts;
  facts.own_version = "1.2.3";
  facts.server.info = {{"dray_version", "1.2.3"},  {"resp_address", "127.0.0.1:3729"},
                       {"auth_required", "0"},     {"commit_p99_us", "2048"},
                       {"files_max", "65536"},     {"data_free_bytes", "100000000000"},
                       {"pushes_refused_now", "0"}};
  facts.server.queues = {queue("emails")};
  return facts;
}

// The bad findings, "subject: what".
std::vector<std::string> bad(const Facts& facts) {
  std::vector<std::string> words;
  for (const Finding& finding : diagnose(facts)) {
    if (finding.verdict != Verdict::kBad) continue;
    EXPECT_NE(finding.remedy, "") << finding.what;
    words.push_back(finding.subject + ": " + finding.what);
  }
  return words;
}

Facts with(const std::string& field, const std::string& value) {
  Facts facts = healthy();
  facts.server.info[field] = value;
  return facts;
}

TEST(Diagnosis, AHealthyServerHasNothingBad) {
  EXPECT_THAT(bad(healthy()), testing::IsEmpty());
}

TEST(Diagnosis, EachMistakeIsFound) {
  EXPECT_THAT(bad(with("dray_version", "1.2.4")),
              testing::ElementsAre("version: the server is 1.2.4, this program 1.2.3"));
  EXPECT_THAT(bad(with("resp_address", "0.0.0.0:3729")),
              testing::ElementsAre("access: 0.0.0.0:3729 lets anybody in"));
  EXPECT_THAT(bad(with("commit_p99_us", "131072")),
              testing::ElementsAre(HasSubstr("sync: of 100 commits 99 took less than 131.1 ms")));
  EXPECT_THAT(bad(with("files_max", "1024")),
              testing::ElementsAre("files: the server may open 1024"));
  EXPECT_THAT(bad(with("data_free_bytes", "1048576")),
              testing::ElementsAre("disk: 1 MiB are free for the data"));
  EXPECT_THAT(bad(with("pushes_refused_now", "1")),
              testing::ElementsAre(HasSubstr("pushes are refused")));
}

TEST(Diagnosis, ATokenMakesAnyAddressGood) {
  Facts facts = with("resp_address", "0.0.0.0:3729");
  facts.server.info["auth_required"] = "1";
  EXPECT_THAT(bad(facts), testing::IsEmpty());
}

TEST(Diagnosis, ClocksMayDifferByTheWayThereAndBack) {
  Facts facts = healthy();
  facts.skew_ms = -3'000;
  EXPECT_THAT(bad(facts), testing::ElementsAre("clock: the server's is 3.0s behind ours"));
  facts.round_trip_ms = 2'500;
  EXPECT_THAT(bad(facts), testing::IsEmpty());
}

TEST(Diagnosis, QueuesThatStandStillAreFound) {
  Facts facts = healthy();
  facts.server.queues = {queue("paused", 3), queue("alone", 5), queue("busy", 5), queue("new", 5)};
  facts.server.queues[0].paused = true;
  for (dray::QueueStats& one : facts.server.queues) one.oldest = std::chrono::minutes(2);
  facts.server.queues[2].running = 1;
  facts.server.queues[3].oldest = std::chrono::seconds(2);
  EXPECT_THAT(bad(facts),
              testing::ElementsAre("queue paused: is paused, 3 jobs are ready",
                                   "queue alone: 5 jobs are ready, the oldest for 2m 0s, and none "
                                   "runs"));
}

TEST(Diagnosis, LeasesThatAreOftenLostAreFound) {
  const auto lost = [](int64_t count, int64_t started) {
    Facts facts = healthy();
    dray::QueueStats& one = facts.server.queues.front();
    one.started = started;
    one.raw = {.kind = dray::Value::Kind::kMap,
               .items = {{.kind = dray::Value::Kind::kText, .text = "lost"},
                         {.kind = dray::Value::Kind::kInteger, .integer = count}}};
    return bad(facts).size();
  };
  EXPECT_EQ(lost(11, 1'000), 1U);
  EXPECT_EQ(lost(10, 1'000), 0U);
  EXPECT_EQ(lost(9, 10), 0U) << "so few are an accident";
}

TEST(Diagnosis, WhatAServerDoesNotTellIsUnknownNotBad) {
  Facts facts = healthy();
  facts.server.info.clear();
  EXPECT_THAT(bad(facts), testing::IsEmpty());
  const auto findings = diagnose(facts);
  EXPECT_EQ(std::ranges::count(findings, Verdict::kUnknown, &Finding::verdict), 5);
}

TEST(Info, LinesAreReadAndSectionsPassedOver) {
  const Info info = parse_info("# Server\r\nversion:1\r\naddress:[::1]:3729\r\nlast:x");
  EXPECT_EQ(text_of(info, "address"), "[::1]:3729");
  EXPECT_EQ(number_of(info, "version"), 1);
  EXPECT_EQ(number_of(info, "last", -1), -1);
  EXPECT_EQ(info.size(), 3U);
}

}  // namespace
}  // namespace cli
