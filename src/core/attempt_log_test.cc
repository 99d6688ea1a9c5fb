#include "core/attempt_log.h"

#include <gmock/gmock.h>

#include "core/apply_fixture.h"

namespace core {
namespace {

using testing::HasSubstr;
using testing::Not;

LogLine line_of(size_t bytes, char letter = 'x') {
  return {base::WallTime{1}, LogLevel::kInfo, std::string(bytes, letter)};
}

TEST(AttemptLog, TheOldestLinesMakeRoomAndAreCounted) {
  AttemptLog log{.fence = 1};
  const size_t half = limits::kLogBytesMax / 2 - limits::kLogLineBytes;
  log.add(line_of(half, 'a'));
  log.add(line_of(half, 'b'));
  EXPECT_EQ(log.bytes, limits::kLogBytesMax);
  EXPECT_EQ(log.dropped, 0U);
  log.add(line_of(0, 'c'));
  EXPECT_EQ(log.dropped, 1U);
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_EQ(log.lines.front().text.at(0), 'b');
  log.add(line_of(limits::kLogTextBytesMax));
  EXPECT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.dropped, 3U);
  EXPECT_EQ(log.bytes, limits::kLogBytesMax);
}

TEST(AttemptLog, EmptyLinesAreBoundedToo) {
  AttemptLog log{.fence = 1};
  constexpr size_t kMost = 4'000;
  for (size_t i = 0; i < kMost + 10; ++i) log.add(line_of(0));
  EXPECT_EQ(log.lines.size(), kMost);
  EXPECT_EQ(log.dropped, 10U);
}

TEST(AttemptLog, IsFoundByItsFence) {
  std::vector<AttemptLog> logs(2);
  logs[0].fence = 3;
  logs[1].fence = 5;
  EXPECT_EQ(find_log(logs, 5), &logs[1]);
  EXPECT_EQ(find_log(logs, 4), nullptr);
  drop_log(logs, 3);
  drop_log(logs, 4);
  ASSERT_EQ(logs.size(), 1U);
  EXPECT_EQ(logs[0].fence, 5U);
}

// JOB.LOG.
class ApplyLog : public ApplyFixture {
 protected:
  std::string log(const std::pair<JobRef, TokenRef>& lease, std::string_view text,
                  LogLevel level = LogLevel::kInfo) {
    return show(Log{lease.first, lease.second, level, text});
  }
  std::string fail(const std::pair<JobRef, TokenRef>& lease) {
    Fail body;
    body.job = lease.first;
    body.token = lease.second;
    body.error_class = "E";
    body.retry_in_ms = 0;
    return show(body);
  }
};

TEST_F(ApplyLog, IsShownWithTheAttemptThatRunsAndThenInItsHistory) {
  Job& job = push();
  const auto lease = start();
  EXPECT_EQ(log(lease, "one"), "OK");
  pass(5);
  EXPECT_EQ(log(lease, "two", LogLevel::kError), "OK");
  const std::string lines =
      "log [{at_ms 1700000000000 level info text one} {at_ms 1700000000005 level error text two}] "
      "log_dropped 0";
  EXPECT_THAT(show(Get{lease.first}), HasSubstr(lines + " history []"));
  fail(lease);
  EXPECT_THAT(show(Get{lease.first}), HasSubstr("class E " + lines + "}]"));
  EXPECT_EQ(job.record->bytes, job_bytes(job));
  const auto again = start();
  EXPECT_THAT(show(Get{lease.first}), Not(HasSubstr("log_dropped 0 history")))
      << "a new attempt begins a new log";
  EXPECT_EQ(log(again, "three"), "OK");
  EXPECT_EQ(job.record->extras->logs.size(), 2U);
}

TEST_F(ApplyLog, NeedsTheLeaseThatRuns) {
  push();
  const auto lease = start();
  fail(lease);
  EXPECT_THAT(log(lease, "late"), HasSubstr("LEASELOST"));
  EXPECT_EQ(state.find(lease.first.id)->record->extras, nullptr) << "nothing was kept";
  const std::string long_text(limits::kLogTextBytesMax + 1, 'x');
  const auto again = start();
  EXPECT_EQ(
      log(again, long_text),
      "TOOBIG limit=262112 got=262113 bytes of text: store it elsewhere and send a reference");
  EXPECT_EQ(log(again, long_text.substr(1)), "OK");
}

TEST_F(ApplyLog, ALogThatIsFullSaysHowManyLinesAreGone) {
  push();
  const auto lease = start();
  const std::string quarter(limits::kLogBytesMax / 4 - limits::kLogLineBytes, 'x');
  for (int i = 0; i < 6; ++i) log(lease, quarter);
  EXPECT_THAT(show(Get{lease.first}), HasSubstr("log_dropped 2"));
}

TEST_F(ApplyLog, DoesNotRenewTheLease) {
  push();
  const auto lease = start();
  const base::EngineTime before = state.find(lease.first.id)->record->lease.deadline;
  pass(1'000);
  log(lease, "still here");
  EXPECT_EQ(state.find(lease.first.id)->record->lease.deadline, before);
}

TEST_F(ApplyLog, GoesWithAnAttemptThatIsGivenBackOrUndone) {
  Job& job = push();
  const auto released = start();
  log(released, "x");
  show(Release{released.first, released.second, std::nullopt});
  EXPECT_TRUE(job.record->extras->logs.empty());
  const auto undone = start();
  log(undone, "x");
  run(UndoGrants{{{undone.first.id, undone.second.token}}});
  EXPECT_TRUE(job.record->extras->logs.empty());
  EXPECT_EQ(job.record->bytes, job_bytes(job));
}

TEST_F(ApplyLog, GoesWithAnAttemptThatHasNoPlaceInTheHistory) {
  PushSpec tireless = spec();
  tireless.attempts = 100;
  Job& job = push(tireless);
  for (size_t i = 0; i < limits::kHistoryMax + 5; ++i) {
    const auto lease = start();
    log(lease, "x");
    fail(lease);
  }
  EXPECT_EQ(job.record->extras->logs.size(), job.record->extras->history.size() + 1);
  EXPECT_EQ(job.record->extras->logs.back().fence, job.record->fence);
}

TEST_F(ApplyLog, IsRefusedWhileNewJobsAre) {
  push();
  const auto lease = start();
  const base::Error full{base::ErrorCode::kDiskFull, "full"};
  Context step = context();
  step.push_refusal = &full;
  Answer answer;
  apply(step, Command{Log{lease.first, lease.second, LogLevel::kInfo, "x"}}, answer);
  EXPECT_EQ(shown(answer), "DISKFULL full");
}

}  // namespace
}  // namespace core
