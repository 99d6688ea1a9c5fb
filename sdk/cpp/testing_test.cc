#include "dray/testing.h"

#include <gtest/gtest.h>

namespace dray::testing {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;

// The application under test, as its author would write it.
void sign_up(Client& client, const std::string& user) {
  client.push("emails", "welcome", user, {.delay = 1h, .key = "welcome:" + user});
}

class TestingModes : public ::testing::Test {
 protected:
  TestingModes() {
    worker_.on("welcome", [](Context& job) { return "hello, " + job.args(); });
    worker_.on("fails", [](Context&) { throw std::runtime_error("no"); });
    worker_.on("bad", [](Context&) { throw PermanentError("never"); });
    worker_.on("later", [](Context&) { throw Snooze(1s); });
    worker_.on("chain", [](Context& job) {
      job.progress(50);
      job.log(LogLevel::kInfo, "half");
      Transaction next = job.client().transaction();
      next.push({.queue = "q", .type = "welcome", .args = "bob"});
      job.finish(next, "done");
      return "dropped";
    });
    worker_.on("forever", [](Context& job) { job.client().push("q", "forever", ""); });
  }

  Worker worker_{ClientOptions{}, WorkerOptions{.queues = {{"q"}}}};
};

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kOther;
}

TEST_F(TestingModes, FakeRecordsPushesAndRunsNothing) {
  Fake fake;
  sign_up(fake.client(), "ann");
  sign_up(fake.client(), "bob");
  fake.client().push("q", "other", "");
  ASSERT_EQ(fake.pushed("welcome").size(), 2U);
  EXPECT_EQ(fake.pushed("welcome")[1].args, "bob");
  EXPECT_EQ(fake.pushed("welcome")[1].options.delay, 1h);
  EXPECT_EQ(fake.pushed().size(), 3U);
  fake.clear();
  EXPECT_TRUE(fake.pushed().empty());
}

TEST_F(TestingModes, FakeKnowsWhatWasPushed) {
  Fake fake;
  sign_up(fake.client(), "ann");
  const auto job = fake.client().get("key:welcome:ann");
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->state, "scheduled");
  EXPECT_EQ(job->id.size(), 13U);
  EXPECT_EQ(fake.client().wait(job->id, 1h).args, "ann");
  EXPECT_EQ(code_of([&] { fake.client().wait("nothing", 1s); }), ErrorCode::kNotFound);
}

TEST_F(TestingModes, FakeRefusesWhatItCannotDo) {
  Fake fake;
  EXPECT_EQ(code_of([&] { fake.client().cancel("a"); }), ErrorCode::kBadReq);
  EXPECT_EQ(code_of([&] { fake.client().keys().get("a"); }), ErrorCode::kBadReq);
  Transaction transaction = fake.client().transaction();
  transaction.push({.queue = "q", .type = "t"});
  transaction.set("k", "v");
  EXPECT_EQ(code_of([&] { transaction.commit(); }), ErrorCode::kBadReq);
  EXPECT_TRUE(fake.pushed().empty()) << "half of a transaction was kept";
}

TEST_F(TestingModes, MiddlewareOfAFakeClientRuns) {
  Fake fake;
  fake.client().use([](std::span<NewJob> jobs, const PushNext& next) {
    for (NewJob& job : jobs) job.options.meta.emplace_back("trace", "t1");
    return next(jobs);
  });
  sign_up(fake.client(), "ann");
  EXPECT_EQ(fake.pushed().front().options.meta.front().second, "t1");
}

TEST_F(TestingModes, InlineRunsTheHandlerAtThePush) {
  Inline inlined(worker_);
  sign_up(inlined.client(), "ann");
  const auto job = inlined.client().get("key:welcome:ann");
  EXPECT_EQ(job->state, "succeeded");
  EXPECT_EQ(job->result, "hello, ann");
  EXPECT_EQ(job->attempt, 1);
}

TEST_F(TestingModes, InlineThrowsWhatTheHandlerThrows) {
  Inline inlined(worker_);
  EXPECT_THROW(inlined.client().push("q", "fails", "", {.key = "f"}), std::runtime_error);
  EXPECT_EQ(inlined.client().get("key:f")->state, "scheduled");
  EXPECT_THROW(inlined.client().push("q", "bad", "", {.key = "b"}), PermanentError);
  EXPECT_EQ(inlined.client().get("key:b")->state, "dead");
  inlined.client().push("q", "later", "", {.key = "l"});
  EXPECT_EQ(inlined.client().get("key:l")->state, "scheduled");
}

TEST_F(TestingModes, InlineRunsWhatHandlersPush) {
  Inline inlined(worker_);
  const Pushed chain = inlined.client().push("q", "chain", "");
  EXPECT_EQ(inlined.client().get(chain.id)->result, "done");
  EXPECT_EQ(inlined.client().get("0000000000002")->result, "hello, bob");
}

TEST_F(TestingModes, InlineEndsAJobThatPushesItself) {
  Inline inlined(worker_);
  EXPECT_EQ(code_of([&] { inlined.client().push("q", "forever", ""); }), ErrorCode::kBadReq);
}

TEST_F(TestingModes, InlineNeedsAHandler) {
  Inline inlined(worker_);
  EXPECT_EQ(code_of([&] { inlined.client().push("q", "unheard", ""); }), ErrorCode::kBadReq);
}

TEST_F(TestingModes, RunJobTellsAllThatARunDid) {
  const Ran ran = run_job(worker_, {.queue = "q", .type = "chain"});
  EXPECT_EQ(ran.job.state, "succeeded");
  EXPECT_EQ(ran.job.result, "done");
  EXPECT_EQ(ran.job.progress, "50");
  EXPECT_EQ(ran.log, std::vector<std::string>{"half"});
  ASSERT_EQ(ran.pushed.size(), 1U);
  EXPECT_EQ(ran.pushed.front().args, "bob");
}

TEST_F(TestingModes, RunJobKnowsTheLastAttempt) {
  const NewJob job{.queue = "q", .type = "fails", .options = {.attempts = 2}};
  EXPECT_EQ(run_job(worker_, job).job.state, "scheduled");
  const Ran last = run_job(worker_, job, 2);
  EXPECT_EQ(last.job.state, "dead");
  EXPECT_EQ(last.job.history.front().error_class, "std::runtime_error");
  EXPECT_EQ(last.job.history.front().message, "no");
}

TEST(TestingServer, ProgramThatIsNoServerIsAnError) {
  EXPECT_EQ(code_of([] { Server server("/bin/true"); }), ErrorCode::kUnreachable);
  EXPECT_EQ(code_of([] { Server server("/no/such/program"); }), ErrorCode::kUnreachable);
}

}  // namespace
}  // namespace dray::testing
