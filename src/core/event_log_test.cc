#include "core/event_log.h"

#include <gtest/gtest.h>

#include "core/apply_fixture.h"

namespace core {
namespace {

class EventLogTest : public ApplyFixture {
 protected:
  Answer run_watched(CommandBody body) {
    Context step = context();
    step.events = &events;
    Answer answer;
    apply(step, Command{std::move(body)}, answer);
    return answer;
  }
  void listen() { EXPECT_EQ(error_of(run_watched(EventRead{.cursor = "$"})), "OK"); }
  // "event state" of jobs and queues, of all that was kept since the last call.
  std::string told() {
    const EventLog::Page page = events.read(seen, 1'000);
    seen = page.next;
    std::string text;
    for (const EventLog::Event& event : page.events) {
      if (event.channel.starts_with("worker.")) continue;
      text += value_of(event.json, "event") + " " + value_of(event.json, "state") + "\n";
    }
    return text;
  }
  // The channels of the same.
  std::string channels() {
    const EventLog::Page page = events.read(seen, 1'000);
    seen = page.next;
    std::string text;
    for (const EventLog::Event& event : page.events) text += std::string(event.channel) + "\n";
    return text;
  }
  static std::string value_of(std::string_view json, std::string_view name) {
    const std::string mark = fmt::format("\"{}\":\"", name);
    const size_t begin = json.find(mark);
    if (begin == std::string_view::npos) return "-";
    const std::string_view rest = json.substr(begin + mark.size());
    return std::string(rest.substr(0, rest.find('"')));
  }

  EventLog events;
  EventLog::Cursor seen;
};

TEST_F(EventLogTest, TellsTheLifeOfAJobInOrder) {
  listen();
  seen = events.end();
  run_watched(Push{spec()});
  const auto lease = [&] { return names(run_watched(fetch_of({"q"})).grants.at(0)); };
  auto [job, token] = lease();
  run_watched(Progress{job, token, "50"});
  run_watched(Fail{job, token, "E", "no", {}, {}, false});
  EXPECT_EQ(told(),
            "pushed ready\nstarted running\nprogress running\nfailed scheduled\n"
            "retrying scheduled\n");
  pass(3'600'000);
  std::tie(job, token) = lease();
  run_watched(Fail{job, token, "E", "no", {}, {}, true});
  EXPECT_EQ(told(), "started running\nfailed dead\ndead dead\n");
  run_watched(Bulk{BulkVerb::kRetry, false, {job}});
  std::tie(job, token) = lease();
  run_watched(Release{job, token, {}});
  run_watched(Bulk{BulkVerb::kCancel, false, {job}});
  run_watched(Bulk{BulkVerb::kDelete, false, {job}});
  EXPECT_EQ(told(),
            "retrying ready\nstarted running\nreleased ready\ncancelled cancelled\n"
            "deleted cancelled\n");
}

TEST_F(EventLogTest, EachEventHasItsChannel) {
  listen();
  seen = events.end();
  run_watched(Push{spec()});
  run_watched(QueuePause{"q", {}});
  EXPECT_EQ(channels(), "job.pushed.q\nqueue.paused.q\n");
}

TEST_F(EventLogTest, TellsOfWorkersThatComeAndGo) {
  listen();
  seen = events.end();
  run_watched(WorkerBeat{"w", {}, {}});
  run_watched(WorkerBeat{"w", {}, {}});
  run_watched(WorkerTell{"w", WorkerOrder::kQuiet});
  run_watched(WorkerTell{"w", WorkerOrder::kStop});
  run_watched(WorkerBye{"w", {}});
  run_watched(WorkerBye{"w", {}});
  EXPECT_EQ(channels(), "worker.joined\nworker.quiet\nworker.stop\nworker.left\n");
}

TEST_F(EventLogTest, TellsOfQueuesOnlyWhatChanges) {
  listen();
  seen = events.end();
  run_watched(QueuePause{"q", "fire"});
  run_watched(QueuePause{"q", "flood"});
  run_watched(QueueResume{"q"});
  EXPECT_EQ(told(), "paused -\nresumed -\n");
}

TEST_F(EventLogTest, KeepsNothingWhileNobodyReads) {
  run_watched(Push{spec()});
  EXPECT_EQ(events.end().seq, 0U);
  listen();
  run_watched(Push{spec()});
  EXPECT_EQ(events.end().seq, 1U);
  const EventLog::Cursor before = events.end();
  events.expire(now.engine + base::Duration{limits::kEventIdleMs});
  EXPECT_FALSE(events.is_listening());
  listen();
  EXPECT_TRUE(events.read(before, 10).has_gap);
}

TEST_F(EventLogTest, AGroupThatIsTakenBackLeavesNoEvent) {
  listen();
  seen = events.end();
  Exec exec;
  exec.commands.push_back({Push{spec()}});
  exec.commands.push_back({Ack{{JobRef{JobId{77}, {}, {}}, {}, {}, false}}});
  const Answer answer = run_watched(std::move(exec));
  EXPECT_EQ(error_of(answer).substr(0, 9), "EXECABORT");
  EXPECT_EQ(told(), "");
}

TEST_F(EventLogTest, TheOldestGoWhenThereAreTooManyBytes) {
  EventLog small(2'000);
  small.listen(now.engine, 7);
  const EventLog::Cursor begin = small.end();
  Context step = context();
  step.events = &small;
  for (int i = 0; i < 100; ++i) {
    Answer answer;
    apply(step, Command{Push{spec()}}, answer);
  }
  EXPECT_EQ(small.end().seq, 100U);
  const EventLog::Page page = small.read(begin, 1'000);
  EXPECT_TRUE(page.has_gap);
  EXPECT_GT(page.events.size(), 5U);
  EXPECT_LT(page.events.size(), 20U);
  EXPECT_FALSE(small.read(page.next, 10).has_gap);
}

TEST_F(EventLogTest, APageEndsByItsBytesToo) {
  listen();
  seen = events.end();
  run_watched(Push{spec()});
  const auto [job, token] = names(run_watched(fetch_of({"q"})).grants.at(0));
  const std::string large(limits::kProgressBytesMax, 'x');
  for (int i = 0; i < 40; ++i) run_watched(Progress{job, token, large});
  const EventLog::Page page = events.read(seen, 1'000);
  EXPECT_GT(page.events.size(), 10U);
  EXPECT_LT(page.events.size(), 20U);
  const EventLog::Page second = events.read(page.next, 1'000);
  EXPECT_GT(second.events.size(), 10U);
  EXPECT_LT(second.events.size(), 20U);
}

TEST_F(EventLogTest, TheEndOfACancelledLeaseIsTold) {
  listen();
  run_watched(Push{spec()});
  const auto [job, token] = names(run_watched(fetch_of({"q"})).grants.at(0));
  run_watched(Bulk{BulkVerb::kCancel, false, {job}});
  seen = events.end();
  run_watched(Release{job, token, {}});
  EXPECT_EQ(told(), "released cancelled\ncancelled cancelled\n");
}

TEST_F(EventLogTest, AnyByteOfAProgressIsInJson) {
  listen();
  seen = events.end();
  run_watched(Push{spec()});
  const auto [job, token] = names(run_watched(fetch_of({"q"})).grants.at(0));
  run_watched(Progress{job, token, std::string_view("\"\n\x01\xff", 4)});
  const EventLog::Page page = events.read(seen, 10);
  EXPECT_NE(page.events.back().json.find("\"progress\":{\"base64\":\"IgoB/w==\"}"),
            std::string::npos)
      << page.events.back().json;
}

TEST_F(EventLogTest, RefusesWhatIsNoCursor) {
  EXPECT_EQ(error_of(run_watched(EventRead{.cursor = "7"})).substr(0, 19), "BADREQ field=cursor");
  EXPECT_EQ(error_of(run_watched(EventRead{.cursor = "$", .count = 0})).substr(0, 18),
            "BADREQ field=COUNT");
  const auto cursor = parse_event_cursor("00000000000000ff:12");
  ASSERT_TRUE(cursor.has_value());
  EXPECT_EQ(cursor_text(*cursor), "00000000000000ff:12");
  EXPECT_FALSE(parse_event_cursor("zz:1").has_value());
  EXPECT_FALSE(parse_event_cursor("1:").has_value());
}

TEST_F(EventLogTest, AReadWaitsOnlyWhenThereIsNothingToTell) {
  listen();
  const std::string cursor = cursor_text(events.end());
  EXPECT_TRUE(run_watched(EventRead{.cursor = cursor, .block_ms = 5}).blocks);
  EXPECT_FALSE(run_watched(EventRead{.cursor = cursor}).blocks);
  run_watched(Push{spec()});
  EXPECT_FALSE(run_watched(EventRead{.cursor = cursor, .block_ms = 5}).blocks);
}

}  // namespace
}  // namespace core
