#include "auth/authorise.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "auth/token.h"
#include "protocol/decode.h"

namespace auth {
namespace {

using protocol::AccessOn;

// A form of every command that is built and goes to the engine. Its queue, job or key is `q`.
const std::vector<std::string> kForms = {
    "JOB.PUSH q t a",
    "JOB.MPUSH 1 q t a 0",
    "JOB.FETCH w QUEUES 1 q",
    "JOB.ACK key:q 0000000C0000000000000000AB",
    "JOB.MACK 1 key:q 0000000C0000000000000000AB 0 r",
    "JOB.FAIL key:q 0000000C0000000000000000AB c m",
    "JOB.RELEASE key:q 0000000C0000000000000000AB",
    "JOB.EXTEND key:q 0000000C0000000000000000AB 1000",
    "JOB.PROGRESS key:q 0000000C0000000000000000AB d",
    "JOB.LOG key:q 0000000C0000000000000000AB INFO m",
    "JOB.EDIT key:q PRIORITY 1",
    "JOB.GET key:q",
    "JOB.WAIT 1 key:q BLOCK 1",
    "JOB.RETRY IDS 1 key:q",
    "JOB.CANCEL IDS 1 key:q",
    "JOB.DELETE IDS 1 key:q",
    "WORKER.BEAT w LEASES 1 key:q 0000000C0000000000000000AB",
    "WORKER.BYE w LEASES 1 key:q 0000000C0000000000000000AB",
    "WORKER.LIST",
    "WORKER.QUIET w",
    "WORKER.STOP w",
    "TYPE.PAUSE t",
    "TYPE.RESUME t",
    "QUEUE.SET q MAXLEN 1",
    "QUEUE.LIST",
    "QUEUE.STATS q",
    "QUEUE.PAUSE q",
    "QUEUE.RESUME q",
    "SET q v",
    "GET q",
    "MGET q",
    "DEL q",
    "EXISTS q",
    "EXPIRE q 1",
    "PEXPIRE q 1",
    "TTL q",
    "PTTL q",
    "PERSIST q",
    "INCR q",
    "INCRBY q 1",
    "DECR q",
    "DECRBY q 1",
    "TYPE q",
    "HSET q f v",
    "HSETNX q f v",
    "HGET q f",
    "HMGET q f",
    "HGETALL q",
    "HDEL q f",
    "HEXISTS q f",
    "HLEN q",
    "HKEYS q",
    "HVALS q",
    "HINCRBY q f 1",
    "HINCRBYFLOAT q f 1",
    "SCAN 0",
    "DBSIZE",
    "JOB.LIST",
    "JOB.COUNT",
    "OP.GET q",
    "OP.LIST",
    "OP.CANCEL q",
    "OP.WAIT q BLOCK 1",
    "QUEUE.PURGE q",
    "QUEUE.DELETE q",
    "EVENT.READ $",
};

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t size = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, size));
    line.remove_prefix(std::min(size + 1, line.size()));
  }
  return words;
}

const protocol::CommandSpec& spec_of(std::string_view line) {
  return *protocol::find_command(words_of(line)[0]);
}

core::Rights rights_of(const std::vector<std::string>& scopes) {
  core::Rights rights;
  for (const std::string& text : scopes) {
    const Scope scope = parse_scope(text).value();
    rights.grant(scope.right, scope.name, scope.is_prefix);
  }
  return rights;
}

// Both questions, as a transport asks them.
base::Status decide(std::string_view line, const core::Rights& rights) {
  const std::vector<std::string_view> words = words_of(line);
  const protocol::CommandSpec& spec = spec_of(line);
  TRY(may_ask(spec, rights));
  core::Command command = TRY(protocol::decode(spec, words));
  return may_do(spec, rights, command);
}

core::RightSet admin_and(core::RightSet need) {
  return need | set_of(core::Right::kAdmin);
}

TEST(Authorise, EveryBuiltCommandOfTheEngineHasAForm) {
  std::map<std::string_view, int> forms;
  for (const std::string& form : kForms) ++forms[spec_of(form).name];
  for (const protocol::CommandSpec& spec : protocol::table::kCommands) {
    if (spec.built && !spec.local()) {
      EXPECT_EQ(forms[spec.name], 1) << spec.name;
    }
  }
}

TEST(Authorise, NothingIsAllowedWithoutScopes) {
  for (const std::string& form : kForms) {
    const base::Status decided = decide(form, core::Rights{});
    ASSERT_FALSE(decided) << form;
    EXPECT_EQ(decided.error().code, base::ErrorCode::kNoPerm);
    EXPECT_TRUE(decided.error().message.starts_with("need=")) << decided.error().message;
  }
}

TEST(Authorise, ExactlyTheRightsOfTheTableAreEnough) {
  for (const std::string& form : kForms) {
    for (size_t i = 0; i < core::kRightCount; ++i) {
      const auto right = static_cast<core::Right>(i);
      const std::string scope = std::string(core::right_name(right)) + ":*";
      const bool wanted = (admin_and(spec_of(form).need) & set_of(right)) != 0;
      EXPECT_EQ(decide(form, rights_of({scope})).has_value(), wanted) << form << " " << scope;
    }
  }
}

TEST(Authorise, ARightOnTheNamedQueueOrKeyIsEnoughAndOnAnotherIsNot) {
  for (const std::string& form : kForms) {
    const AccessOn on = spec_of(form).access_on;
    const bool by_name = on == AccessOn::kQueue || on == AccessOn::kKey;
    EXPECT_EQ(decide(form, rights_of({"admin:q"})).has_value(), on != AccessOn::kAll) << form;
    EXPECT_EQ(decide(form, rights_of({"admin:other"})).has_value(),
              !by_name && on != AccessOn::kAll)
        << form;
  }
}

TEST(Authorise, EachNameOfSeveralHasToBeAllowed) {
  const core::Rights rights = rights_of({"admin:q*"});
  EXPECT_TRUE(decide("JOB.FETCH w QUEUES 2 q q2", rights));
  EXPECT_FALSE(decide("JOB.FETCH w QUEUES 2 q other", rights));
  EXPECT_FALSE(decide("JOB.MPUSH 2 q t a 0 other t a 0", rights));
  EXPECT_FALSE(decide("MGET q other", rights));
  const base::Status refused = decide("DEL q other", rights);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.substr(0, 28), "need=enqueue|work key=other ");
}

TEST(Authorise, CommandsByIdSeeTheJobsOfTheTokensQueuesOnly) {
  const core::Rights rights = rights_of({"admin:q"});
  for (const std::string& form : kForms) {
    if (spec_of(form).access_on != AccessOn::kJob) continue;
    const std::vector<std::string_view> words = words_of(form);
    core::Command command = protocol::decode(spec_of(form), words).value();
    ASSERT_TRUE(may_do(spec_of(form), rights, command)) << form;
    // The names are those that the references were given their sight with.
    size_t jobs = 0;
    visit_names(command, [&](Named kind, std::string_view name) {
      EXPECT_EQ(kind, Named::kJob) << form;
      EXPECT_EQ(name, "key:q") << form;
      ++jobs;
    });
    EXPECT_EQ(jobs, 1U) << form;
    const core::JobRef* reference = nullptr;
    if (const auto* get = std::get_if<core::Get>(&command.body)) reference = &get->job;
    if (const auto* bulk = std::get_if<core::Bulk>(&command.body)) reference = bulk->jobs.data();
    if (const auto* ack = std::get_if<core::Ack>(&command.body)) reference = &ack->item.job;
    if (reference == nullptr) continue;
    EXPECT_TRUE(reference->sight.sees("q")) << form;
    EXPECT_FALSE(reference->sight.sees("other")) << form;
  }
}

TEST(Authorise, AMovedJobNeedsTheRightOnTheQueueItGoesTo) {
  const std::string line = "JOB.EDIT key:q QUEUE other";
  EXPECT_EQ(decide(line, rights_of({"admin:q"})).error().message.substr(0, 23),
            "need=admin queue=other ");
  EXPECT_TRUE(decide(line, rights_of({"admin:q", "admin:other"})));
}

TEST(Authorise, AVerbByQueryIsOverAllQueues) {
  for (const std::string line :
       {"JOB.RETRY WHERE state:dead", "JOB.CANCEL WHERE queue:q", "JOB.DELETE WHERE queue:q DRYRUN",
        "JOB.EDIT QUEUE q WHERE queue:q"}) {
    EXPECT_FALSE(decide(line, rights_of({"admin:q*"}))) << line;
    EXPECT_TRUE(decide(line, rights_of({"admin:*"}))) << line;
  }
}

TEST(Authorise, WhatACommandNamesIsTold) {
  using Names = std::vector<std::string>;
  const auto names = [](std::string_view line) {
    const std::vector<std::string_view> words = words_of(line);
    const core::Command command = protocol::decode(spec_of(line), words).value();
    Names told;
    visit_names(command, [&](Named, std::string_view name) { told.emplace_back(name); });
    return told;
  };
  EXPECT_EQ(names("JOB.CANCEL IDS 2 0000000000007 key:order-1"),
            (Names{"0000000000007", "key:order-1"}));
  EXPECT_EQ(names("JOB.EDIT key:a QUEUE b"), (Names{"key:a", "b"}));
  EXPECT_EQ(names("JOB.EDIT WHERE queue:a QUEUE b"), (Names{"*", "b"}));
  EXPECT_EQ(names("WORKER.STOP w"), Names{"w"});
  EXPECT_EQ(names("TYPE.PAUSE t QUEUE q"), (Names{"t", "q"}));
  EXPECT_EQ(names("OP.CANCEL op-1"), Names{"op-1"});
}

TEST(Authorise, TheRefusalShowsNoControlCharacters) {
  const protocol::CommandSpec& spec = *protocol::find_command("QUEUE.PAUSE");
  const core::Rights rights = rights_of({"admin:q"});
  core::Command command{core::QueuePause{"a\r\n-ERR\x1b", ""}};
  const base::Status decided = may_do(spec, rights, command);
  ASSERT_FALSE(decided);
  EXPECT_EQ(decided.error().message.find_first_of("\r\n\x1b"), std::string::npos);
}

}  // namespace
}  // namespace auth
