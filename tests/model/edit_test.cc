// JOB.EDIT: what may be changed, and where the job goes.
#include "model/scene.h"

namespace model {
namespace {

class EditRules : public Scene {
 protected:
  static Edit of(const std::string& id) {
    Edit edit;
    edit.id = id;
    return edit;
  }
  static Edit to_queue(const std::string& id, const std::string& queue) {
    Edit edit = of(id);
    edit.queue = queue;
    return edit;
  }
};

TEST_F(EditRules, ArgsAndTypeChangeInPlace) {
  const std::string first = push(a_push());
  const std::string second = push(a_push());
  Edit edit = of(first);
  edit.args = "new";
  edit.type = "u";
  EXPECT_EQ(run(edit).kind, Reply::Kind::kOk);
  EXPECT_EQ(job(first).args, "new");
  EXPECT_EQ(job(first).type, "u");
  EXPECT_EQ(ids_of(a_fetch_of(2)), (std::vector<std::string>{first, second}));
}

TEST_F(EditRules, InAnotherQueueOrPriorityItStandsWhereItsAgePutsIt) {
  const std::string before = push(a_push("r"));
  const std::string moved = push(a_push());
  const std::string behind = push(a_push("r"));
  run(to_queue(moved, "r"));
  EXPECT_EQ(ids_of([] {
              Fetch fetch = a_fetch("r");
              fetch.count = 3;
              return fetch;
            }()),
            (std::vector<std::string>{before, moved, behind}));
  const std::string one = push(a_push());
  const std::string two = push(a_push());
  Edit raise = of(one);
  raise.priority = 5;
  run(raise);
  EXPECT_EQ(ids_of(a_fetch()), std::vector<std::string>{one}) << "the same priority: no move";
  Push high = a_push();
  high.priority = 9;
  const std::string urgent = push(high);
  raise.id = two;
  raise.priority = 9;
  run(raise);
  EXPECT_EQ(ids_of(a_fetch_of(2)), (std::vector<std::string>{two, urgent}));
}

TEST_F(EditRules, ATimeMakesItScheduledOrReady) {
  const std::string id = push(a_push());
  Edit edit = of(id);
  edit.delay_ms = 500;
  run(edit);
  EXPECT_EQ(state(id), State::kScheduled);
  EXPECT_EQ(job(id).run_at.ms, now.engine_ms + 500);
  edit.delay_ms.reset();
  edit.at_wall_ms = now.wall_ms + 1'000;
  run(edit);
  EXPECT_TRUE(job(id).run_at.is_wall);
  edit.at_wall_ms = now.wall_ms;
  run(edit);
  EXPECT_EQ(state(id), State::kReady);
}

TEST_F(EditRules, AReadyJobThatStaysReadyKeepsItsPlace) {
  const std::string first = push(a_push());
  const std::string second = push(a_push());
  Edit edit = of(first);
  edit.delay_ms = 0;
  run(edit);
  EXPECT_EQ(ids_of(a_fetch_of(2)), (std::vector<std::string>{first, second}));
}

TEST_F(EditRules, AScheduledJobKeepsItsTimeInAnotherQueue) {
  Push late = a_push();
  late.delay_ms = 1'000;
  const std::string id = push(late);
  run(to_queue(id, "r"));
  EXPECT_EQ(state(id), State::kScheduled);
  pass(1'000);
  EXPECT_EQ(ids_of(a_fetch("r")), std::vector<std::string>{id});
  EXPECT_EQ(model.world().queues.at("r").pushed, 0);
}

TEST_F(EditRules, HowItRunsChangesToo) {
  const std::string id = push(a_push());
  Edit edit = of(id);
  edit.attempts = 2;
  edit.backoff = "fixed:700~0";
  edit.timeout_ms = 0;
  edit.lease_ms = 9'000;
  edit.crashes = 5;
  edit.keep_ms = 0;
  edit.expire_ms = 60'000;
  run(edit);
  EXPECT_EQ(job(id).expires_at_engine_ms, std::optional(now.engine_ms + 60'000));
  EXPECT_EQ(job(id).max_crashes, 5);
  const GrantView grant = fetch_one();
  EXPECT_EQ(grant.lease_ms, 9'000);
  EXPECT_EQ(grant.timeout_ms, 0);
  EXPECT_EQ(grant.max_attempts, 2);
  EXPECT_EQ(run(a_fail(grant)).run_at_engine_ms.value_or(0), now.engine_ms + 700);
  edit = of(id);
  edit.attempts = 1;
  EXPECT_EQ(code(edit), "BADREQ") << "one is used already";
  edit.attempts = 3;
  EXPECT_EQ(code(edit), "");
}

TEST_F(EditRules, NeitherRunningNorFinishedJobs) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  Reply refused = run(to_queue(id, "r"));
  EXPECT_EQ(refused.code, "BADSTATE");
  EXPECT_EQ(refused.state, std::optional(State::kRunning));
  run(Ack{lease_of(grant), std::nullopt});
  refused = run(to_queue(id, "r"));
  EXPECT_EQ(refused.code, "BADSTATE");
  EXPECT_EQ(model.world().queues.count("r"), 0U);
  run(Delete{{id}});
  EXPECT_EQ(code(to_queue(id, "r")), "GONE");
  EXPECT_EQ(code(to_queue("key:nobody", "r")), "NOTFOUND");
}

TEST_F(EditRules, RefuseMalformedWords) {
  const std::string id = push(a_push());
  EXPECT_EQ(code(of(id)), "BADREQ") << "it changes nothing";
  EXPECT_EQ(code(to_queue("nonsense", "r")), "BADREQ");
  EXPECT_EQ(code(to_queue(id, "with space")), "BADREQ");
  Edit both = of(id);
  both.delay_ms = 1;
  both.at_wall_ms = 1;
  EXPECT_EQ(code(both), "BADREQ");
  Edit big = of(id);
  big.args = std::string(1'048'577, 'x');
  EXPECT_EQ(code(big), "TOOBIG");
}

TEST_F(EditRules, AFullQueueTakesNoMovedJob) {
  push(a_push());
  QueueSettings one;
  one.length_max = 1;
  run(QueueSet{"q", one, {}});
  const std::string id = push(a_push("r"));
  EXPECT_EQ(code(to_queue(id, "q")), "QUEUEFULL");
  EXPECT_EQ(job(id).queue, "r");
}

TEST_F(EditRules, IsAMemberOfAGroup) {
  Push keyed = a_push();
  keyed.key = "k";
  Exec exec;
  exec.members = {Op{1, keyed}, Op{1, to_queue("key:k", "r")}};
  EXPECT_EQ(run(exec).items.size(), 2U);
  EXPECT_EQ(ids_of(a_fetch("r")).size(), 1U);
  exec.members = {Op{1, a_push()}, Op{1, to_queue("key:k", "q")}};
  const Reply aborted = run(exec);
  EXPECT_EQ(aborted.inner_code, "BADSTATE");
  EXPECT_EQ(model.world().jobs.size(), 1U);
}

}  // namespace
}  // namespace model
