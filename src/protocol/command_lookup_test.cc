#include "protocol/command_lookup.h"

#include <gtest/gtest.h>

#include <set>

#include "protocol/text.h"

namespace protocol {
namespace {

using Words = std::vector<std::string_view>;

TEST(CommandLookup, FindsEveryCommandInAnyCase) {
  for (const CommandSpec& spec : table::kCommands) {
    EXPECT_EQ(find_command(spec.name), &spec);
    EXPECT_EQ(find_command(lower_case(spec.name)), &spec);
    EXPECT_EQ(&spec_of(spec.id), &spec);
  }
  EXPECT_EQ(find_command("jOb.PuSh"), &spec_of(CommandId::kJobPush));
}

TEST(CommandLookup, FindsNothingElse) {
  for (const CommandSpec& spec : table::kCommands) {
    for (size_t i = 0; i < spec.name.size(); ++i) {
      std::string name(spec.name);
      name[i] = static_cast<char>(name[i] ^ 0x80);
      EXPECT_EQ(find_command(name), nullptr) << name;
    }
    EXPECT_EQ(find_command(std::string(spec.name) + '\0'), nullptr);
    EXPECT_EQ(find_command(std::string(spec.name) + 'X'), nullptr);
  }
  for (const std::string_view name :
       {"", "JOB", "JOB\x0ePUSH", "JOB.PUS", "A.NAME.LONGER.THAN.ALL"}) {
    EXPECT_EQ(find_command(name), nullptr) << name;
  }
}

TEST(CommandLookup, NoCommandIsForeignToo) {
  for (const std::string_view name : table::kForeign) EXPECT_EQ(find_command(name), nullptr);
}

TEST(CommandLookup, AnUnknownCommandGetsRedisText) {
  EXPECT_EQ(unknown_command(Words{"foo", "a", "b"}).message,
            "unknown command 'foo', with args beginning with: ");
  EXPECT_EQ(unknown_command(Words{"f\r\no", "\x01"}).message,
            "unknown command 'f??o', with args beginning with: ");
  EXPECT_EQ(unknown_command(Words{"foo"}).code, base::ErrorCode::kErr);
  const std::string long_word(5000, 'x');
  EXPECT_LT(unknown_command(Words{long_word, long_word, long_word}).message.size(), 600U);
}

TEST(CommandLookup, AForeignCommandIsToldWhatToUseInstead) {
  const auto text = [](Words words) { return unknown_command(words).message; };
  EXPECT_EQ(
      text({"EVALSHA", "abc", "1", "bull:mail:wait"}),
      "dray is not Redis: EVALSHA is not a command here, so BullMQ cannot run on this port as "
      "it is. Jobs are pushed with JOB.PUSH and taken with JOB.FETCH: COMMAND DOCS lists all "
      "commands");
  EXPECT_NE(text({"lpush", "queue:default", "{}"}).find("Sidekiq"), std::string::npos);
  EXPECT_NE(text({"evalsha", "x", "2", "asynq:{default}:pending"}).find("Asynq"),
            std::string::npos);
  EXPECT_NE(text({"EVAL", "x", "1", "{bull}:q"}).find("BullMQ, Sidekiq"), std::string::npos);
  EXPECT_NE(text({"EVAL", "x", "1", "{bull:q}:id"}).find("so BullMQ"), std::string::npos);
  EXPECT_NE(text({"RPUSH", "rq:queue:default", "1"}).find("so RQ"), std::string::npos);
  EXPECT_NE(text({"BRPOP", "celery", "1"}).find("so Celery"), std::string::npos);
  EXPECT_EQ(text({"ZADD", "mine", "1", "x"}),
            "dray is not Redis: ZADD is not a command here; BullMQ, Sidekiq, RQ, Asynq and Celery "
            "cannot run on this port as they are. Jobs are pushed with JOB.PUSH and taken with "
            "JOB.FETCH: COMMAND DOCS lists all commands");
}

TEST(CommandLookup, AnUnknownSubcommandIsNamed) {
  EXPECT_EQ(unknown_subcommand(spec_of(CommandId::kClient), "X").message,
            "unknown subcommand 'X'. Try COMMAND DOCS CLIENT.");
}

TEST(CommandLookup, ChecksTheNumberOfWords) {
  const auto fits = [](Words words) {
    return check_arity(*find_command(words[0]), words).has_value();
  };
  EXPECT_TRUE(fits({"JOB.GET", "x"}));
  EXPECT_FALSE(fits({"JOB.GET"}));
  EXPECT_FALSE(fits({"JOB.GET", "x", "y"}));
  EXPECT_TRUE(fits({"PING"}));
  EXPECT_TRUE(fits({"PING", "x"}));
  EXPECT_FALSE(fits({"PING", "x", "y"}));
  EXPECT_TRUE(fits({"JOB.PUSH", "q", "t", "{}", "PRIORITY", "1"}));
  EXPECT_EQ(
      check_arity(spec_of(CommandId::kJobPush), Words{"job.push"}).error(),
      (base::Error{base::ErrorCode::kErr, "wrong number of arguments for 'job.push' command"}));
}

// What the server and the engine rely on.
TEST(CommandTable, HasLanesAndFlagsAsTheRulesSay) {
  const auto lane_of = [](std::string_view name) { return find_command(name)->lane; };
  for (const std::string_view name : {"WORKER.BEAT", "WORKER.BYE", "JOB.ACK", "JOB.MACK",
                                      "JOB.FAIL", "JOB.RELEASE", "JOB.EXTEND", "JOB.PROGRESS"}) {
    EXPECT_EQ(lane_of(name), Lane::kFinish) << name;
  }
  for (const std::string_view name :
       {"JOB.FETCH", "JOB.RETRY", "JOB.CANCEL", "JOB.DELETE", "QUEUE.PAUSE", "QUEUE.RESUME"}) {
    EXPECT_EQ(lane_of(name), Lane::kFetch) << name;
  }
  for (const std::string_view name :
       {"JOB.PUSH", "JOB.MPUSH", "JOB.GET", "JOB.WAIT", "QUEUE.STATS", "SET", "GET", "HGET"}) {
    EXPECT_EQ(lane_of(name), Lane::kPush) << name;
  }
  for (const std::string_view name : {"JOB.LIST", "JOB.COUNT", "QUEUE.LIST", "WORKER.LIST",
                                      "OP.LIST", "EVENT.READ", "SCAN", "HGETALL", "HKEYS"}) {
    EXPECT_EQ(lane_of(name), Lane::kRead) << name;
  }
  std::set<std::string_view> multi;
  std::set<std::string_view> pre_auth;
  for (const CommandSpec& spec : table::kCommands) {
    if (spec.has(command_flag::kMulti) && spec.built) multi.insert(spec.name);
    if (spec.has(command_flag::kPreAuth)) pre_auth.insert(spec.name);
    EXPECT_FALSE(spec.has(command_flag::kMulti) && spec.local()) << spec.name;
  }
  EXPECT_EQ(multi,
            (std::set<std::string_view>{
                "JOB.PUSH",   "JOB.MPUSH", "JOB.ACK", "JOB.FAIL", "JOB.RELEASE", "JOB.PROGRESS",
                "JOB.CANCEL", "JOB.EDIT",  "SET",     "GET",      "MGET",        "DEL",
                "EXISTS",     "EXPIRE",    "PEXPIRE", "TTL",      "PTTL",        "PERSIST",
                "INCR",       "INCRBY",    "DECR",    "DECRBY",   "TYPE",        "HSET",
                "HSETNX",     "HGET",      "HMGET",   "HGETALL",  "HDEL",        "HEXISTS",
                "HLEN",       "HKEYS",     "HVALS",   "HINCRBY",  "HINCRBYFLOAT"}));
  EXPECT_EQ(pre_auth, (std::set<std::string_view>{"HELLO", "AUTH", "QUIT", "RESET"}));
}

}  // namespace
}  // namespace protocol
