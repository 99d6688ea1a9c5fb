#include "core/state_group.h"

#include "core/apply_fixture.h"

namespace core {
namespace {

class StateGroup : public ApplyFixture {
 protected:
  StateGroup() {
    PushSpec keyed = spec();
    keyed.key = "k";
    keyed.has_key = true;
    push(keyed);
    push(spec("q", "u"));
    PushSpec urgent = spec();
    urgent.priority = 9;
    push(urgent);
    push();
    PushSpec later = spec("other");
    later.delay_ms = 5'000;
    push(later);
    PushSpec calendar = spec("other");
    calendar.at_ms = now.wall.ms + 90'000;
    push(calendar);
  }

  static PushSpec with_identity(std::string_view request, std::string_view producer, uint64_t seq) {
    PushSpec push = spec("made-by-the-group");
    push.request = request;
    push.has_request = !request.empty();
    push.producer = producer;
    push.has_producer = !producer.empty();
    push.producer_seq = seq;
    return push;
  }

  // Does `commands`, then something that can't be done; all must be as before.
  void expect_no_trace(std::vector<CommandBody> commands) {
    Exec exec;
    for (CommandBody& command : commands) exec.commands.push_back({std::move(command)});
    exec.commands.push_back({Bulk{BulkVerb::kCancel, false, {JobRef{JobId{999'999}, {}, {}}}}});
    const std::string before = dump();
    const size_t effects = sink.count;
    const size_t failing = exec.commands.size() - 1;
    const Answer answer = run(std::move(exec));
    EXPECT_TRUE(error_of(answer).starts_with(fmt::format("EXECABORT index={} NOTFOUND", failing)))
        << error_of(answer);
    EXPECT_EQ(dump(), before);
    EXPECT_EQ(sink.count, effects);
    EXPECT_FALSE(state.in_group());
  }
};

TEST_F(StateGroup, AnAbortTakesBackPushesAndTheQueuesTheyMade) {
  PushMany many;
  many.items = {spec("new-1"), spec("q"), spec("new-2", "new-type")};
  expect_no_trace({Push{spec("new")}, many, Push{spec()}});
  EXPECT_EQ(state.find_queue("new"), nullptr);
  EXPECT_EQ(state.find_queue("new-1"), nullptr);
}

TEST_F(StateGroup, AnAbortTakesBackAnAckAFailAndARelease) {
  const auto [first, first_token] = start();
  const auto [second, second_token] = start();
  const auto [third, third_token] = start();
  Fail fail;
  fail.job = second;
  fail.token = second_token;
  expect_no_trace(
      {Ack{{first, first_token, "result", true}}, fail, Release{third, third_token, std::nullopt}});
  EXPECT_EQ(state.find(first.id)->state, JobState::kRunning);
  EXPECT_EQ(error_of(run(Ack{{first, first_token, "", false}})), "OK")
      << "its lease is still valid";
}

TEST_F(StateGroup, AnAbortRestoresTheOrderOfReadyJobs) {
  std::vector<CommandBody> commands;
  for (uint64_t id = 1; id <= 4; ++id) {
    commands.emplace_back(Bulk{BulkVerb::kCancel, false, {JobRef{JobId{id}, {}, {}}}});
  }
  expect_no_trace(std::move(commands));
}

TEST_F(StateGroup, AnAbortTakesBackAReplacedJob) {
  PushSpec replace = spec("other", "u");
  replace.key = "k";
  replace.has_key = true;
  replace.on_duplicate = OnDuplicate::kReplace;
  replace.delay_ms = 60'000;
  replace.args = "new";
  expect_no_trace({Push{replace}});
  EXPECT_EQ(state.find_key("k")->record->args, "{}");
}

TEST_F(StateGroup, AnAbortForgetsTheNamesOfPushes) {
  expect_no_trace({Push{with_identity("r", "", 0)}, Push{with_identity("", "p", 7)},
                   Push{with_identity("", "p", 8)}});
  EXPECT_FALSE(state.requests().find("r", now.engine).has_value());
  EXPECT_EQ(state.producers().size(), 0U);
}

TEST_F(StateGroup, AnAbortTakesBackProgressAndAMarkToCancel) {
  const auto [job, token] = start();
  expect_no_trace({Progress{job, token, "half"}, Bulk{BulkVerb::kCancel, false, {job}}});
  EXPECT_FALSE(state.find(job.id)->record->cancel_requested);
}

TEST_F(StateGroup, AnAbortLeavesNothingForTheLedgerToRemember) {
  const auto [job, token] = start();
  expect_no_trace({Ack{{job, token, "", false}}});
  EXPECT_EQ(state.ledger().size(), 0U);
  EXPECT_TRUE(state.ledger().take_added().empty());
  Exec exec;
  exec.commands = {{Ack{{job, token, "", false}}}};
  EXPECT_EQ(error_of(run(std::move(exec))), "OK");
  run(Bulk{BulkVerb::kDelete, false, {job}});
  EXPECT_TRUE(state.ledger().find(job.id, token.token.fence, now.engine).has_value());
  EXPECT_EQ(state.ledger().take_added().size(), 1U);
}

TEST_F(StateGroup, AnAbortIsFlushedAsIfNothingHadBeen) {
  flush(UINT64_MAX);
  const auto [job, token] = start();
  state.residency().freeze(
      [this](const Job& frozen) { rows[frozen.id.value] = clone_record(*frozen.record); });
  expect_no_trace({Ack{{job, token, "", false}}, Push{spec("new")}});
  while (!state.residency().take_some(100)) {
  }
  state.residency().flush_done(UINT64_MAX);
  EXPECT_EQ(rows.at(job.id.value)->attempt_last.outcome, Outcome::kNone);
  EXPECT_EQ(rows.size(), 6U);
  flush(UINT64_MAX);
  EXPECT_EQ(rows.at(job.id.value)->attempt_last.outcome, Outcome::kNone);
  EXPECT_EQ(rows.size(), 6U);
}

TEST_F(StateGroup, ACommitKeepsEverything) {
  const auto [job, token] = start();
  Exec exec;
  exec.commands = {{Ack{{job, token, "", false}}}, {Push{with_identity("r", "", 0)}}};
  EXPECT_EQ(error_of(run(std::move(exec))), "OK");
  EXPECT_EQ(state.find(job.id)->state, JobState::kSucceeded);
  EXPECT_TRUE(state.requests().find("r", now.engine).has_value());
  EXPECT_NE(state.find_queue("made-by-the-group"), nullptr);
}

// A batch that is refused by one of its items is a group of its own.
TEST_F(StateGroup, ARefusedBatchLeavesNoTrace) {
  PushSpec duplicate = spec();
  duplicate.key = "k";
  duplicate.has_key = true;
  duplicate.on_duplicate = OnDuplicate::kError;
  PushMany many;
  many.items = {spec("new"), with_identity("r", "", 0), duplicate};
  const std::string before = dump();
  const size_t effects = sink.count;
  EXPECT_TRUE(error_of(run(std::move(many))).starts_with("DUPLICATE "));
  EXPECT_EQ(dump(), before);
  EXPECT_EQ(sink.count, effects);
}

}  // namespace
}  // namespace core
