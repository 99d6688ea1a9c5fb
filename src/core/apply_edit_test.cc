// JOB.EDIT: what it changes, where the job stands then, and what it refuses.
#include <gmock/gmock.h>

#include "core/apply_fixture.h"

namespace core {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ApplyEdit : public ApplyFixture {
 protected:
  static Edit edit_of(const Job& job) {
    Edit edit;
    edit.job.id = job.id;
    return edit;
  }
  std::vector<uint64_t> order(std::string_view queue = "q") {
    std::vector<uint64_t> ids;
    for (const Job* job : state.find_queue(queue)->ready.in_order()) ids.push_back(job->id.value);
    return ids;
  }
  // Counts of all queues and jobs agree, and each job stands where its state says.
  void expect_exact() {
    Audit audit;
    audit.begin(state);
    while (!audit.step(state, 100)) {
    }
    EXPECT_EQ(audit.report().findings, 0U) << audit.report().texts.at(0);
    EXPECT_EQ(unaccounted_jobs(state), 0);
    uint64_t bytes = 0;
    state.jobs().for_each([&](const Job& job) {
      EXPECT_EQ(job.record->bytes, job_bytes(job));
      bytes += job.record->bytes;
    });
    EXPECT_EQ(state.residency().record_bytes(), bytes);
  }
};

TEST_F(ApplyEdit, ChangesWhatIsNamedAndNothingElse) {
  PushSpec rich = spec();
  rich.key = "k";
  rich.has_key = true;
  rich.meta = {{"f", "v"}};
  Job& job = push(rich);
  Edit edit = edit_of(job);
  edit.args = "new";
  edit.type = "u";
  edit.priority = 7;
  edit.options.attempts = 9;
  edit.options.crashes = 8;
  edit.options.timeout_ms = 7'000;
  edit.options.soft_timeout_ms = 6'000;
  edit.options.lease_ms = 5'000;
  edit.options.keep_ms = 4'000;
  edit.options.expire_ms = 3'000;
  edit.options.backoff = parse_backoff("fixed:5").value();
  EXPECT_EQ(show(edit), "OK");
  EXPECT_THAT(show(Get{edit.job}),
              StartsWith("{id 0000000000001 key k state ready queue q type u args new priority 7 "
                         "attempt 0 max_attempts 9 generation 1 fence 0 crashes 0 max_crashes 8 "
                         "suspect 0 pushed_ms 1700000000000 expires_ms 1700000003000 lease_ms 5000 "
                         "timeout_ms 7000 soft_timeout_ms 6000 keep_ms 4000 backoff fixed:5"));
  EXPECT_EQ(state.find_key("k"), &job);
  EXPECT_EQ(job.record->extras->meta.size(), 1U);
  EXPECT_EQ(state.find_queue("q")->counters.pushed, 1U);
  expect_exact();
}

TEST_F(ApplyEdit, KeepsThePlaceInTheOrder) {
  Job& first = push();
  push();
  push(spec("other"));
  Edit edit = edit_of(first);
  edit.args = "new";
  show(edit);
  EXPECT_EQ(order(), (std::vector<uint64_t>{1, 2}));
  Edit move = edit_of(first);
  move.queue = "other";
  show(move);
  EXPECT_EQ(order(), (std::vector<uint64_t>{2}));
  EXPECT_EQ(order("other"), (std::vector<uint64_t>{1, 3})) << "it was ready before 3 was";
  Edit less = edit_of(first);
  less.priority = 0;
  show(less);
  EXPECT_EQ(order("other"), (std::vector<uint64_t>{3, 1}));
  EXPECT_EQ(state.find_queue("other")->jobs[static_cast<size_t>(JobState::kReady)], 2U);
  expect_exact();
}

TEST_F(ApplyEdit, WhileTheCalendarIsHeldItsBeginningIsATimeToo) {
  PushSpec later = spec();
  later.delay_ms = 5'000;
  const Job& job = push(later);
  state.watch_wall_clock(now);
  now.wall += base::Duration{2 * limits::kHourMs};
  state.watch_wall_clock(now);
  Edit edit = edit_of(job);
  edit.options.at_ms = 0;
  EXPECT_EQ(show(edit), "OK");
  EXPECT_TRUE(job.record->run_at_is_wall);
  EXPECT_EQ(job.record->run_at_ms, 0);
  expect_exact();
}

TEST_F(ApplyEdit, ANewTimeMovesItBetweenReadyAndScheduled) {
  Job& job = push();
  push();
  Edit later = edit_of(job);
  later.options.delay_ms = 5'000;
  EXPECT_EQ(show(later), "OK");
  EXPECT_EQ(job.state, JobState::kScheduled);
  EXPECT_EQ(order(), (std::vector<uint64_t>{2}));
  Edit calendar = edit_of(job);
  calendar.options.at_ms = now.wall.ms + 60'000;
  show(calendar);
  EXPECT_TRUE(job.record->run_at_is_wall);
  EXPECT_TRUE(state.wall_timers().holds(job));
  expect_exact();
  Edit sooner = edit_of(job);
  sooner.options.delay_ms = 0;
  show(sooner);
  EXPECT_EQ(order(), (std::vector<uint64_t>{2, 1})) << "it becomes ready now";
  EXPECT_EQ(job.record->ready_at, now.engine);
  Edit past = edit_of(*state.find(JobId{2}));
  past.options.at_ms = now.wall.ms - 1;
  show(past);
  EXPECT_EQ(order(), (std::vector<uint64_t>{2, 1})) << "what is ready already keeps its place";
  expect_exact();
  show(later);
  pass(5'000);
  EXPECT_EQ(job.state, JobState::kReady);
}

TEST_F(ApplyEdit, IsRefusedForWhatRunsOrIsFinished) {
  Job& job = push();
  const auto lease = start();
  Edit edit = edit_of(job);
  edit.priority = 1;
  EXPECT_EQ(show(edit), "BADSTATE state=running job 0000000000001 cannot be edited now");
  show(Ack{{lease.first, lease.second, "", false}});
  EXPECT_EQ(show(edit), "BADSTATE state=succeeded job 0000000000001 cannot be edited now");
  edit.job.id = JobId{5};
  EXPECT_THAT(show(edit), StartsWith("NOTFOUND"));
}

TEST_F(ApplyEdit, RefusesWhatCannotBe) {
  Job& job = push();
  EXPECT_THAT(show(edit_of(job)), StartsWith("BADREQ field=OPTION say what is to change"));
  Edit edit = edit_of(job);
  edit.priority = 10;
  EXPECT_EQ(show(edit), "BADREQ field=PRIORITY 10 is not within 0 to 9");
  edit = edit_of(job);
  edit.queue = "no name";
  EXPECT_THAT(show(edit), StartsWith("BADREQ field=QUEUE"));
  edit = edit_of(job);
  edit.options.delay_ms = 1;
  edit.options.at_ms = 1;
  EXPECT_EQ(show(edit), "BADREQ field=AT DELAY and AT exclude each other");
  const auto lease = start();
  Fail fail;
  fail.job = lease.first;
  fail.token = lease.second;
  show(fail);
  edit = edit_of(job);
  edit.options.attempts = 1;
  EXPECT_EQ(show(edit), "BADREQ field=ATTEMPTS 1 is not more than the 1 that are used");
  edit.options.attempts = 2;
  EXPECT_EQ(show(edit), "OK");
}

TEST_F(ApplyEdit, IsToldInAGroupAndTakenBackWithIt) {
  Job& job = push();
  Edit edit = edit_of(job);
  edit.queue = "fresh";
  edit.args = "new";
  edit.options.delay_ms = 1'000;
  Exec exec;
  exec.commands.push_back({edit});
  exec.commands.push_back({Bulk{BulkVerb::kCancel, false, {JobRef{JobId{999}, {}, {}}}}});
  const std::string before = dump();
  EXPECT_THAT(show(exec), StartsWith("EXECABORT index=1"));
  EXPECT_EQ(dump(), before);
  EXPECT_EQ(state.find_queue("fresh"), nullptr);
  expect_exact();
  exec.commands.pop_back();
  EXPECT_EQ(show(exec), "[OK]");
  EXPECT_EQ(job.record->args, "new");
  expect_exact();
}

TEST_F(ApplyEdit, WaitsForARecordThatIsNotInMemory) {
  Job& job = push();
  make_cold();
  ASSERT_EQ(job.record, nullptr);
  Edit edit = edit_of(job);
  edit.args = "new";
  const Command command{edit};
  EXPECT_FALSE(ready_to_apply(state, command));
  EXPECT_EQ(read_wants(), std::vector<uint64_t>{1});
  EXPECT_TRUE(ready_to_apply(state, command));
  show(edit);
  make_cold();
  EXPECT_EQ(rows.at(1)->args, "new") << "what left memory is what it was changed to";
}

TEST_F(ApplyEdit, WakesWhoWaitsInItsNewQueue) {
  Job& job = push();
  state.take_woken();
  Edit edit = edit_of(job);
  edit.queue = "other";
  show(edit);
  const std::vector<Queue*> woken = state.take_woken();
  ASSERT_EQ(woken.size(), 1U);
  EXPECT_EQ(woken[0]->name, "other");
}

TEST_F(ApplyEdit, IsRefusedByAFullQueueAndWhilePushesAre) {
  push(spec("full"));
  QueueSet set{.queue = "full", .numbers = {{QueueNumber::kMaxlen, 1}}, .backoff = {}};
  show(set);
  Job& job = push();
  Edit edit = edit_of(job);
  edit.queue = "full";
  EXPECT_THAT(show(edit), StartsWith("QUEUEFULL len=1 max=1"));
  edit.queue = "q";
  const base::Error full{base::ErrorCode::kDiskFull, "full"};
  Context step = context();
  step.push_refusal = &full;
  Answer answer;
  apply(step, Command{edit}, answer);
  EXPECT_EQ(shown(answer), "DISKFULL full");
}

}  // namespace
}  // namespace core
