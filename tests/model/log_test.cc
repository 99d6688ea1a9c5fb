// JOB.LOG: whose line it is, what is kept, where it goes.
#include "model/scene.h"

namespace model {
namespace {

class LogRules : public Scene {
 protected:
  static Log a_line(const GrantView& grant, const std::string& text) {
    return Log{lease_of(grant), "info", text};
  }
  const LogView& running_log(const std::string& id) { return *job(id).lease->log; }
};

TEST_F(LogRules, LinesAreKeptInOrderWithLevelAndTime) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  EXPECT_EQ(run(a_line(grant, "one")).kind, Reply::Kind::kOk);
  tick(5);
  EXPECT_EQ(run(Log{lease_of(grant), "error", std::string("\0\xff", 2)}).kind, Reply::Kind::kOk);
  const std::vector<LogLine> expected = {{now.wall_ms - 5, "info", "one"},
                                         {now.wall_ms, "error", std::string("\0\xff", 2)}};
  EXPECT_EQ(running_log(id).lines, expected);
  EXPECT_EQ(running_log(id).dropped, 0);
}

TEST_F(LogRules, NeedTheValidTokenAndAKnownLevel) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  EXPECT_EQ(code(Log{{id, "0000"}, "info", "x"}), "LEASELOST");
  EXPECT_EQ(code(Log{{"FZZZZZZZZZZZZ", "ABC"}, "info", "x"}), "NOTFOUND");
  EXPECT_EQ(code(Log{lease_of(grant), "fatal", "x"}), "BADREQ");
  EXPECT_EQ(code(Log{lease_of(grant), "", "x"}), "BADREQ");
  EXPECT_TRUE(running_log(id).lines.empty());
  run(Ack{lease_of(grant), std::nullopt});
  EXPECT_EQ(code(a_line(grant, "late")), "LEASELOST");
  EXPECT_TRUE(job(id).history[0].log->lines.empty());
}

TEST_F(LogRules, TheOldestLinesGoAndAreCounted) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  run(a_line(grant, "a"));
  run(a_line(grant, "b"));
  run(a_line(grant, std::string(262'144 - 2 * 33 - 32, 'c')));
  EXPECT_EQ(running_log(id).lines.size(), 3U) << "exactly the limit";
  EXPECT_EQ(running_log(id).dropped, 0);
  run(a_line(grant, "d"));
  EXPECT_EQ(running_log(id).dropped, 1);
  EXPECT_EQ(running_log(id).lines.at(0).text, "b");
  run(a_line(grant, std::string(262'112, 'e')));
  EXPECT_EQ(running_log(id).dropped, 4);
  EXPECT_EQ(running_log(id).lines.size(), 1U);
  EXPECT_EQ(code(a_line(grant, std::string(262'113, 'f'))), "TOOBIG");
  EXPECT_EQ(running_log(id).dropped, 4);
}

TEST_F(LogRules, EachAttemptHasItsOwn) {
  const std::string id = push(a_push());
  const GrantView first = fetch_one();
  run(a_line(first, "first"));
  Fail again = a_fail(first);
  again.retry_in_ms = 0;
  run(again);
  const GrantView second = fetch_one();
  EXPECT_TRUE(running_log(id).lines.empty());
  run(a_line(second, "second"));
  run(Restart{});
  EXPECT_EQ(running_log(id).lines.at(0).text, "second") << "a line that was answered is durable";
  lose(second);
  ASSERT_EQ(job(id).history.size(), 2U);
  EXPECT_EQ(job(id).history[0].log->lines.at(0).text, "first");
  EXPECT_EQ(job(id).history[1].log->lines.at(0).text, "second");
}

TEST_F(LogRules, ALineDoesNotRenewTheLease) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  const int64_t deadline = job(id).lease->deadline_engine_ms;
  tick(10'000);
  run(a_line(grant, "x"));
  EXPECT_EQ(job(id).lease->deadline_engine_ms, deadline);
}

TEST_F(LogRules, AReleasedAttemptTakesItsLogAlong) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  run(a_line(grant, "x"));
  run(Release{lease_of(grant), std::nullopt});
  EXPECT_TRUE(job(id).history.empty());
  fetch_one();
  EXPECT_TRUE(running_log(id).lines.empty());
}

TEST_F(LogRules, AJobThatIsToBeCancelledStillLogs) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  run(Cancel{false, {id}});
  EXPECT_EQ(run(a_line(grant, "cleaning up")).kind, Reply::Kind::kOk);
  run(Cancel{true, {id}});
  EXPECT_EQ(job(id).history.at(0).log->lines.at(0).text, "cleaning up");
  EXPECT_EQ(code(a_line(grant, "late")), "CANCELLED");
}

}  // namespace
}  // namespace model
