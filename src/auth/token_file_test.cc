#include "auth/token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace auth {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSum(64, 'a');

class TokenFile : public testing::Test {
 protected:
  TokenFile() {
    std::string pattern = testing::TempDir() + "/tokens-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~TokenFile() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/tokens.toml"; }
  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path()) << text;
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
  }
  static std::string fault(const std::string& text) {
    const auto tokens = parse_tokens(text);
    EXPECT_FALSE(tokens) << text;
    if (tokens) return {};
    EXPECT_EQ(tokens.error().code, ErrorCode::kBadReq);
    return tokens.error().message;
  }

  std::string directory_;
};

Token plain_token(const std::string& id) {
  Token token;
  token.id = id;
  token.name = "mailer";
  token.scopes = {parse_scope("enqueue:emails*").value(), parse_scope("work:*").value()};
  token.created = base::WallTime{1'767'225'600'123};
  token.secrets = {sha256("new"), sha256("old")};
  return token;
}

TEST_F(TokenFile, IsReadAsItIsWritten) {
  std::vector<Token> tokens = {plain_token("one"), plain_token("two")};
  tokens[1].expires = base::WallTime{1'769'904'000'000};
  tokens[1].job_namespace = "shop";
  const auto read = parse_tokens(format_tokens(tokens));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].id, "one");
  EXPECT_EQ((*read)[0].name, "mailer");
  EXPECT_EQ((*read)[0].scopes, tokens[0].scopes);
  EXPECT_EQ((*read)[0].created, tokens[0].created);
  EXPECT_FALSE((*read)[0].expires);
  EXPECT_EQ((*read)[0].secrets, tokens[0].secrets);
  EXPECT_EQ((*read)[1].expires, tokens[1].expires);
  EXPECT_EQ((*read)[1].job_namespace, "shop");
}

TEST_F(TokenFile, ATokenThatNamesNoNamespaceIsForTheDefaultOne) {
  const std::string text = format_tokens({plain_token("one")});
  EXPECT_THAT(text, Not(HasSubstr("namespace")));  // Older versions know no such field.
  EXPECT_EQ(parse_tokens(text)->front().job_namespace, kDefaultNamespace);
}

TEST_F(TokenFile, ANamespaceIsANameOrAll) {
  const std::string head = "[[token]]\nid = \"a\"\nsecrets = [\"" + kSum + "\"]\nnamespace = ";
  EXPECT_EQ(parse_tokens(head + "\"*\"\n")->front().job_namespace, kEveryNamespace);
  EXPECT_THAT(fault(head + "\"a/b\"\n"), HasSubstr("line 4"));
  EXPECT_THAT(fault(head + "1\n"), HasSubstr("line 4"));
}

TEST_F(TokenFile, AZoneIsTakenIntoAccount) {
  const auto read = parse_tokens("[[token]]\nid = \"a\"\nsecrets = [\"" + kSum +
                                 "\"]\nexpires = 2026-01-01T01:00:00+01:00\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ((*read)[0].expires, base::WallTime{1'767'225'600'000});
}

TEST_F(TokenFile, WhatIsWrongIsNamedByItsLineAndNotQuoted) {
  const std::string id = "[[token]]\nid = \"a\"\n";
  const std::string good = id + "secrets = [\"" + kSum + "\"]\n";
  ASSERT_TRUE(parse_tokens(good));
  EXPECT_THAT(fault("canary = = 1\n"), HasSubstr("line 1"));
  EXPECT_THAT(fault("canary = = 1\n"), Not(HasSubstr("canary")));
  EXPECT_THAT(fault("[token]\n"), HasSubstr("only [[token]] is known"));
  EXPECT_THAT(fault(id), HasSubstr("needs an id and secrets"));
  EXPECT_THAT(fault(id + "secrets = [\"canary\"]\n"), Not(HasSubstr("canary")));
  EXPECT_THAT(fault(id + "secrets = []\n"), HasSubstr("line 3: secrets"));
  EXPECT_THAT(fault(good + "scopes = [\"rule:*\"]\n"), HasSubstr("line 4: field=scope"));
  EXPECT_THAT(fault(good + "scopes = \"work:*\"\n"), HasSubstr("a list"));
  EXPECT_THAT(fault(good + "expires = \"tomorrow\"\n"), HasSubstr("a time such as"));
  // A field that is not known could be one that takes rights away.
  EXPECT_THAT(fault(good + "paused = true\n"), HasSubstr("no field 'paused'"));
  EXPECT_THAT(fault(good + good), HasSubstr("twice"));
  EXPECT_THAT(fault("[[token]]\nid = \"a.b\"\nsecrets = [\"" + kSum + "\"]\n"), HasSubstr("dot"));
  EXPECT_THAT(fault("[[token]]\nid = \"a b\"\nsecrets = [\"" + kSum + "\"]\n"),
              HasSubstr("field=id"));
}

TEST_F(TokenFile, IsRefusedWhenOthersCanReadIt) {
  for (const mode_t mode : {0640U, 0604U, 0660U, 0622U}) {
    write("", mode);
    const auto read = read_token_file(path());
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, HasSubstr("chmod 600"));
  }
  write("", 0600);
  EXPECT_TRUE(read_token_file(path()));
}

TEST_F(TokenFile, AMissingFileIsToldApart) {
  EXPECT_EQ(read_token_file(path()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_token_file(directory_).error().code, ErrorCode::kBadReq);
}

TEST_F(TokenFile, AChangeMakesItForItsOwnerOnly) {
  ASSERT_TRUE(change_token_file(path(), [](std::vector<Token>& tokens) -> base::Status {
    tokens.push_back(plain_token("one"));
    return {};
  }));
  struct stat about = {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  ASSERT_TRUE(change_token_file(path(), [](std::vector<Token>& tokens) -> base::Status {
    EXPECT_EQ(tokens.size(), 1U);
    tokens.push_back(plain_token("two"));
    return {};
  }));
  EXPECT_EQ(read_token_file(path())->size(), 2U);
}

TEST_F(TokenFile, AChangeThatIsRefusedLeavesItAsItWas) {
  write(format_tokens({plain_token("one")}));
  const auto refused = change_token_file(path(), [](std::vector<Token>& tokens) -> base::Status {
    tokens.clear();
    return base::fail(ErrorCode::kNotFound, "no");
  });
  EXPECT_FALSE(refused);
  EXPECT_EQ(read_token_file(path())->size(), 1U);
  EXPECT_FALSE(std::filesystem::exists(path() + ".new"));
}

TEST_F(TokenFile, AFileThatIsWrongIsNotOverwritten) {
  write("broken");
  const auto refused = change_token_file(path(), [](std::vector<Token>&) -> base::Status {
    ADD_FAILURE() << "was given nothing to change";
    return {};
  });
  EXPECT_FALSE(refused);
  EXPECT_EQ(std::filesystem::file_size(path()), 6U);
}

}  // namespace
}  // namespace auth
