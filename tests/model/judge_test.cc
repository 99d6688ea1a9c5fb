// The model must be able to fail: every wrong observation is reported. And it must not fail over
// the puppet's random lives, which also shows that the generator reaches what it should.
#include <functional>
#include <set>

#include "model/scene.h"
#include "model/step.h"

namespace model {
namespace {

// What the model says when the observation of one op is changed on its way.
class Judge : public Scene {
 protected:
  std::string judge(const Verb& verb, const std::function<void(Puppet::Seen&)>& change,
                    Conn conn = 1) {
    const Op op{conn, verb};
    Puppet::Seen seen = puppet.perform(op, now);
    change(seen);
    return model.check(op, now, seen.reply, seen.answers).value_or("");
  }

  std::string compare_changed(const std::function<void(Snapshot&)>& change) {
    Snapshot snapshot = puppet.snapshot();
    change(snapshot);
    Model copy = model;
    return copy.compare(snapshot).value_or("");
  }
};

TEST_F(Judge, ReportsAWrongErrorCodeInOneReadableLine) {
  const std::string id = push(a_push());
  const std::string text =
      judge(Ack{{id, "0000"}, std::nullopt}, [](auto& seen) { seen.reply.code = "GONE"; });
  EXPECT_EQ(text, "#1 JOB.ACK " + id + " 0000: the reply should be LEASELOST, got GONE");
}

TEST_F(Judge, ReportsAnAckThatIgnoresTheToken) {
  const std::string id = push(a_push());
  fetch_one();
  EXPECT_NE(judge(Ack{{id, "0000"}, std::nullopt}, [](auto& seen) { seen.reply = ok_reply(); }),
            "");
}

TEST_F(Judge, ReportsAnIdThatWasGivenBefore) {
  const std::string id = push(a_push());
  EXPECT_NE(judge(a_push(), [&](auto& seen) { seen.reply.id = id; }), "");
}

TEST_F(Judge, ReportsARepeatedToken) {
  push(a_push());
  push(a_push());
  const std::string token = fetch_one().token;
  EXPECT_NE(judge(a_fetch(), [&](auto& seen) { seen.reply.leases[0].token = token; }), "");
}

TEST_F(Judge, ReportsTheWrongJobAndAJobFromAPausedQueue) {
  push(a_push());
  const std::string second = push(a_push());
  EXPECT_NE(judge(a_fetch(), [&](auto& seen) { seen.reply.leases[0].id = second; }), "");
}

TEST_F(Judge, ReportsALeaseOfAPausedQueue) {
  push(a_push());
  Puppet::Seen stolen;
  {
    Puppet other = puppet;
    stolen = other.perform(Op{1, a_fetch()}, now);
  }
  run(QueuePause{"q", ""});
  EXPECT_NE(judge(a_fetch(), [&](auto& seen) { seen.reply = stolen.reply; }), "");
}

TEST_F(Judge, ReportsARetryOutsideItsRange) {
  push(a_push());
  const GrantView grant = fetch_one();
  EXPECT_NE(
      judge(a_fail(grant), [&](auto& seen) { seen.reply.run_at_engine_ms = now.engine_ms + 999; }),
      "");
}

TEST_F(Judge, AdoptsARetryInsideItsRangeOnce) {
  push(a_push());
  const GrantView grant = fetch_one();
  const Op op{1, a_fail(grant)};
  Puppet::Seen seen = puppet.perform(op, now);
  seen.reply.run_at_engine_ms = now.engine_ms + 1'077;
  EXPECT_EQ(model.check(op, now, seen.reply, {}).value_or(""), "");
  Snapshot snapshot = puppet.snapshot();
  snapshot.jobs[0].run_at.ms = now.engine_ms + 1'077;
  EXPECT_EQ(model.compare(snapshot).value_or(""), "");
  snapshot.jobs[0].run_at.ms = now.engine_ms + 1'078;
  EXPECT_NE(model.compare(snapshot).value_or(""), "") << "the time is drawn once";
}

TEST_F(Judge, ReportsAWaiterThatWasNotFed) {
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  run(waiting, 2);
  EXPECT_NE(judge(a_push(), [](auto& seen) { seen.answers.clear(); }), "");
}

TEST_F(Judge, ReportsAWaiterFedOutOfTurn) {
  Fetch waiting = a_fetch();
  waiting.block_ms = 0;
  run(waiting, 2);
  run(waiting, 3);
  EXPECT_NE(judge(a_push(), [](auto& seen) { seen.answers[0].conn = 3; }), "");
}

TEST_F(Judge, ReportsAnAnswerToAConnectionThatDoesNotWait) {
  EXPECT_NE(judge(a_push(),
                  [](auto& seen) {
                    Reply empty;
                    empty.kind = Reply::Kind::kLeases;
                    seen.answers.push_back(WaiterAnswer{9, empty});
                  }),
            "");
}

TEST_F(Judge, ReportsAMissingAndAnUnexpectedJob) {
  push(a_push());
  EXPECT_NE(compare_changed([](Snapshot& s) { s.jobs.clear(); }), "");
  EXPECT_NE(compare_changed([](Snapshot& s) { s.jobs[0].id = id_after(s.jobs[0].id); }), "");
  EXPECT_NE(compare_changed([](Snapshot& s) { s.jobs.push_back(s.jobs[0]); }), "");
  EXPECT_NE(compare_changed([](Snapshot& s) { s.queues.clear(); }), "");
}

TEST_F(Judge, ReportsEveryWrongFieldOfAJob) {
  Push full = a_push();
  full.expire_ms = 600'000;
  full.key = "k";
  full.keep_ms = 5'000;
  full.meta = {{"a", "b"}};
  push(full);
  Fail again = a_fail(fetch_one());
  again.retry_in_ms = 0;
  run(again);
  run(Progress{lease_of(fetch_one()), "1"});
  const std::vector<std::function<void(JobView&)>> changes = {
      [](JobView& v) { ++v.generation; },
      [](JobView& v) { v.state = State::kReady; },
      [](JobView& v) { v.queue += "x"; },
      [](JobView& v) { v.type += "x"; },
      [](JobView& v) { v.args += "x"; },
      [](JobView& v) { ++v.priority; },
      [](JobView& v) { ++v.attempt; },
      [](JobView& v) { ++v.max_attempts; },
      [](JobView& v) { ++v.fence; },
      [](JobView& v) { ++v.crashes; },
      [](JobView& v) { ++v.max_crashes; },
      [](JobView& v) { v.suspect = true; },
      [](JobView& v) { v.cancel_requested = true; },
      [](JobView& v) { ++v.lease_ms; },
      [](JobView& v) { ++v.timeout_ms; },
      [](JobView& v) { ++v.soft_timeout_ms; },
      [](JobView& v) { ++*v.expires_at_engine_ms; },
      [](JobView& v) { v.keep_ms.reset(); },
      [](JobView& v) { v.key.reset(); },
      [](JobView& v) { v.meta.clear(); },
      [](JobView& v) { v.progress.reset(); },
      [](JobView& v) { v.result = "r"; },
      [](JobView& v) { ++v.pushed_wall_ms; },
      [](JobView& v) { v.finished_engine_ms = 1; },
      [](JobView& v) { v.dead_reason = DeadReason::kCrashes; },
      [](JobView& v) { v.lease.reset(); },
      [](JobView& v) { v.lease->worker += "x"; },
      [](JobView& v) { v.lease->token += "X"; },
      [](JobView& v) { v.lease->token.clear(); },
      [](JobView& v) { ++v.lease->deadline_engine_ms; },
      [](JobView& v) { v.lease->timeout_at_engine_ms.reset(); },
      [](JobView& v) { v.history.clear(); },
      [](JobView& v) { ++v.history[0].attempt; },
      [](JobView& v) { ++v.history[0].generation; },
      [](JobView& v) { ++v.history[0].fence; },
      [](JobView& v) { v.history[0].worker += "x"; },
      [](JobView& v) { v.history[0].outcome = Outcome::kLost; },
      [](JobView& v) { v.history[0].error_class += "x"; },
      [](JobView& v) { v.history[0].message += "x"; },
      [](JobView& v) { v.history[0].trace += "x"; },
  };
  EXPECT_EQ(compare_changed([](Snapshot&) {}), "");
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_NE(compare_changed([&](Snapshot& s) { changes[i](s.jobs[0]); }), "") << "change " << i;
  }
}

TEST_F(Judge, ReportsEveryWrongFieldOfAQueue) {
  push(a_push());
  const std::vector<std::function<void(QueueView&)>> changes = {
      [](QueueView& v) { v.paused = true; },
      [](QueueView& v) { v.pause_reason = "x"; },
      [](QueueView& v) { ++v.ready; },
      [](QueueView& v) { ++v.scheduled; },
      [](QueueView& v) { ++v.running; },
      [](QueueView& v) { ++v.succeeded_kept; },
      [](QueueView& v) { ++v.dead; },
      [](QueueView& v) { ++v.cancelled_kept; },
      [](QueueView& v) { ++v.expired_kept; },
      [](QueueView& v) { ++v.pushed; },
      [](QueueView& v) { ++v.started; },
      [](QueueView& v) { ++v.succeeded; },
      [](QueueView& v) { ++v.failed; },
      [](QueueView& v) { ++*v.lost; },
      [](QueueView& v) { ++*v.released; },
      [](QueueView& v) { ++*v.died; },
      [](QueueView& v) { ++*v.cancelled; },
      [](QueueView& v) { ++*v.expired; },
      [](QueueView& v) { ++*v.retried; },
      [](QueueView& v) { ++*v.oldest_ms; },
      [](QueueView& v) { v.ready_ids->clear(); },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_NE(compare_changed([&](Snapshot& s) { changes[i](s.queues[0]); }), "") << "change " << i;
  }
}

TEST_F(Judge, ReportsEveryWrongFieldOfAKey) {
  KeySet set;
  set.key = "k";
  set.value = "v";
  set.ex_s = 5;
  run(set);
  const std::vector<std::function<void(Snapshot&)>> changes = {
      [](Snapshot& s) { s.keys.clear(); },
      [](Snapshot& s) { s.keys.push_back(s.keys[0]); },
      [](Snapshot& s) { s.keys[0].name += "x"; },
      [](Snapshot& s) { s.keys[0].value += "x"; },
      [](Snapshot& s) { ++*s.keys[0].end_ms; },
      [](Snapshot& s) { s.keys[0].end_ms.reset(); },
      [](Snapshot& s) { s.keys[0].end_is_wall = true; },
  };
  EXPECT_EQ(compare_changed([](Snapshot&) {}), "");
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_NE(compare_changed(changes[i]), "") << "change " << i;
  }
  EXPECT_NE(judge(KeyGet{"k"}, [](auto& seen) { seen.reply.text = "w"; }), "");
  EXPECT_NE(judge(KeyTtl{"k", true}, [](auto& seen) { ++seen.reply.number; }), "");
}

TEST_F(Judge, ReportsADriverThatDoesNotCompare) {
  push(a_push());
  const GrantView grant = fetch_one();
  tick(30'000);
  const Op time{0, Advance{}};
  EXPECT_EQ(model.check(time, now, puppet.perform(time, now).reply).value_or(""), "");
  EXPECT_NE(model.check(time, now, Reply{}).value_or(""), "") << "jitter was not seen";
}

// What the first word of an op and its code do not tell.
void note_rare(const Op& op, const Reply& reply, const World& world,
               std::set<std::string>& reached) {
  if (const auto* bulk = std::get_if<BulkWhere>(&op.verb)) {
    static const char* const kVerbs[] = {"retry", "cancel", "delete"};
    const std::string verb = kVerbs[static_cast<size_t>(bulk->verb)];
    if (reply.number > 1) reached.insert(verb + " of many");
    if (!reply.code.empty()) reached.insert(verb + " where " + reply.code);
  }
  if (std::holds_alternative<EditWhere>(op.verb)) {
    if (reply.number > 1) reached.insert("edit of many");
    if (!reply.code.empty()) reached.insert("edit where " + reply.code);
  }
  for (const GrantView& lease : reply.leases) {
    for (const auto& [id, job] : world.jobs) {
      const JobView& other = job.view;
      if (other.state == State::kReady && !other.suspect && other.queue == lease.queue &&
          other.type == lease.type && other.priority > lease.priority) {
        reached.insert("a lease by age");
      }
    }
  }
  if (reply.kind == Reply::Kind::kListed && reply.text != "0") reached.insert("a page of several");
  if (reply.kind == Reply::Kind::kListed &&
      std::get<JobList>(op.verb).cursor.value_or("0") != "0") {
    reached.insert("a later page");
  }
  if (reply.kind == Reply::Kind::kFields && !reply.fields.empty()) reached.insert("a whole hash");
  if (const auto* exec = std::get_if<Exec>(&op.verb); exec != nullptr && reply.code.empty()) {
    for (const Op& member : exec->members) {
      if (std::holds_alternative<Edit>(member.verb)) reached.insert("an edit in a group");
      if (std::holds_alternative<HashSet>(member.verb)) reached.insert("a hash in a group");
    }
  }
  for (const auto& [id, job] : world.jobs) {
    if (job.view.lease && job.view.lease->log->dropped > 0) reached.insert("log lines dropped");
    for (const AttemptView& attempt : job.view.history) {
      if (!attempt.log->lines.empty()) reached.insert("a log in the history");
    }
  }
  if (!world.type_pauses.empty()) reached.insert("a type is paused");
  if (const auto* fetch = std::get_if<Fetch>(&op.verb)) {
    const auto known = world.workers.find(fetch->worker);
    if (known != world.workers.end())
      reached.insert("a fetch that was told " + known->second.state);
  }
}

// Drives a puppet with the generator; returns the first complaint.
std::string live(uint64_t seed, const GeneratorOptions& options, std::set<std::string>& reached) {
  constexpr int64_t kKeysBytesMax = 1'500;
  constexpr int kSteps = 300;
  Generator generator(seed, options);
  Model model(Generator::start(), kKeysBytesMax);
  Puppet puppet(Generator::start(), seed, kKeysBytesMax);
  for (int i = 0; i < kSteps; ++i) {
    const Planned planned = generator.next(model);
    const Puppet::Seen seen = puppet.perform(planned.op, planned.now);
    const auto wrong = model.check(planned.op, planned.now, seen.reply, seen.answers);
    if (wrong) return *wrong;
    const auto differs = model.compare(puppet.snapshot());
    if (differs) return describe(planned.op) + ": " + *differs;
    const std::string line = describe(planned.op);
    const std::string verb = line.substr(line.find(' ') + 1);
    reached.insert(verb.substr(0, verb.find(' ')) + " " + seen.reply.code + seen.reply.inner_code);
    note_rare(planned.op, seen.reply, model.world(), reached);
    if (!seen.answers.empty()) reached.insert("a waiter is answered");
    for (const auto& [id, job] : model.world().jobs) {
      reached.insert(std::string(name_of(job.view.state)) + " " + name_of(job.view.dead_reason));
      if (job.view.suspect && job.view.lease) reached.insert("a suspect runs");
    }
  }
  return "";
}

TEST(RandomLives, AgreeWithTheirPuppetAndReachWhatMatters) {
  GeneratorOptions basic;
  basic.logs = basic.types = basic.queue_settings = basic.edit = false;
  basic.workers = basic.hashes = basic.operations = basic.queries = false;
  std::set<std::string> reached;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    ASSERT_EQ(live(seed, basic, reached), "") << "seed " << seed;
  }
  for (const char* what : {"scheduled none",
                           "ready none",
                           "running none",
                           "succeeded none",
                           "cancelled none",
                           "expired none",
                           "dead attempts",
                           "dead crashes",
                           "dead noretry",
                           "a suspect runs",
                           "a waiter is answered",
                           "JOB.ACK LEASELOST",
                           "JOB.ACK GONE",
                           "JOB.ACK CANCELLED",
                           "JOB.ACK NOTFOUND",
                           "JOB.PUSH DUPLICATE",
                           "JOB.PUSH NOTYET",
                           "JOB.PUSH BADREQ",
                           "JOB.MPUSH DUPLICATE",
                           "MULTI ",
                           "MULTI EXECABORTLEASELOST",
                           "MULTI EXECABORTDUPLICATE",
                           "MULTI EXECABORTERR",
                           "MULTI EXECABORTQUOTA",
                           "SET QUOTA",
                           "SET ERR",
                           "SET BADREQ",
                           "INCR ERR",
                           "INCRBY ERR",
                           "INCRBY QUOTA",
                           "EXPIRE ERR",
                           "SCAN ERR",
                           "DBSIZE ",
                           "(restart) ",
                           "(stall) ",
                           "(close) ",
                           "(reply ",
                           "JOB.WAIT "}) {
    EXPECT_EQ(reached.count(what), 1U) << what;
  }
}

TEST(RandomLives, OfAllGroupsAgreeAndReachWhatMatters) {
  std::set<std::string> reached;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    ASSERT_EQ(live(seed, {}, reached), "") << "seed " << seed;
  }
  for (const char* what : {"JOB.LOG ",
                           "JOB.LOG LEASELOST",
                           "JOB.LOG GONE",
                           "JOB.LOG BADREQ",
                           "JOB.LOG TOOBIG",
                           "log lines dropped",
                           "a log in the history",
                           "TYPE.PAUSE ",
                           "TYPE.PAUSE BADREQ",
                           "TYPE.RESUME ",
                           "a type is paused",
                           "QUEUE.SET ",
                           "QUEUE.SET BADREQ",
                           "JOB.PUSH QUEUEFULL",
                           "JOB.MPUSH QUEUEFULL",
                           "MULTI EXECABORTQUEUEFULL",
                           "JOB.EDIT ",
                           "JOB.EDIT BADREQ",
                           "JOB.EDIT BADSTATE",
                           "JOB.EDIT GONE",
                           "JOB.EDIT NOTFOUND",
                           "JOB.EDIT QUEUEFULL",
                           "JOB.EDIT TOOBIG",
                           "an edit in a group",
                           "MULTI EXECABORTBADSTATE",
                           "WORKER.QUIET ",
                           "WORKER.STOP ",
                           "WORKER.STOP BADREQ",
                           "WORKER.STOP NOTFOUND",
                           "WORKER.LIST ",
                           "a fetch that was told quiet",
                           "a fetch that was told stop",
                           "HSET ",
                           "HSET WRONGTYPE",
                           "HSET QUOTA",
                           "HSET BADREQ",
                           "HDEL WRONGTYPE",
                           "HINCRBY ",
                           "HINCRBY ERR",
                           "HINCRBY WRONGTYPE",
                           "HINCRBYFLOAT ",
                           "HINCRBYFLOAT ERR",
                           "GET WRONGTYPE",
                           "SET WRONGTYPE",
                           "INCR WRONGTYPE",
                           "MULTI EXECABORTWRONGTYPE",
                           "a whole hash",
                           "a hash in a group",
                           "QUEUE.PURGE ",
                           "QUEUE.PURGE NOTFOUND",
                           "QUEUE.DELETE ",
                           "QUEUE.DELETE NOTFOUND",
                           "QUEUE.DELETE BADSTATE",
                           "retry of many",
                           "cancel of many",
                           "delete of many",
                           "delete where BADREQ",
                           "edit of many",
                           "edit where BADREQ",
                           "a lease by age",
                           "JOB.COUNT ",
                           "JOB.COUNT BADREQ",
                           "JOB.LIST ",
                           "JOB.LIST BADREQ",
                           "a page of several",
                           "a later page",
                           "JOB.ACK ",
                           "(restart) "}) {
    EXPECT_EQ(reached.count(what), 1U) << what;
  }
}

TEST(RandomLives, AreTheSameForTheSameSeed) {
  Generator one(7);
  Generator two(7);
  Model model(Generator::start());
  Puppet puppet(Generator::start(), 7);
  for (int i = 0; i < 200; ++i) {
    const Planned planned = one.next(model);
    ASSERT_EQ(describe(planned.op), describe(two.next(model).op)) << i;
    const Puppet::Seen seen = puppet.perform(planned.op, planned.now);
    ASSERT_FALSE(model.check(planned.op, planned.now, seen.reply, seen.answers));
    ASSERT_FALSE(model.compare(puppet.snapshot()));
  }
}

}  // namespace
}  // namespace model
