#include "protocol/decode.h"

#include <gtest/gtest.h>

#include <map>

#include "protocol/decode_fixture.h"

namespace protocol {
namespace {

// One line for each command that goes to the engine, and the kind of command that comes of it.
const std::map<std::string_view, std::pair<std::string_view, size_t>>& samples() {
  const auto kind = [](const core::CommandBody& body) { return body.index(); };
  static const std::map<std::string_view, std::pair<std::string_view, size_t>> kSamples = {
      {"JOB.PUSH", {"JOB.PUSH q t {}", kind(core::Push{})}},
      {"JOB.MPUSH", {"JOB.MPUSH 1 q t {} 0", kind(core::PushMany{})}},
      {"JOB.FETCH", {"JOB.FETCH w QUEUES 1 q", kind(core::Fetch{})}},
      {"JOB.ACK", {"JOB.ACK $id $token", kind(core::Ack{})}},
      {"JOB.MACK", {"JOB.MACK 1 $id $token 0 x", kind(core::AckMany{})}},
      {"JOB.FAIL", {"JOB.FAIL $id $token c m", kind(core::Fail{})}},
      {"JOB.RELEASE", {"JOB.RELEASE $id $token", kind(core::Release{})}},
      {"JOB.EXTEND", {"JOB.EXTEND $id $token 1", kind(core::Extend{})}},
      {"JOB.PROGRESS", {"JOB.PROGRESS $id $token 1", kind(core::Progress{})}},
      {"JOB.LOG", {"JOB.LOG $id $token info text", kind(core::Log{})}},
      {"JOB.EDIT", {"JOB.EDIT $id", kind(core::Edit{})}},
      {"JOB.GET", {"JOB.GET $id", kind(core::Get{})}},
      {"JOB.WAIT", {"JOB.WAIT 1 $id BLOCK 1", kind(core::Wait{})}},
      {"JOB.RETRY", {"JOB.RETRY IDS 1 $id", kind(core::Bulk{})}},
      {"JOB.CANCEL", {"JOB.CANCEL IDS 1 $id", kind(core::Bulk{})}},
      {"JOB.DELETE", {"JOB.DELETE IDS 1 $id", kind(core::Bulk{})}},
      {"JOB.LIST", {"JOB.LIST", kind(core::ListJobs{})}},
      {"JOB.COUNT", {"JOB.COUNT", kind(core::CountJobs{})}},
      {"OP.GET", {"OP.GET op-1", kind(core::OperationGet{})}},
      {"OP.LIST", {"OP.LIST", kind(core::OperationList{})}},
      {"OP.CANCEL", {"OP.CANCEL op-1", kind(core::OperationCancel{})}},
      {"OP.WAIT", {"OP.WAIT op-1 BLOCK 1", kind(core::OperationWait{})}},
      {"EVENT.READ", {"EVENT.READ $", kind(core::EventRead{})}},
      {"QUEUE.PURGE", {"QUEUE.PURGE q", kind(core::OperationStart{})}},
      {"QUEUE.DELETE", {"QUEUE.DELETE q", kind(core::OperationStart{})}},
      {"WORKER.BEAT", {"WORKER.BEAT w LEASES 0", kind(core::WorkerBeat{})}},
      {"WORKER.BYE", {"WORKER.BYE w LEASES 0", kind(core::WorkerBye{})}},
      {"WORKER.LIST", {"WORKER.LIST", kind(core::WorkerList{})}},
      {"WORKER.QUIET", {"WORKER.QUIET w", kind(core::WorkerTell{})}},
      {"WORKER.STOP", {"WORKER.STOP w", kind(core::WorkerTell{})}},
      {"QUEUE.LIST", {"QUEUE.LIST", kind(core::QueueList{})}},
      {"QUEUE.STATS", {"QUEUE.STATS q", kind(core::QueueStats{})}},
      {"QUEUE.PAUSE", {"QUEUE.PAUSE q", kind(core::QueuePause{})}},
      {"QUEUE.RESUME", {"QUEUE.RESUME q", kind(core::QueueResume{})}},
      {"QUEUE.SET", {"QUEUE.SET q", kind(core::QueueSet{})}},
      {"TYPE.PAUSE", {"TYPE.PAUSE t", kind(core::TypePause{})}},
      {"TYPE.RESUME", {"TYPE.RESUME t", kind(core::TypeResume{})}},
      {"SET", {"SET k v", kind(core::KeySet{})}},
      {"GET", {"GET k", kind(core::KeyGet{})}},
      {"MGET", {"MGET k", kind(core::KeysGet{})}},
      {"DEL", {"DEL k", kind(core::KeysDelete{})}},
      {"EXISTS", {"EXISTS k", kind(core::KeysExist{})}},
      {"EXPIRE", {"EXPIRE k 1", kind(core::KeyExpire{})}},
      {"PEXPIRE", {"PEXPIRE k 1", kind(core::KeyExpire{})}},
      {"TTL", {"TTL k", kind(core::KeyTimeLeft{})}},
      {"PTTL", {"PTTL k", kind(core::KeyTimeLeft{})}},
      {"PERSIST", {"PERSIST k", kind(core::KeyPersist{})}},
      {"INCR", {"INCR k", kind(core::KeyAdd{})}},
      {"INCRBY", {"INCRBY k 1", kind(core::KeyAdd{})}},
      {"DECR", {"DECR k", kind(core::KeyAdd{})}},
      {"DECRBY", {"DECRBY k 1", kind(core::KeyAdd{})}},
      {"SCAN", {"SCAN 0", kind(core::KeyScan{})}},
      {"DBSIZE", {"DBSIZE", kind(core::KeyCount{})}},
      {"TYPE", {"TYPE k", kind(core::KeyType{})}},
      {"HSET", {"HSET k f v", kind(core::HashSet{})}},
      {"HSETNX", {"HSETNX k f v", kind(core::HashSet{})}},
      {"HGET", {"HGET k f", kind(core::HashGet{})}},
      {"HMGET", {"HMGET k f", kind(core::HashGetMany{})}},
      {"HGETALL", {"HGETALL k", kind(core::HashAll{})}},
      {"HKEYS", {"HKEYS k", kind(core::HashAll{})}},
      {"HVALS", {"HVALS k", kind(core::HashAll{})}},
      {"HDEL", {"HDEL k f", kind(core::HashDelete{})}},
      {"HEXISTS", {"HEXISTS k f", kind(core::HashHas{})}},
      {"HLEN", {"HLEN k", kind(core::HashSize{})}},
      {"HINCRBY", {"HINCRBY k f 1", kind(core::HashAdd{})}},
      {"HINCRBYFLOAT", {"HINCRBYFLOAT k f 1.5", kind(core::HashAddFloat{})}},
  };
  return kSamples;
}

TEST(Decode, EveryBuiltCommandOfTheEngineIsDecoded) {
  for (const CommandSpec& spec : table::kCommands) {
    if (!spec.built || spec.local()) continue;
    const auto sample = samples().find(spec.name);
    ASSERT_NE(sample, samples().end()) << spec.name << " has no sample";
    const auto command = decode_line(sample->second.first);
    ASSERT_TRUE(command.has_value()) << spec.name << ": " << command.error().message;
    EXPECT_EQ(command->body.index(), sample->second.second) << spec.name;
  }
}

TEST(Decode, EveryOtherCommandAnswersNotYet) {
  for (const CommandSpec& spec : table::kCommands) {
    if (spec.built) continue;
    const std::vector<std::string_view> words = {spec.name, "a", "b"};
    const auto command = decode(spec, words);
    ASSERT_FALSE(command.has_value()) << spec.name;
    EXPECT_EQ(command.error(),
              (base::Error{base::ErrorCode::kNotYet,
                           std::string(spec.name) + " is known but not built yet"}));
  }
}

// Each prefix of a sample is either a command or an error, and never reads behind its end.
TEST(Decode, SurvivesEveryPrefix) {
  for (const auto& [name, sample] : samples()) {
    const std::vector<std::string_view> all = words_of_line(sample.first);
    for (size_t size = 1; size <= all.size(); ++size) {
      const std::vector<std::string_view> words(all.begin(),
                                                all.begin() + static_cast<ptrdiff_t>(size));
      EXPECT_EQ(decode(*find_command(name), words).has_value(), size == all.size()) << name;
    }
  }
}

}  // namespace
}  // namespace protocol
