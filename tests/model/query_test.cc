// WHERE: which jobs a query means, counts, listings, operations by query and on whole queues.
#include "model/query.h"

#include "model/scene.h"
#include "model/step.h"

namespace model {
namespace {

class QueryRules : public Scene {
 protected:
  std::string push_to(const std::string& queue, const std::string& type) {
    Push push = a_push(queue);
    push.type = type;
    return Scene::push(push);
  }
  int64_t count(const std::string& query) { return run(JobCount{query}).number; }
};

TEST_F(QueryRules, AllTermsMustHold) {
  push_to("mail", "SendWelcome");
  push_to("mail", "SendBill");
  push_to("mail2", "Resize");
  EXPECT_EQ(count("queue:mail"), 2);
  EXPECT_EQ(count("queue:mail*"), 3);
  EXPECT_EQ(count("type:Send*"), 2);
  EXPECT_EQ(count("type:Send"), 0);
  EXPECT_EQ(count("queue:mail*  type:Resize"), 1);
  EXPECT_EQ(count("queue:mail queue:mail2"), 0);
  EXPECT_EQ(count("state:ready"), 3);
  EXPECT_EQ(run(JobCount{}).number, 3);
  fetch_one("mail");
  EXPECT_EQ(count("state:running queue:mail"), 1);
  EXPECT_EQ(count("attempt:>0"), 1);
  EXPECT_EQ(count("attempt:>1"), 0);
}

TEST_F(QueryRules, IdMeansOneJobAndAgeTheTimeSinceThePush) {
  const std::string id = push(a_push());
  tick(60'000);
  push(a_push());
  EXPECT_EQ(count("id:" + id), 1);
  EXPECT_EQ(count("id:" + id_after(id, 100)), 0);
  EXPECT_EQ(count("age:>59s"), 1);
  EXPECT_EQ(count("age:>1m"), 0) << "more than, not as much as";
  tick(1);
  EXPECT_EQ(count("age:>1m"), 1);
  EXPECT_EQ(count("age:>0ms"), 2);
  EXPECT_EQ(count("age:>1h"), 0);
}

TEST_F(QueryRules, MalformedQueriesAreRefused) {
  for (const char* text : {"", " ", "dead", "state:", "state:nope", "colour:red", "queue:a/b",
                           "attempt:>", "attempt:3x", "attempt:>-1", "age:>5", "age:>5y", "age:5s",
                           "id:nonsense", "state:dead nonsense"}) {
    EXPECT_EQ(code(JobCount{text}), "BADREQ") << text;
    EXPECT_EQ(code(BulkWhere{BulkVerb::kDelete, text, std::nullopt}), "BADREQ") << text;
  }
}

class ListRules : public QueryRules {
 protected:
  void SetUp() override {
    for (int i = 0; i < 3; ++i) ids.push_back(push(a_push()));
  }
  static ListedJob row(const JobView& view) {
    return ListedJob{view.id, view.state, view.queue, view.type, view.priority, view.attempt};
  }
  // What the model says to a page that a server could answer.
  std::string judge(const std::string& cursor, const std::string& next,
                    const std::vector<std::string>& named, int64_t most = 10) {
    Reply page;
    page.kind = Reply::Kind::kListed;
    page.text = next;
    for (const std::string& id : named) page.listed.push_back(row(job(id)));
    const Op op{1, JobList{"state:ready", cursor, most}};
    puppet.perform(op, now);
    const std::string wrong = model.check(op, now, page).value_or("");
    EXPECT_EQ(model.compare(puppet.snapshot()).value_or(""), "");
    return wrong;
  }
  std::vector<std::string> ids;
};

TEST_F(ListRules, PagesNameEveryJobThatFitsInAnyOrder) {
  EXPECT_EQ(judge("0", "7", {ids[2]}), "");
  EXPECT_EQ(judge("7", "0", {ids[1], ids[0]}), "");
}

TEST_F(ListRules, AJobThatNeverCameIsReported) {
  EXPECT_EQ(judge("0", "7", {ids[2]}), "");
  EXPECT_NE(judge("7", "0", {ids[1]}), "");
}

TEST_F(ListRules, AJobThatDidNotAlwaysFitMayBeLeftOut) {
  EXPECT_EQ(judge("0", "7", {ids[2]}), "");
  const GrantView grant = fetch_one();
  EXPECT_EQ(grant.id, ids[0]);
  run(Release{lease_of(grant), std::nullopt});
  push(a_push());
  EXPECT_EQ(judge("7", "0", {ids[1]}), "");
}

TEST_F(ListRules, AWrongPageIsReported) {
  EXPECT_NE(judge("0", "0", {ids[0], ids[1], ids[2], ids[2]}), "");
  EXPECT_NE(judge("0", "7", {ids[0], ids[1]}, 1), "");
  Reply page;
  page.kind = Reply::Kind::kListed;
  page.text = "0";
  const Op op{1, JobList{"id:" + ids[0], std::nullopt, std::nullopt}};
  page.listed = {row(job(ids[0]))};
  page.listed[0].queue = "elsewhere";
  EXPECT_NE(model.check(op, now, page).value_or(""), "");
  page.listed = {row(job(ids[1]))};
  EXPECT_NE(model.check(op, now, page).value_or(""), "") << "it does not fit";
}

class OperationRules : public QueryRules {
 protected:
  int64_t bulk(BulkVerb verb, const std::string& query,
               std::optional<int64_t> limit = std::nullopt) {
    const Reply reply = run(BulkWhere{verb, query, limit});
    EXPECT_EQ(reply.kind, Reply::Kind::kStarted);
    EXPECT_NE(reply.text, "");
    return reply.number;
  }
};

TEST_F(OperationRules, RetryTakesTheFinishedAndSkipsTheRest) {
  const std::string first = push(a_push());
  const std::string second = push(a_push());
  run(Cancel{false, {second}});
  run(Cancel{false, {first}});
  const std::string waiting = push(a_push());
  EXPECT_EQ(bulk(BulkVerb::kRetry, "queue:q"), 2) << "one is not finished";
  EXPECT_EQ(ids_of(a_fetch_of(3)), (std::vector<std::string>{waiting, first, second}));
  EXPECT_EQ(job(waiting).generation, 1);
}

TEST_F(OperationRules, EditTakesWhatWaitsAndLeavesWhatItCannotChange) {
  const std::string used = push(a_push());
  run(a_fail(fetch_one()));  // Its first attempt is gone.
  const std::string fresh = push(a_push());
  const std::string other = push(a_push());
  run(Cancel{false, {other}});
  EditWhere edit{"queue:q", std::nullopt, {}};
  edit.edit.attempts = 1;
  const Reply reply = run(edit);
  EXPECT_EQ(reply.kind, Reply::Kind::kStarted);
  EXPECT_EQ(reply.number, 2) << "one is finished";
  EXPECT_EQ(job(fresh).max_attempts, 1);
  EXPECT_NE(job(used).max_attempts, 1);
  EXPECT_NE(job(other).max_attempts, 1);
  edit.edit = {};
  EXPECT_EQ(code(edit), "BADREQ") << "it changes nothing";
  edit.edit.priority = 9;
  edit.limit = 0;
  EXPECT_EQ(code(edit), "BADREQ");
}

TEST_F(OperationRules, EditMovesNoMoreThanTheOtherQueueHasRoomFor) {
  const std::vector<std::string> ids = {push(a_push()), push(a_push()), push(a_push())};
  QueueSettings bound;
  bound.length_max = 2;
  run(QueueSet{"r", bound, {}});
  EditWhere edit{"queue:q", std::nullopt, {}};
  edit.edit.queue = "r";
  EXPECT_EQ(run(edit).number, 3);
  EXPECT_EQ(job(ids[0]).queue, "r");
  EXPECT_EQ(job(ids[1]).queue, "r");
  EXPECT_EQ(job(ids[2]).queue, "q");
}

TEST_F(OperationRules, WhatAnEditCannotChangeDoesNotCountForItsLimit) {
  const std::string used = push(a_push());
  run(a_fail(fetch_one()));
  const std::string second = push(a_push());
  const std::string third = push(a_push());
  EditWhere edit{"queue:q", 1, {}};
  edit.edit.attempts = 1;
  EXPECT_EQ(run(edit).number, 1);
  EXPECT_NE(job(used).max_attempts, 1);
  EXPECT_EQ(job(second).max_attempts, 1);
  EXPECT_NE(job(third).max_attempts, 1);
}

TEST_F(OperationRules, ALimitTakesTheOldest) {
  const std::string first = push(a_push());
  const std::string second = push(a_push());
  EXPECT_EQ(bulk(BulkVerb::kCancel, "state:ready", 1), 1);
  EXPECT_EQ(state(first), State::kCancelled);
  EXPECT_EQ(state(second), State::kReady);
  EXPECT_EQ(code(BulkWhere{BulkVerb::kCancel, "state:ready", 0}), "BADREQ");
}

TEST_F(OperationRules, CancelAsksARunningJobAndDeleteLeavesIt) {
  const std::string id = push(a_push());
  const GrantView grant = fetch_one();
  EXPECT_EQ(bulk(BulkVerb::kDelete, "id:" + id), 0);
  EXPECT_EQ(state(id), State::kRunning);
  EXPECT_EQ(bulk(BulkVerb::kCancel, "queue:q"), 1);
  EXPECT_TRUE(job(id).cancel_requested);
  EXPECT_EQ(code(Ack{lease_of(grant), std::nullopt}), "CANCELLED");
  EXPECT_EQ(bulk(BulkVerb::kDelete, "state:cancelled"), 1);
  EXPECT_FALSE(exists(id));
  EXPECT_EQ(bulk(BulkVerb::kDelete, "state:cancelled"), 0);
}

TEST_F(OperationRules, ARetryFeedsWhoWaits) {
  const std::string id = push(a_push());
  run(Cancel{false, {id}});
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  run(waiting, 2);
  bulk(BulkVerb::kRetry, "state:cancelled");
  ASSERT_EQ(answers.size(), 1U);
}

TEST_F(OperationRules, PurgeDeletesAllThatDoesNotRun) {
  Push keyed = a_push();
  keyed.key = "k";
  const std::string running = push(a_push());
  fetch_one();
  const std::string ready = push(keyed);
  Push late = a_push();
  late.delay_ms = 1'000;
  push(late);
  run(Cancel{false, {push(a_push())}});
  const std::string other = push(a_push("r"));
  EXPECT_EQ(run(QueuePurge{"q"}).number, 3);
  EXPECT_EQ(state(running), State::kRunning);
  EXPECT_EQ(state(other), State::kReady);
  EXPECT_EQ(model.world().jobs.size(), 2U);
  EXPECT_NE(push(keyed), ready) << "the key is free";
  EXPECT_EQ(code(QueuePurge{"nowhere"}), "NOTFOUND");
  EXPECT_EQ(code(QueuePurge{"with space"}), "BADREQ");
}

TEST_F(OperationRules, DeleteTakesTheQueueAlongUnlessJobsRun) {
  push(a_push());
  const GrantView grant = fetch_one();
  push(a_push());
  run(QueuePause{"q", "why"});
  const Reply refused = run(QueueDelete{"q"});
  EXPECT_EQ(refused.code, "BADSTATE");
  EXPECT_EQ(model.world().jobs.size(), 2U);
  run(Ack{lease_of(grant), std::nullopt});
  EXPECT_EQ(run(QueueDelete{"q"}).number, 2);
  EXPECT_TRUE(model.world().queues.empty());
  EXPECT_EQ(code(QueueDelete{"q"}), "NOTFOUND");
  push(a_push());
  EXPECT_EQ(model.world().queues.at("q").pushed, 1) << "a new queue";
  EXPECT_EQ(ids_of(a_fetch()).size(), 1U) << "and not a paused one";
}

TEST_F(OperationRules, AnIdOfAnOperationIsNeverGivenAgain) {
  push(a_push());
  const Op op{1, QueuePurge{"q"}};
  const Puppet::Seen seen = puppet.perform(op, now);
  EXPECT_EQ(model.check(op, now, seen.reply).value_or(""), "");
  EXPECT_EQ(model.compare(puppet.snapshot()).value_or(""), "");
  Reply again = seen.reply;
  again.number = 0;
  EXPECT_NE(model.check(op, now, again).value_or(""), "");
  again.text += "X";
  again.number = 1;
  EXPECT_NE(model.check(op, now, again).value_or(""), "") << "nothing was left to match";
}

}  // namespace
}  // namespace model
