#include "protocol/command_docs.h"

#include <gtest/gtest.h>

#include "protocol/resp_encoder.h"
#include "protocol/resp_reply_parser.h"

namespace protocol {
namespace {

// What a client reads of the answer.
RespValue answer(const std::vector<std::string_view>& words, RespVersion version) {
  core::Reply reply;
  write_command_reply(words, reply);
  std::string bytes;
  encode_reply(reply.tape(), version, bytes);
  RespReplyParser parser;
  EXPECT_EQ(parser.parse(bytes), ReplyStatus::kValue);
  EXPECT_EQ(parser.consumed(), bytes.size());
  return std::move(parser.value());
}

size_t built_count() {
  size_t count = 0;
  for (const CommandSpec& spec : table::kCommands) count += spec.built ? 1 : 0;
  return count;
}

TEST(CommandDocs, DescribesACommandInBothVersions) {
  for (const RespVersion version : {RespVersion::kResp2, RespVersion::kResp3}) {
    const RespValue docs = answer({"COMMAND", "DOCS", "JOB.Push"}, version);
    EXPECT_EQ(docs.kind, version == RespVersion::kResp2 ? ValueKind::kArray : ValueKind::kMap);
    const RespValue* push = docs.find("job.push");
    ASSERT_NE(push, nullptr);
    EXPECT_EQ(push->find("group")->text, "jobs");
    EXPECT_FALSE(push->find("summary")->text.empty());
    EXPECT_FALSE(push->find("since")->text.empty());
    const RespValue* arguments = push->find("arguments");
    ASSERT_NE(arguments, nullptr);
    EXPECT_EQ(arguments->items[0].find("name")->text, "queue");
    EXPECT_EQ(arguments->items[3].find("token")->text, "PRIORITY");
    EXPECT_EQ(arguments->items[3].find("type")->text, "integer");
    EXPECT_EQ(arguments->items[3].find("flags")->items[0].text, "optional");
    const RespValue& delay_or_at = arguments->items[4];
    EXPECT_EQ(delay_or_at.find("type")->text, "oneof");
    EXPECT_EQ(delay_or_at.find("arguments")->items[1].find("token")->text, "AT");
  }
}

TEST(CommandDocs, ListsWhatIsBuiltAndNothingElse) {
  const RespValue docs = answer({"COMMAND", "DOCS"}, RespVersion::kResp3);
  EXPECT_EQ(docs.items.size(), 2 * built_count());
  EXPECT_EQ(docs.find("job.why"), nullptr);
  EXPECT_TRUE(answer({"COMMAND", "DOCS", "JOB.WHY", "NONE"}, RespVersion::kResp3).items.empty());
  EXPECT_EQ(answer({"COMMAND", "COUNT"}, RespVersion::kResp2).integer,
            static_cast<int64_t>(built_count()));
  EXPECT_EQ(answer({"COMMAND", "LIST"}, RespVersion::kResp2).items.size(), built_count());
  EXPECT_EQ(answer({"COMMAND"}, RespVersion::kResp2).items.size(), built_count());
  EXPECT_EQ(answer({"COMMAND", "INFO"}, RespVersion::kResp2).items.size(), built_count());
}

TEST(CommandDocs, InfoHasTheTenFieldsOfRedis) {
  const RespValue info = answer({"COMMAND", "INFO", "job.fetch", "nope"}, RespVersion::kResp2);
  ASSERT_EQ(info.items.size(), 2U);
  EXPECT_TRUE(info.items[1].is_nil());
  const RespValue& fetch = info.items[0];
  ASSERT_EQ(fetch.items.size(), 10U);
  EXPECT_EQ(fetch.items[0].text, "job.fetch");
  EXPECT_EQ(fetch.items[1].integer, -5);
  ASSERT_EQ(fetch.items[2].items.size(), 2U);
  EXPECT_EQ(fetch.items[2].items[0].text, "write");
  EXPECT_EQ(fetch.items[2].items[1].text, "blocking");
  EXPECT_EQ(fetch.items[3].integer, 0);
}

TEST(CommandDocs, GetKeysNamesTheKeys) {
  const RespValue keys = answer({"COMMAND", "GETKEYS", "WATCH", "a", "b"}, RespVersion::kResp2);
  ASSERT_EQ(keys.items.size(), 2U);
  EXPECT_EQ(keys.items[1].text, "b");
  EXPECT_EQ(answer({"COMMAND", "GETKEYS", "GET", "a"}, RespVersion::kResp2).items.size(), 1U);
}

TEST(CommandDocs, WritesNoMoreEntriesThanAReplyShouldHave) {
  for (const std::string_view subcommand : {"DOCS", "INFO"}) {
    std::vector<std::string_view> words(1'002, "job.push");
    words[0] = "COMMAND";
    words[1] = subcommand;
    EXPECT_EQ(answer(words, RespVersion::kResp3).kind,
              subcommand == "DOCS" ? ValueKind::kMap : ValueKind::kArray);
    words.emplace_back("job.push");
    const RespValue refused = answer(words, RespVersion::kResp3);
    EXPECT_TRUE(refused.is_error());
    EXPECT_EQ(refused.text.find("TOOBIG limit=1000 got=1001 names"), 0U) << refused.text;
  }
}

TEST(CommandDocs, RefusesAsRedisDoes) {
  const auto error = [](const std::vector<std::string_view>& words) {
    return answer(words, RespVersion::kResp2).text;
  };
  EXPECT_EQ(error({"COMMAND", "GETKEYS", "JOB.GET", "x"}), "ERR The command has no key arguments");
  EXPECT_EQ(error({"COMMAND", "GETKEYS", "NOPE"}), "ERR Invalid command specified");
  EXPECT_EQ(error({"COMMAND", "GETKEYS", "GET"}),
            "ERR Invalid number of arguments specified for command");
  EXPECT_EQ(error({"COMMAND", "COUNT", "x"}),
            "ERR wrong number of arguments for 'command|count' command");
  EXPECT_EQ(error({"COMMAND", "NOPE"}), "ERR unknown subcommand 'NOPE'. Try COMMAND DOCS COMMAND.");
}

}  // namespace
}  // namespace protocol
