#include "cli/top_view.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cli {
namespace {

using ::testing::HasSubstr;

Snapshot at(int64_t seconds, int64_t pushed, int64_t succeeded) {
  Snapshot snapshot;
  snapshot.at = base::MonoTime{seconds * 1'000'000'000};
  snapshot.info = {
      {"dray_version", "1.2.3"},  {"uptime_in_seconds", "125"}, {"jobs", "7"},
      {"connected_clients", "4"}, {"journal_bytes", "2560"},    {"journal_budget", "4294967296"}};
  dray::QueueStats queue;
  queue.queue = "emails";
  queue.ready = 5;
  queue.running = 2;
  queue.oldest = std::chrono::milliseconds(2'500);
  queue.pushed = pushed;
  queue.succeeded = succeeded;
  snapshot.queues = {queue};
  return snapshot;
}

TEST(TopFrame, RatesAreWhatGrewBetweenTwoLooks) {
  const Snapshot before = at(10, 100, 50);
  const std::string frame = top_frame(at(12, 140, 55), &before, {.server = "127.0.0.1:3729"});
  EXPECT_EQ(frame,
            "dray 1.2.3  127.0.0.1:3729  up 2m 5s  connections 4  journal 2.5 KiB of 4.0 GiB\n"
            "jobs 7  ready 5  running 2  scheduled 0  dead 0  in 20/s  done 2.5/s  failed 0/s\n"
            "\n"
            "queue   ready  running  scheduled  dead  oldest  in/s  done/s  failed/s\n"
            "emails      5        2          0     0  2.5s      20     2.5         0\n"
            "\n"
            "workers: this server does not tell of them\n");
}

TEST(TopFrame, TheFirstLookHasNoRates) {
  EXPECT_THAT(top_frame(at(10, 100, 50), nullptr, {}), HasSubstr("in -/s  done -/s"));
}

TEST(TopFrame, ANewQueueGrewFromNothing) {
  Snapshot before = at(10, 0, 0);
  before.queues.clear();
  EXPECT_THAT(top_frame(at(11, 3, 0), &before, {}), HasSubstr("in 3.0/s"));
}

TEST(TopFrame, WithLittleRoomTheFullestQueuesAreShown) {
  Snapshot now = at(10, 0, 0);
  now.queues.clear();
  for (int i = 0; i < 40; ++i) {
    dray::QueueStats queue;
    queue.queue = fmt::format("q{:02}", i);
    queue.ready = i % 10;
    now.queues.push_back(queue);
  }
  const std::string frame = top_frame(now, nullptr, {.lines = 24});
  EXPECT_THAT(frame, HasSubstr("\nq09 "));
  EXPECT_THAT(frame, HasSubstr("\nq39 "));
  EXPECT_THAT(frame, testing::Not(HasSubstr("\nq00 ")));
  EXPECT_THAT(frame, HasSubstr("\n26 queues with less in them\n"));
  EXPECT_LE(std::ranges::count(frame, '\n'), 24);
  EXPECT_THAT(top_frame(now, nullptr, {}), HasSubstr("\nq00 ")) << "there is room for all";
}

TEST(TopFrame, WorkersAreShownWhereTheServerTells) {
  Snapshot now = at(10, 0, 0);
  now.workers.emplace();
  EXPECT_THAT(top_frame(now, nullptr, {}), HasSubstr("no worker is there"));
  using Kind = dray::Value::Kind;
  now.workers->push_back({.kind = Kind::kMap,
                          .items = {{.kind = Kind::kText, .text = "worker"},
                                    {.kind = Kind::kText, .text = "host-1:4711"}}});
  EXPECT_THAT(top_frame(now, nullptr, {}), HasSubstr("worker\nhost-1:4711\n"));
}

}  // namespace
}  // namespace cli
