#include "auth/roll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "auth/token_file.h"

namespace auth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr base::WallTime kNow{1'767'225'600'000};
constexpr const char* kAdminSecret = "0123456789abcdef";

class RollTest : public testing::Test {
 protected:
  RollTest() {
    std::string pattern = testing::TempDir() + "/roll-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~RollTest() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/tokens.toml"; }
  void put(const std::vector<Token>& tokens) const {
    ASSERT_TRUE(change_token_file(path(), [&](std::vector<Token>& held) -> base::Status {
      held = tokens;
      return {};
    }));
  }
  Roll roll(bool must_exist = false) const {
    return Roll({.file = path(), .must_exist = must_exist, .admin_secret = {}});
  }

  std::string directory_;
};

Token token(const std::string& id, const std::vector<std::string>& secrets) {
  Token token;
  token.id = id;
  token.scopes = {parse_scope("work:*").value()};
  for (const std::string& secret : secrets) token.secrets.push_back(sha256(secret));
  return token;
}

TEST_F(RollTest, WithoutTokensNobodyHasToProveAnything) {
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  EXPECT_TRUE(roll.is_public());
  EXPECT_EQ(roll.find("", "x", kNow), nullptr);
}

TEST_F(RollTest, AFileThatWasNamedHasToBeThere) {
  EXPECT_EQ(roll(true).open().error().code, base::ErrorCode::kNotFound);
  Roll beside({.file = path(), .must_exist = true, .admin_secret = kAdminSecret});
  EXPECT_EQ(beside.open().error().code, base::ErrorCode::kNotFound);
}

TEST_F(RollTest, AFileWithoutTokensLetsNobodyIn) {
  put({});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  EXPECT_FALSE(roll.is_public());
}

TEST_F(RollTest, FindsWhomAPasswordBelongsTo) {
  put({token("one", {"secret1"}), token("two", {"secret2"})});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  ASSERT_NE(roll.find("", "one.secret1", kNow), nullptr);
  EXPECT_EQ(roll.find("default", "two.secret2", kNow)->id, "two");
  // As clients send a name and a password.
  EXPECT_EQ(roll.find("one", "secret1", kNow)->id, "one");
  for (const char* wrong : {"", ".", "one", "one.", "one.secret2", "one.secret1x", "nobody.secret1",
                            ".secret1", "one.one.secret1", "secret1"}) {
    EXPECT_EQ(roll.find("", wrong, kNow), nullptr) << wrong;
  }
  EXPECT_EQ(roll.find("two", "secret1", kNow), nullptr);
  EXPECT_EQ(roll.find("nobody", "secret1", kNow), nullptr);
}

TEST_F(RollTest, TheTokenOfTheTokenFileMayDoAll) {
  Roll roll({.file = {}, .must_exist = false, .admin_secret = kAdminSecret});
  ASSERT_TRUE(roll.open());
  EXPECT_FALSE(roll.is_public());
  const PrincipalPtr admin = roll.find("anyone", kAdminSecret, kNow);
  ASSERT_NE(admin, nullptr);
  EXPECT_TRUE(admin->rights.allow_all(set_of(core::Right::kAdmin)));
  EXPECT_TRUE(roll.holds(*admin, kNow));
  EXPECT_EQ(roll.find("", "0123456789abcdee", kNow), nullptr);
}

TEST_F(RollTest, BothSecretsOfARotationAreGood) {
  put({token("one", {"new", "old"})});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  const PrincipalPtr old_one = roll.find("", "one.old", kNow);
  const PrincipalPtr new_one = roll.find("", "one.new", kNow);
  ASSERT_NE(old_one, nullptr);
  ASSERT_NE(new_one, nullptr);
  put({token("one", {"new"})});
  const auto change = roll.refresh();
  ASSERT_TRUE(change);
  EXPECT_THAT(change->removed, ElementsAre("one"));
  EXPECT_THAT(change->added, IsEmpty());
  EXPECT_FALSE(roll.holds(*old_one, kNow));
  EXPECT_TRUE(roll.holds(*new_one, kNow));
  EXPECT_EQ(roll.find("", "one.old", kNow), nullptr);
}

TEST_F(RollTest, ATokenThatIsTakenOutIsNotHeldAndOthersAre) {
  put({token("one", {"s"}), token("two", {"t"})});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  const PrincipalPtr one = roll.find("", "one.s", kNow);
  const PrincipalPtr two = roll.find("", "two.t", kNow);
  put({token("two", {"t"}), token("three", {"u"})});
  const auto change = roll.refresh();
  ASSERT_TRUE(change && change->changed);
  EXPECT_THAT(change->removed, ElementsAre("one"));
  EXPECT_THAT(change->added, ElementsAre("three"));
  EXPECT_FALSE(roll.holds(*one, kNow));
  EXPECT_TRUE(roll.holds(*two, kNow));
}

TEST_F(RollTest, OtherScopesAreAnotherPrincipal) {
  put({token("one", {"s"})});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  const PrincipalPtr before = roll.find("", "one.s", kNow);
  Token changed = token("one", {"s"});
  changed.scopes = {parse_scope("read:*").value()};
  put({changed});
  ASSERT_TRUE(roll.refresh());
  EXPECT_FALSE(roll.holds(*before, kNow));
  EXPECT_FALSE(roll.find("", "one.s", kNow)->rights.allow_some(set_of(core::Right::kWork)));
}

TEST_F(RollTest, AnotherNamespaceIsAnotherPrincipal) {
  put({token("one", {"secret"})});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  const PrincipalPtr before = roll.find("one", "secret", kNow);
  EXPECT_EQ(before->home(), kDefaultNamespace);
  EXPECT_TRUE(before->may_enter(kDefaultNamespace));
  EXPECT_FALSE(before->may_enter("shop"));
  Token moved = token("one", {"secret"});
  moved.job_namespace = "shop";
  put({moved});
  ASSERT_TRUE(roll.refresh());
  EXPECT_FALSE(roll.holds(*before, kNow));
  const PrincipalPtr after = roll.find("one", "secret", kNow);
  EXPECT_EQ(after->home(), "shop");
  EXPECT_TRUE(after->may_enter("shop"));
  EXPECT_FALSE(after->may_enter(kDefaultNamespace));
}

TEST_F(RollTest, ATokenOfAllNamespacesComesIntoTheDefaultOne) {
  Token wide = token("one", {"secret"});
  wide.job_namespace = kEveryNamespace;
  put({wide});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  const PrincipalPtr principal = roll.find("one", "secret", kNow);
  EXPECT_EQ(principal->home(), kDefaultNamespace);
  EXPECT_TRUE(principal->may_enter("shop"));
}

TEST_F(RollTest, ATokenEndsAtItsTime) {
  Token brief = token("one", {"s"});
  brief.expires = kNow + base::Duration{1'000};
  put({brief, token("two", {"t"})});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  EXPECT_FALSE(roll.anything_expired(kNow + base::Duration{999}));
  const PrincipalPtr one = roll.find("", "one.s", kNow);
  ASSERT_NE(one, nullptr);
  EXPECT_TRUE(roll.holds(*one, kNow + base::Duration{999}));
  EXPECT_FALSE(roll.holds(*one, kNow + base::Duration{1'000}));
  EXPECT_EQ(roll.find("", "one.s", kNow + base::Duration{1'000}), nullptr);
  EXPECT_TRUE(roll.anything_expired(kNow + base::Duration{1'000}));
  EXPECT_FALSE(roll.anything_expired(kNow + base::Duration{1'001}));  // It is told once.
}

TEST_F(RollTest, AFileThatWentAwayLeavesTheDoorClosed) {
  put({token("one", {"s"})});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  const PrincipalPtr one = roll.find("", "one.s", kNow);
  std::filesystem::remove(path());
  const auto change = roll.refresh();
  ASSERT_TRUE(change);
  EXPECT_THAT(change->removed, ElementsAre("one"));
  EXPECT_FALSE(roll.is_public());
  EXPECT_FALSE(roll.holds(*one, kNow));
}

TEST_F(RollTest, AFileThatCannotBeReadChangesNothing) {
  put({token("one", {"s"})});
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  std::ofstream(path()) << "broken";
  EXPECT_FALSE(roll.refresh());
  EXPECT_NE(roll.find("", "one.s", kNow), nullptr);
  // It is complained of once.
  const auto again = roll.refresh();
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
  std::filesystem::remove(path());
  put({token("two", {"t"})});
  EXPECT_TRUE(roll.refresh()->changed);
}

TEST_F(RollTest, TheFirstTokenClosesAnOpenDoor) {
  Roll roll = this->roll();
  ASSERT_TRUE(roll.open());
  EXPECT_FALSE(roll.refresh()->changed);
  put({token("one", {"s"})});
  EXPECT_TRUE(roll.refresh()->changed);
  EXPECT_FALSE(roll.is_public());
}

}  // namespace
}  // namespace auth
