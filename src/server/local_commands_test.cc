#include "server/local_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "protocol/resp_reply_parser.h"
#include "server/output.h"
#include "server/test_connection.h"
#include "server/version.h"
#include "store/memory/null_journal.h"

namespace server {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class LocalCommands : public testing::Test {
 protected:
  LocalCommands() {
    client_.id = 7;
    client_.peer = "127.0.0.1:5000";
    client_.authenticated = true;
    client_.connected = clock_.wall();
    for (const char* const name : {"default", "shop"}) {
      shards_.push_back(
          std::make_unique<Shard>(Served{name, engine_}, Shard::Ask(), EventFeed::Later()));
    }
    client_.shard = shards_.front().get();
  }

  // The answer as a client in the present version reads it.
  RespValue value(const Words& words) {
    const protocol::CommandSpec* spec = protocol::find_command(words[0]);
    EXPECT_NE(spec, nullptr) << words[0];
    const std::vector<std::string_view> views(words.begin(), words.end());
    const LocalContext context{shards_, clock_, *roll_, started_, 3};
    core::Reply reply;
    const bool verbatim = answer_local(context, client_, *spec, views, reply);
    Output output;
    output.add(reply, client_.version, verbatim, {});
    protocol::RespReplyParser parser;
    EXPECT_EQ(parser.parse(output.pending()), protocol::ReplyStatus::kValue);
    EXPECT_EQ(parser.consumed(), output.size());
    return parser.value();
  }
  std::string call(const Words& words) { return show(value(words)); }

  static std::unique_ptr<auth::Roll> roll_of(const std::string& token) {
    return std::make_unique<auth::Roll>(
        auth::RollOptions{.file = {}, .must_exist = false, .admin_secret = token});
  }

  base::ManualClock clock_;
  base::SystemRandom random_;
  engine::BufferGauge gauge_;
  engine::Engine engine_{std::make_unique<store::NullJournal>(), nullptr, clock_, random_, gauge_};
  Shards shards_;
  base::MonoTime started_ = clock_.mono();
  std::unique_ptr<auth::Roll> roll_ = roll_of("");
  Client client_;
};

TEST_F(LocalCommands, HelloTellsOfTheServer) {
  const std::string told = "server dray version " + std::string(kVersion) +
                           " proto 2 id 7 mode standalone role master modules []";
  EXPECT_EQ(call({"HELLO"}), "[" + told + "]");
  EXPECT_EQ(value({"HELLO", "3"}).kind, protocol::ValueKind::kMap);
  EXPECT_EQ(client_.version, protocol::RespVersion::kResp3);
  EXPECT_THAT(call({"hello"}), HasSubstr("proto 3"));
  EXPECT_EQ(call({"HELLO", "2"}), "[" + told + "]");
}

TEST_F(LocalCommands, HelloRefusesAndChangesNothing) {
  for (const std::string version : {"1", "4", "x", "", "03"}) {
    EXPECT_EQ(call({"HELLO", version}), "(error) NOPROTO unsupported protocol version");
  }
  EXPECT_THAT(call({"HELLO", "3", "SETNAME"}),
              StartsWith("(error) ERR Syntax error in HELLO option"));
  EXPECT_THAT(call({"HELLO", "3", "x\r\ny"}), HasSubstr("'x??y'"));
  EXPECT_THAT(call({"HELLO", "3", "SETNAME", "two words"}), StartsWith("(error) ERR Client names"));
  EXPECT_EQ(client_.version, protocol::RespVersion::kResp2);
  EXPECT_EQ(client_.name, "");
  EXPECT_THAT(call({"HELLO", "3", "setname", "me"}), HasSubstr("proto 3"));
  EXPECT_EQ(client_.name, "me");
}

TEST_F(LocalCommands, AuthComparesTheToken) {
  EXPECT_THAT(call({"AUTH", "x"}), StartsWith("(error) ERR AUTH called without any token"));
  const std::string token = "0123456789abcdef";
  roll_ = roll_of(token);
  client_.authenticated = false;
  const std::string wrong = "(error) WRONGPASS invalid username-password pair or user is disabled.";
  for (const std::string secret :
       {"", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef "}) {
    EXPECT_EQ(call({"AUTH", secret}), wrong);
    EXPECT_EQ(call({"HELLO", "3", "AUTH", "default", secret}), wrong);
  }
  EXPECT_THAT(call({"HELLO", "3"}), StartsWith("(error) NOAUTH "));
  EXPECT_FALSE(client_.authenticated);
  EXPECT_EQ(client_.version, protocol::RespVersion::kResp2);
  EXPECT_EQ(call({"AUTH", token}), "OK");
  EXPECT_TRUE(client_.authenticated);
  EXPECT_EQ(client_.token_id(), "token-file");
  EXPECT_EQ(call({"AUTH", "anyone", token}), "OK");
  EXPECT_THAT(call({"AUTH", "a", token, "b"}), StartsWith("(error) ERR wrong number of arguments"));
}

TEST_F(LocalCommands, ResetForgetsTheClient) {
  roll_ = roll_of("0123456789abcdef");
  client_.principal = roll_->find("", "0123456789abcdef", clock_.wall());
  call({"HELLO", "3", "SETNAME", "me"});
  EXPECT_EQ(call({"RESET"}), "RESET");
  EXPECT_EQ(client_.name, "");
  EXPECT_EQ(client_.version, protocol::RespVersion::kResp2);
  EXPECT_FALSE(client_.authenticated);
  EXPECT_EQ(client_.principal, nullptr);
  roll_ = roll_of("");
  EXPECT_EQ(call({"RESET"}), "RESET");
  EXPECT_TRUE(client_.authenticated);
}

TEST_F(LocalCommands, SmallOnesAnswerAsRedisDoes) {
  EXPECT_EQ(call({"PING"}), "PONG");
  EXPECT_EQ(call({"PING", "a b"}), "a b");
  EXPECT_EQ(call({"ECHO", std::string("\0\r\n", 3)}), std::string("\0\r\n", 3));
  EXPECT_EQ(call({"SELECT", "0"}), "OK");
  EXPECT_EQ(call({"SELECT", "default"}), "OK");
  EXPECT_THAT(call({"SELECT", "1"}), StartsWith("(error) ERR DB index is out of range"));
  EXPECT_EQ(call({"UNWATCH"}), "OK");
  EXPECT_THAT(call({"WATCH", "k"}), HasSubstr("ONCE.CLAIM"));
  EXPECT_THAT(call({"ECHO"}), StartsWith("(error) ERR wrong number of arguments for 'echo'"));
  EXPECT_THAT(call({"SUBSCRIBE", "x"}), StartsWith("(error) NOTYET "));
  clock_.set_wall(base::WallTime{1'700'000'000'123});
  EXPECT_EQ(call({"TIME"}), "[1700000000 123000]");
  EXPECT_FALSE(client_.quits);
  EXPECT_EQ(call({"QUIT"}), "OK");
  EXPECT_TRUE(client_.quits);
}

TEST_F(LocalCommands, ATokenOfOneNamespaceLearnsNothingOfOthers) {
  auto bound = std::make_shared<auth::Principal>();
  bound->job_namespace = "shop";
  client_.principal = bound;
  client_.shard = find_shard(shards_, "shop");
  EXPECT_EQ(call({"SELECT", "shop"}), "OK");
  const std::string refusal =
      " this token is for shop: use another token, or make one for it "
      "(dray token create --namespace)";
  EXPECT_EQ(call({"SELECT", "0"}), "(error) NOPERM namespace=default" + refusal);
  EXPECT_EQ(call({"SELECT", "nowhere"}), "(error) NOPERM namespace=nowhere" + refusal);
  EXPECT_EQ(client_.shard->name, "shop");
  EXPECT_EQ(call({"NAMESPACE.LIST"}), "[[name shop jobs 0 queues 0 keys 0]]");
}

TEST_F(LocalCommands, ALoginBeginsInTheNamespaceOfTheToken) {
  const std::string token = "0123456789abcdef";
  roll_ = roll_of(token);
  call({"SELECT", "shop"});
  EXPECT_THAT(call({"HELLO", "3", "AUTH", "x", token, "NONSENSE"}), StartsWith("(error) ERR"));
  EXPECT_EQ(client_.principal, nullptr);
  EXPECT_EQ(client_.shard->name, "shop");
  client_.stays = true;
  EXPECT_THAT(call({"AUTH", token}), StartsWith("(error) ERR this connection is subscribed"));
  client_.stays = false;
  EXPECT_EQ(call({"AUTH", token}), "OK");
  EXPECT_EQ(client_.shard->name, "default");
}

TEST_F(LocalCommands, ClientNamesAreSeenInClientInfo) {
  EXPECT_EQ(call({"CLIENT", "ID"}), "7");
  EXPECT_EQ(call({"CLIENT", "GETNAME"}), "nil");
  EXPECT_EQ(call({"CLIENT", "SETNAME", "me"}), "OK");
  EXPECT_EQ(call({"CLIENT", "SETINFO", "LIB-NAME", "ioredis"}), "OK");
  EXPECT_EQ(call({"client", "setinfo", "lib-ver", "5.11.1"}), "OK");
  clock_.advance(base::Duration{5'500});
  EXPECT_EQ(call({"CLIENT", "INFO"}),
            "id=7 addr=127.0.0.1:5000 name=me age=5 lib-name=ioredis lib-ver=5.11.1 resp=2 "
            "tot-cmds=0 namespace=default\n");
  EXPECT_EQ(call({"CLIENT", "GETNAME"}), "me");
  EXPECT_EQ(call({"CLIENT", "SETNAME", ""}), "OK");
  EXPECT_EQ(call({"CLIENT", "GETNAME"}), "nil");
}

TEST_F(LocalCommands, ClientNamesHaveNoSpaces) {
  const std::string bad[] = {"two words", "line\n", "\x01", "\xc3\xa9", std::string(129, 'x')};
  for (const std::string& name : bad) {
    EXPECT_THAT(call({"CLIENT", "SETNAME", name}), StartsWith("(error) ERR Client names cannot"));
    EXPECT_THAT(call({"CLIENT", "SETINFO", "LIB-NAME", name}),
                StartsWith("(error) ERR lib-name cannot contain"));
  }
  EXPECT_EQ(client_.name + client_.library, "");
  EXPECT_THAT(call({"CLIENT", "SETINFO", "OTHER", "x"}), HasSubstr("Unrecognized option 'OTHER'"));
  EXPECT_THAT(call({"CLIENT", "SETINFO", "LIB-NAME"}), HasSubstr("wrong number of arguments"));
  EXPECT_EQ(call({"CLIENT", "NOSUCH"}),
            "(error) ERR unknown subcommand 'NOSUCH'. Try COMMAND DOCS CLIENT.");
}

TEST_F(LocalCommands, ConfigGetMatchesPatterns) {
  EXPECT_EQ(call({"CONFIG", "GET", "appendonly"}), "[appendonly yes]");
  EXPECT_EQ(call({"CONFIG", "GET", "append*"}), "[appendfsync always appendonly yes]");
  EXPECT_EQ(call({"CONFIG", "GET", "*e", "s?ve"}), "[save ]");
  EXPECT_EQ(value({"CONFIG", "GET", "*"}).items.size(), 10u);
  EXPECT_EQ(call({"CONFIG", "GET", "nothing"}), "[]");
  EXPECT_EQ(call({"CONFIG", "GET", std::string(100'000, '*') + "x"}), "[]");
  EXPECT_THAT(call({"CONFIG", "SET", "save", "1"}), StartsWith("(error) ERR unknown subcommand"));
}

TEST_F(LocalCommands, InfoHasWhatClientsLookFor) {
  clock_.advance(base::Duration{61'000});
  const std::string info = call({"INFO"});
  for (const std::string line :
       {"redis_version:7.2.0", "redis_mode:standalone", "loading:0", "role:master",
        "maxmemory_policy:noeviction", "connected_clients:3", "uptime_in_seconds:61"}) {
    EXPECT_THAT(info, HasSubstr("\r\n" + line + "\r\n"));
  }
  EXPECT_EQ(value({"INFO"}).kind, protocol::ValueKind::kBulk);
  call({"HELLO", "3"});
  EXPECT_EQ(value({"INFO"}).kind, protocol::ValueKind::kVerbatim);
  EXPECT_EQ(value({"CLIENT", "INFO"}).kind, protocol::ValueKind::kVerbatim);
  EXPECT_EQ(value({"CLIENT", "ID"}).kind, protocol::ValueKind::kInteger);
}

TEST_F(LocalCommands, CommandDescribesWhatIsBuilt) {
  EXPECT_GT(value({"COMMAND", "COUNT"}).integer, 30);
  const RespValue docs = value({"COMMAND", "DOCS", "job.push"});
  ASSERT_EQ(docs.items.size(), 2u);
  EXPECT_THAT(show(*docs.items[1].find("summary")), StartsWith("Stores a job"));
}

}  // namespace
}  // namespace server
