// QUEUE.SET: its options, what later pushes take from them, and the bound of a queue.
#include <gmock/gmock.h>

#include "core/apply_fixture.h"

namespace core {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ApplyQueueSet : public ApplyFixture {
 protected:
  using Numbers = std::vector<std::pair<QueueNumber, std::optional<int64_t>>>;
  std::string set(Numbers numbers, std::string_view queue = "q") {
    return show(QueueSet{.queue = queue, .numbers = std::move(numbers), .backoff = {}});
  }
  std::string stats(std::string_view queue = "q") { return show(QueueStats{queue}); }
  const JobRecord& record_of(const PushSpec& push_spec) { return *push(push_spec).record; }
};

TEST_F(ApplyQueueSet, LaterPushesTakeWhatTheyDoNotSay) {
  const Job& before = push();
  EXPECT_EQ(set({{QueueNumber::kAttempts, 7},
                 {QueueNumber::kLeaseMs, 1'000},
                 {QueueNumber::kTimeoutMs, 0},
                 {QueueNumber::kKeepMs, 0},
                 {QueueNumber::kCrashes, 5}}),
            "OK");
  QueueSet backoff{.queue = "q", .numbers = {}, .backoff = parse_backoff("fixed:9").value()};
  EXPECT_EQ(show(backoff), "OK");
  const JobRecord& plain = record_of(spec());
  EXPECT_EQ(plain.attempts_max, 7U);
  EXPECT_EQ(plain.lease_ms, 1'000);
  EXPECT_EQ(plain.timeout_ms, 0);
  EXPECT_EQ(plain.keep_ms, 0);
  EXPECT_EQ(plain.crashes_max, 5U);
  EXPECT_EQ(backoff_text(plain.extras->backoff), "fixed:9");
  EXPECT_EQ(before.record->attempts_max, limits::kAttemptsDefault) << "what was pushed before";
  PushSpec says = spec();
  says.attempts = 2;
  says.timeout_ms = 3'000;
  says.keep_ms = 4'000;
  says.backoff = parse_backoff("fixed:1").value();
  const JobRecord& said = record_of(says);
  EXPECT_EQ(said.attempts_max, 2U);
  EXPECT_EQ(said.timeout_ms, 3'000);
  EXPECT_EQ(said.keep_ms, 4'000);
  EXPECT_EQ(said.lease_ms, 1'000);
  EXPECT_EQ(backoff_text(said.extras->backoff), "fixed:1");
  EXPECT_EQ(record_of(spec("other")).attempts_max, limits::kAttemptsDefault);
}

TEST_F(ApplyQueueSet, AreShownAndTakenBack) {
  set({{QueueNumber::kMaxlen, 10}, {QueueNumber::kTimeoutMs, 0}, {QueueNumber::kAlertMs, 5'000}});
  EXPECT_THAT(stats(), HasSubstr("paused 0 maxlen 10 timeout_ms 0 alert_ms 5000 alert 0"));
  EXPECT_EQ(set({{QueueNumber::kMaxlen, 0}}), "OK") << "0 takes it back";
  EXPECT_THAT(stats(), Not(HasSubstr("maxlen")));
  EXPECT_THAT(stats(), HasSubstr("timeout_ms 0")) << "but here it means something";
  set({{QueueNumber::kTimeoutMs, std::nullopt}, {QueueNumber::kAlertMs, std::nullopt}});
  EXPECT_THAT(stats(), Not(HasSubstr("timeout_ms")));
  QueueSet backoff{.queue = "q", .numbers = {}, .backoff = parse_backoff("celery").value()};
  show(backoff);
  EXPECT_THAT(stats(), HasSubstr("backoff celery"));
  set({{QueueNumber::kAgeMs, 60'000}});
  EXPECT_THAT(stats(), HasSubstr("age_ms 60000"));
  set({{QueueNumber::kAgeMs, 0}});
  EXPECT_THAT(stats(), Not(HasSubstr("age_ms")));
  backoff.backoff = std::optional<Backoff>();
  show(backoff);
  EXPECT_EQ(state.find_queue("q")->settings, QueueSettings{});
}

TEST_F(ApplyQueueSet, WhatChangesNothingIsNotStored) {
  EXPECT_EQ(set({{QueueNumber::kMaxlen, 0}}), "OK");
  EXPECT_EQ(sink.count, 0U);
  EXPECT_EQ(state.find_queue("q"), nullptr) << "no queue came into being";
  set({{QueueNumber::kMaxlen, 5}});
  set({{QueueNumber::kMaxlen, 5}});
  EXPECT_EQ(sink.count, 1U);
}

TEST_F(ApplyQueueSet, RefusesWhatCannotBe) {
  EXPECT_THAT(set({}), StartsWith("BADREQ field=OPTION give at least one of MAXLEN"));
  EXPECT_THAT(set({{QueueNumber::kMaxlen, -1}}), StartsWith("BADREQ field=MAXLEN -1"));
  EXPECT_THAT(set({{QueueNumber::kAttempts, 1'001}}), StartsWith("BADREQ field=ATTEMPTS 1001"));
  EXPECT_THAT(set({{QueueNumber::kKeepMs, -1}}), StartsWith("BADREQ field=KEEP -1"));
  EXPECT_THAT(set({{QueueNumber::kAgeMs, -1}}), StartsWith("BADREQ field=AGE -1"));
  EXPECT_THAT(set({{QueueNumber::kMaxlen, 1}}, "no name"), StartsWith("BADREQ field=queue"));
  EXPECT_THAT(set({{QueueNumber::kMaxlen, 3}, {QueueNumber::kCrashes, -3}}),
              StartsWith("BADREQ field=CRASHES"));
  EXPECT_THAT(stats(), Not(HasSubstr("maxlen"))) << "nothing of it was set";
}

TEST_F(ApplyQueueSet, AFullQueueTakesNoPush) {
  set({{QueueNumber::kMaxlen, 2}});
  push();
  PushSpec later = spec();
  later.delay_ms = 1'000;
  push(later);
  EXPECT_EQ(show(Push{spec()}),
            "QUEUEFULL len=2 max=2 queue 'q' is full: push again when jobs have run, or raise its "
            "MAXLEN");
  EXPECT_EQ(state.jobs().size(), 2U);
  const auto lease = start();
  EXPECT_EQ(error_of(run(Push{spec()})), "OK") << "what runs does not count";
  Fail fail;
  fail.job = lease.first;
  fail.token = lease.second;
  fail.retry_in_ms = 0;
  EXPECT_THAT(show(fail), StartsWith("{state ready")) << "a retry is never refused";
  EXPECT_EQ(state.find_queue("q")->length(), 3U);
}

TEST_F(ApplyQueueSet, AFullQueueRejectsABatchWhole) {
  set({{QueueNumber::kMaxlen, 2}});
  PushMany many;
  many.items = {spec("other"), spec(), spec(), spec()};
  const std::string before = dump();
  EXPECT_THAT(show(many), StartsWith("QUEUEFULL len=2 max=2"));
  EXPECT_EQ(dump(), before);
  Exec exec;
  for (int i = 0; i < 3; ++i) exec.commands.push_back({Push{spec()}});
  EXPECT_THAT(show(exec), StartsWith("EXECABORT index=2 QUEUEFULL"));
  EXPECT_EQ(dump(), before);
  many.items.pop_back();
  EXPECT_EQ(show(many), "[0000000000001 0000000000002 0000000000003]");
}

TEST_F(ApplyQueueSet, APushThatIsKnownIsNoNewOne) {
  set({{QueueNumber::kMaxlen, 1}});
  PushSpec keyed = spec();
  keyed.key = "k";
  keyed.has_key = true;
  push(keyed);
  EXPECT_EQ(show(Push{keyed}), "0000000000001");
  keyed.on_duplicate = OnDuplicate::kReplace;
  EXPECT_EQ(show(Push{keyed}), "0000000000001") << "it stays in its queue";
  push(spec("other"));
  set({{QueueNumber::kMaxlen, 1}}, "other");
  keyed.queue = "other";
  EXPECT_THAT(show(Push{keyed}), StartsWith("QUEUEFULL len=1 max=1 queue 'other'"));
}

TEST_F(ApplyQueueSet, TheAlertSaysWhenTheOldestJobIsTooOld) {
  set({{QueueNumber::kAlertMs, 1'000}});
  push();
  pass(1'000);
  EXPECT_THAT(stats(), HasSubstr("alert 0"));
  pass(1);
  EXPECT_THAT(stats(), HasSubstr("alert 1"));
  EXPECT_THAT(show(QueueStatsAll{}), HasSubstr("alert 1"));
  start();
  EXPECT_THAT(stats(), HasSubstr("alert 0"));
}

}  // namespace
}  // namespace core
