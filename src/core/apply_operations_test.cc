#include <gmock/gmock.h>

#include <tuple>

#include "core/apply_fixture.h"

namespace core {
namespace {

class OperationsTest : public ApplyFixture {
 protected:
  static Query of_queue(std::string queue) {
    return {.text = "queue", .terms = {{.field = QueryField::kQueue, .texts = {std::move(queue)}}}};
  }
  // Applies it until it has an answer; records are read between two steps.
  Answer run_whole(const CommandBody& body) {
    const Command command{body};
    Answer answer;
    for (int i = 0; i < 1'000; ++i) {
      Context step = context();
      apply(step, command, answer);
      if (!answer.walk) return answer;
      read_wants();
    }
    ADD_FAILURE() << "no answer";
    return answer;
  }
  const Operation& start_operation(OperationStart operation) {
    const uint64_t number = state.operations().number_next();
    EXPECT_EQ(error_of(run_whole(std::move(operation))), "OK");
    return *state.operations().find(number);
  }
  void advance(int turns_most = 1'000) {
    for (int i = 0; i < turns_most && state.operations().running() > 0; ++i) {
      Context step = context();
      advance_operations(step);
      read_wants();
    }
  }
  uint64_t jobs_in(std::string_view queue, JobState job_state) {
    return state.find_queue(queue)->jobs[static_cast<size_t>(job_state)];
  }
  void push_many(int count, std::string_view queue = "q") {
    for (int i = 0; i < count; ++i) push(spec(queue));
  }
};

TEST_F(OperationsTest, CancelsWhatItPicksInSlicesAndCounts) {
  push_many(2'500);
  push_many(10, "other");
  const Operation& operation =
      start_operation({.verb = OperationVerb::kCancel, .query = of_queue("q")});
  EXPECT_EQ(operation.matched, 2'500U);
  advance(1);
  EXPECT_EQ(jobs_in("q", JobState::kCancelled), limits::kOperationSliceJobs);
  advance();
  EXPECT_EQ(jobs_in("q", JobState::kCancelled), 2'500U);
  EXPECT_EQ(jobs_in("other", JobState::kReady), 10U);
  EXPECT_EQ(operation.done, 2'500U);
  EXPECT_EQ(operation.skipped, 0U);
  EXPECT_FALSE(operation.is_running());
}

TEST_F(OperationsTest, LeavesAloneWhatCameAfterItBegan) {
  push_many(3);
  start_operation({.verb = OperationVerb::kDelete, .query = of_queue("q")});
  push_many(2);
  advance();
  EXPECT_EQ(state.jobs().size(), 2U);
}

TEST_F(OperationsTest, StopsAtItsLimit) {
  push_many(10);
  const Operation& operation =
      start_operation({.verb = OperationVerb::kDelete, .query = of_queue("q"), .jobs_most = 4});
  EXPECT_EQ(operation.matched, 4U);
  advance();
  EXPECT_EQ(state.jobs().size(), 6U);
  EXPECT_EQ(operation.done, 4U);
}

TEST_F(OperationsTest, KeepsToItsRate) {
  push_many(100);
  start_operation({.verb = OperationVerb::kDelete, .query = of_queue("q"), .rate = 20});
  for (int second = 0; second < 2; ++second) {
    advance(50);
    EXPECT_GE(state.jobs().size(), 100U - 20U * static_cast<size_t>(second) - 2U);
    for (int i = 0; i < 10; ++i) {
      pass(100);
      advance(50);
    }
    EXPECT_LE(state.jobs().size(), 100U - 20U * static_cast<size_t>(second + 1));
  }
}

TEST_F(OperationsTest, ReadsTheRecordsThatItNeeds) {
  push_many(600);
  make_cold();
  const Operation& operation =
      start_operation({.verb = OperationVerb::kCancel, .query = of_queue("q")});
  advance();
  EXPECT_EQ(operation.done, 600U);
  EXPECT_EQ(jobs_in("q", JobState::kCancelled), 600U);
}

TEST_F(OperationsTest, ADryRunChangesNothing) {
  push_many(3);
  const size_t before = sink.count;
  const Answer answer = run_whole(
      OperationStart{.verb = OperationVerb::kDelete, .query = of_queue("q"), .dry_run = true});
  ReplyReader reader(answer.reply.tape());
  EXPECT_EQ(reader.tag(), ReplyTag::kMap);
  EXPECT_EQ(reader.count(), 1U);
  EXPECT_EQ(sink.count, before);
  EXPECT_EQ(state.operations().running(), 0U);
}

TEST_F(OperationsTest, APurgeLeavesRunningJobs) {
  push_many(3);
  start();
  const Operation& operation =
      start_operation({.verb = OperationVerb::kPurge, .queue = "q", .query = of_queue("q")});
  EXPECT_EQ(operation.matched, 2U);
  advance();
  EXPECT_EQ(jobs_in("q", JobState::kRunning), 1U);
  EXPECT_EQ(state.jobs().size(), 1U);
}

TEST_F(OperationsTest, ADeletedQueueIsForgottenOnceItIsEmpty) {
  push_many(3);
  const OperationStart operation{
      .verb = OperationVerb::kDeleteQueue, .queue = "q", .query = of_queue("q")};
  start();
  EXPECT_EQ(error_of(run_whole(operation)).substr(0, 22), "BADSTATE state=running");
  run(Bulk{BulkVerb::kCancel, true, {JobRef{JobId{1}, {}, {}}}});
  start_operation(operation);
  advance();
  EXPECT_FALSE(state.find_queue("q")->is_known());
  EXPECT_EQ(error_of(run_whole(operation)).substr(0, 8), "NOTFOUND");
  push();
  EXPECT_TRUE(state.find_queue("q")->is_known());
  EXPECT_EQ(state.find_queue("q")->counters.pushed, 1U);
}

TEST_F(OperationsTest, AQueueThatIsBeingDeletedTakesNoPauseThatWouldBeLost) {
  push_many(3);
  const OperationStart operation{
      .verb = OperationVerb::kDeleteQueue, .queue = "q", .query = of_queue("q")};
  start_operation(operation);
  constexpr std::string_view kDeleting = "BADSTATE state=deleting";
  EXPECT_EQ(error_of(run(QueuePause{"q", "fire"})).substr(0, kDeleting.size()), kDeleting);
  EXPECT_EQ(error_of(run_whole(operation)).substr(0, kDeleting.size()), kDeleting);
  EXPECT_EQ(error_of(run(OperationCancel{"op-1"})), "OK");
  EXPECT_EQ(error_of(run(QueuePause{"q", "fire"})), "OK");
  advance();
  EXPECT_TRUE(state.find_queue("q")->paused);
}

TEST_F(OperationsTest, JobsThatWereMovedAreAccountedForWithoutTheirQueue) {
  PushSpec moved = spec("p");
  moved.key = "k";
  moved.has_key = true;
  push(moved);
  moved.queue = "q";
  moved.on_duplicate = OnDuplicate::kReplace;
  run(Push{moved});
  start_operation({.verb = OperationVerb::kDeleteQueue, .queue = "q", .query = of_queue("q")});
  advance();
  EXPECT_EQ(state.jobs().size(), 0U);
  EXPECT_FALSE(state.find_queue("q")->is_known());
  EXPECT_EQ(unaccounted_jobs(state), 0);
}

TEST_F(OperationsTest, AGroupThatIsTakenBackLeavesADeletedQueueForgotten) {
  push_many(1);
  start_operation({.verb = OperationVerb::kDeleteQueue, .queue = "q", .query = of_queue("q")});
  advance();
  Exec exec;
  exec.commands.push_back({Push{spec()}});
  exec.commands.push_back({Ack{{JobRef{JobId{77}, {}, {}}, {}, {}, false}}});
  EXPECT_EQ(error_of(run(std::move(exec))).substr(0, 9), "EXECABORT");
  EXPECT_FALSE(state.find_queue("q")->is_known());
}

TEST_F(OperationsTest, WhatIsPushedMeanwhileKeepsTheQueue) {
  push_many(3);
  start_operation({.verb = OperationVerb::kDeleteQueue, .queue = "q", .query = of_queue("q")});
  push_many(1);
  advance();
  EXPECT_TRUE(state.find_queue("q")->is_known());
  EXPECT_EQ(jobs_in("q", JobState::kReady), 1U);
}

TEST_F(OperationsTest, OneThatIsCancelledDoesNoMore) {
  push_many(1'500);
  const Operation& operation =
      start_operation({.verb = OperationVerb::kDelete, .query = of_queue("q")});
  advance(1);
  EXPECT_EQ(error_of(run(OperationCancel{"op-1"})), "OK");
  advance();
  EXPECT_EQ(state.jobs().size(), 500U);
  EXPECT_EQ(operation.state, OperationState::kCancelled);
  EXPECT_EQ(error_of(run(OperationCancel{"op-1"})).substr(0, 24), "BADSTATE state=cancelled");
}

// Edits of what a query picks.
class EditOperations : public OperationsTest {
 protected:
  static OperationStart edit_of(JobChanges changes, std::string queue = "q") {
    return {.verb = OperationVerb::kEdit,
            .changes = std::move(changes),
            .query = of_queue(std::move(queue))};
  }
  static JobChanges to_queue(std::string queue) { return {.queue = std::move(queue)}; }
};

TEST_F(EditOperations, ChangeAllThatWaitsAndLeaveTheRest) {
  push_many(2'500);
  start();
  const auto lease = start();
  run(Ack{{lease.first, lease.second, {}, false}});
  PushSpec later = spec();
  later.delay_ms = 1'000;
  push(later);
  JobChanges changes = to_queue("bulk");
  changes.priority = 9;
  changes.options.attempts = 3;
  const Operation& operation = start_operation(edit_of(changes));
  EXPECT_EQ(operation.matched, 2'499U) << "not the one that runs, nor the one that is done";
  push_many(1);
  advance(1);
  EXPECT_EQ(jobs_in("bulk", JobState::kReady), limits::kOperationSliceJobs);
  advance();
  EXPECT_EQ(operation.done, 2'499U);
  EXPECT_EQ(operation.skipped, 0U);
  EXPECT_EQ(jobs_in("bulk", JobState::kReady), 2'498U);
  EXPECT_EQ(jobs_in("bulk", JobState::kScheduled), 1U);
  EXPECT_EQ(jobs_in("q", JobState::kReady), 1U) << "the one that came after it";
  EXPECT_EQ(jobs_in("q", JobState::kRunning) + jobs_in("q", JobState::kSucceeded), 2U);
  const Job& job = *state.find(JobId{3});
  EXPECT_EQ(job.priority, 9);
  EXPECT_EQ(job.record->attempts_max, 3U);
  EXPECT_THAT(show(OperationGet{"op-1"}),
              testing::HasSubstr("changes QUEUE bulk PRIORITY 9 ATTEMPTS 3 state done"));
}

TEST_F(EditOperations, ReadTheRecordsThatTheyNeed) {
  push_many(600);
  make_cold();
  const Operation& operation = start_operation(edit_of({.args = "new"}));
  advance();
  EXPECT_EQ(operation.done, 600U);
  EXPECT_EQ(state.find(JobId{600})->record->args, "new");
}

TEST_F(EditOperations, SkipWhatJobEditWouldRefuse) {
  push_many(3);
  push_many(1, "full");
  run(QueueSet{.queue = "full", .numbers = {{QueueNumber::kMaxlen, 3}}, .backoff = {}});
  const Operation& moved = start_operation(edit_of(to_queue("full")));
  advance();
  EXPECT_EQ(moved.matched, 3U);
  EXPECT_EQ(moved.done, 2U);
  EXPECT_EQ(moved.skipped, 1U);
  const auto lease = start();
  Fail fail;
  std::tie(fail.job, fail.token) = lease;
  fail.retry_in_ms = 0;
  run(fail);
  JobChanges fewer;
  fewer.options.attempts = 1;
  const Operation& used = start_operation(edit_of(fewer));
  advance();
  EXPECT_EQ(used.skipped, 1U) << "it has used one attempt";
}

TEST_F(EditOperations, WhatTheySkipDoesNotCountForTheirLimit) {
  push_many(1);
  const auto lease = start();
  Fail fail;
  std::tie(fail.job, fail.token) = lease;
  fail.retry_in_ms = 0;
  run(fail);
  push_many(3);
  JobChanges fewer;
  fewer.options.attempts = 1;
  OperationStart two = edit_of(fewer);
  two.jobs_most = 2;
  const Operation& operation = start_operation(two);
  advance();
  EXPECT_EQ(operation.done, 2U);
  EXPECT_EQ(operation.skipped, 1U) << "it has used one attempt";
  EXPECT_EQ(state.find(JobId{3})->record->attempts_max, 1U);
  EXPECT_NE(state.find(JobId{4})->record->attempts_max, 1U);
}

TEST_F(EditOperations, ADelayCountsFromTheChangeOfEachJob) {
  push_many(2);
  JobChanges later;
  later.options.delay_ms = 5'000;
  OperationStart operation = edit_of(later);
  operation.rate = 1;
  start_operation(operation);
  advance(1);
  pass(1'000);
  advance(1);
  EXPECT_EQ(jobs_in("q", JobState::kScheduled), 2U);
  pass(4'000);
  EXPECT_EQ(jobs_in("q", JobState::kReady), 1U);
}

TEST_F(EditOperations, AreRefusedAsJobEditIs) {
  push_many(1);
  EXPECT_THAT(error_of(run_whole(edit_of({}))), testing::StartsWith("BADREQ field=OPTION say"));
  EXPECT_EQ(error_of(run_whole(edit_of({.priority = 10}))),
            "BADREQ field=PRIORITY 10 is not within 0 to 9");
  EXPECT_THAT(
      error_of(run_whole(edit_of({.args = std::string(limits::kOperationArgsBytesMax + 1, 'a')}))),
      testing::StartsWith("TOOBIG limit=65536 got=65537 bytes of ARGS with WHERE"));
  const base::Error full{base::ErrorCode::kDiskFull, "full"};
  Context step = context();
  step.push_refusal = &full;
  Answer answer;
  apply(step, Command{edit_of({.priority = 1})}, answer);
  EXPECT_EQ(shown(answer), "DISKFULL full");
}

TEST_F(EditOperations, RestWhilePushesAreRefused) {
  push_many(2);
  const Operation& operation = start_operation(edit_of({.args = "new"}));
  const base::Error full{base::ErrorCode::kDiskFull, "full"};
  Context step = context();
  step.push_refusal = &full;
  advance_operations(step);
  advance(1);
  EXPECT_EQ(operation.done, 0U) << "it looks again in a second";
  pass(1'000);
  advance(1);
  EXPECT_EQ(operation.done, 2U);
}

TEST_F(EditOperations, LargeArgsMakeSmallSlicesAndAreForgottenInTheEnd) {
  push_many(100);
  const Operation& operation =
      start_operation(edit_of({.args = std::string(limits::kOperationArgsBytesMax, 'a')}));
  advance(1);
  EXPECT_EQ(operation.done, limits::kOperationSliceBytes / limits::kOperationArgsBytesMax);
  EXPECT_EQ(error_of(run(OperationCancel{"op-1"})), "OK");
  advance();
  EXPECT_EQ(operation.done, limits::kOperationSliceBytes / limits::kOperationArgsBytesMax);
  EXPECT_EQ(operation.changes.args, "");
  EXPECT_THAT(show(OperationGet{"op-1"}), testing::HasSubstr("changes ARGS state cancelled"));
}

TEST_F(EditOperations, ADryRunCountsWhatTheyWouldChange) {
  push_many(3);
  start();
  OperationStart dry = edit_of(to_queue("bulk"));
  dry.dry_run = true;
  EXPECT_EQ(shown(run_whole(dry)), "{matched 2}");
  EXPECT_EQ(state.find_queue("bulk"), nullptr);
}

TEST_F(OperationsTest, ThoseThatRunAreBoundedAndThoseThatAreOverForgotten) {
  push_many(1);
  OperationStart slow{.verb = OperationVerb::kDelete, .query = of_queue("none")};
  for (size_t i = 0; i < limits::kOperationsRunningMax; ++i) start_operation(slow);
  EXPECT_EQ(error_of(run_whole(slow)).substr(0, 10), "OVERLOADED");
  for (size_t i = 0; i < limits::kOperationsKeptMax + 10; ++i) {
    advance();
    start_operation(slow);
  }
  advance();
  EXPECT_EQ(state.operations().all().size(), limits::kOperationsKeptMax);
  EXPECT_EQ(error_of(run(OperationGet{"op-1"})).substr(0, 8), "NOTFOUND");
}

TEST_F(OperationsTest, ACountOfQueuesAndStatesIsThatOfTheQueues) {
  push_many(5);
  push_many(2, "p");
  run(Bulk{BulkVerb::kCancel, false, {JobRef{JobId{1}, {}, {}}}});
  const auto count = [&](Query query) {
    const Answer answer = run_whole(CountJobs{std::move(query)});
    ReplyReader reader(answer.reply.tape());
    EXPECT_EQ(reader.tag(), ReplyTag::kInteger);
    return reader.integer();
  };
  EXPECT_EQ(count({}), 7);
  EXPECT_EQ(count(of_queue("q")), 5);
  Query typed = of_queue("q");
  typed.terms.push_back({.field = QueryField::kType, .texts = {"t*"}});
  EXPECT_EQ(count(typed), 5);
  typed.terms.push_back({.field = QueryField::kState, .number = 1 << int(JobState::kReady)});
  EXPECT_EQ(count(typed), 4);
}

// The ids of one page, and its cursor (absent: 0).
struct Page {
  std::vector<std::string> ids;
  std::string cursor;
};

Page page_of(const Answer& answer) {
  Page page;
  ReplyReader reader(answer.reply.tape());
  const auto text = [&] {
    EXPECT_EQ(reader.tag(), ReplyTag::kBulk);
    return std::string(reader.bytes());
  };
  EXPECT_EQ(reader.tag(), ReplyTag::kMap);
  if (reader.count() == 2) {
    EXPECT_EQ(text(), "cursor");
    page.cursor = text();
  }
  EXPECT_EQ(text(), "jobs");
  EXPECT_EQ(reader.tag(), ReplyTag::kArray);
  page.ids.resize(reader.count());
  return page;
}

TEST_F(OperationsTest, AListGoesOnWithItsCursorToTheEnd) {
  push_many(25);
  make_cold();
  ListJobs list{.query = of_queue("q"), .count = 10};
  size_t seen = 0;
  for (int pages = 0; pages < 3; ++pages) {
    const Page page = page_of(run_whole(list));
    seen += page.ids.size();
    EXPECT_EQ(page.cursor.empty(), pages == 2);
    if (!page.cursor.empty()) list.cursor = JobId{15 - static_cast<uint64_t>(pages) * 10};
    if (pages < 2) {
      EXPECT_EQ(page.cursor, job_id_text(*list.cursor));
    }
  }
  EXPECT_EQ(seen, 25U);
}

}  // namespace
}  // namespace core
