#include "auth/token.h"

#include <gtest/gtest.h>

#include <set>

namespace auth {
namespace {

TEST(Token, ASecretHasAtLeast256RandomBits) {
  base::SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(new_secret(random));
  EXPECT_EQ(seen.size(), 1'000U);
  for (const std::string& secret : seen) {
    EXPECT_GE(secret.size() * 5, 256U);
    EXPECT_EQ(secret.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos);
  }
  EXPECT_EQ(new_id(random).size(), 10U);
}

TEST(Token, TheDigestIsSha256) {
  const Digest digest = sha256("abc");
  EXPECT_EQ(hex_of(digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of_hex(hex_of(digest)), digest);
  EXPECT_TRUE(same_digest(digest, sha256("abc")));
  EXPECT_FALSE(same_digest(digest, sha256("abd")));
}

TEST(Token, WhatIsNoDigestIsRefused) {
  EXPECT_FALSE(digest_of_hex(""));
  EXPECT_FALSE(digest_of_hex(std::string(63, 'a')));
  EXPECT_FALSE(digest_of_hex(std::string(63, 'a') + "A"));
  EXPECT_FALSE(digest_of_hex(std::string(65, 'a')));
}

TEST(Scope, IsReadAsItIsWritten) {
  for (const char* text : {"enqueue:emails", "work:emails*", "admin:*", "read:a.b:c-d_1*"}) {
    const auto scope = parse_scope(text);
    ASSERT_TRUE(scope) << text;
    EXPECT_EQ(scope_text(*scope), text);
  }
}

TEST(Scope, WhatIsNoneIsRefused) {
  for (const char* text : {"", "emails", "write:emails", "work:", "work:a*b", "work:**", "work:a b",
                           "Work:emails", "work:ä", ":emails", "work:a?", "work:[ab]"}) {
    const auto scope = parse_scope(text);
    ASSERT_FALSE(scope) << text;
    EXPECT_EQ(scope.error().code, base::ErrorCode::kBadReq);
    EXPECT_NE(scope.error().message.find("RIGHT:QUEUE"), std::string::npos);
  }
}

TEST(Token, ItsRightsAreThoseOfItsScopes) {
  Token token;
  token.scopes = {*parse_scope("enqueue:emails*"), *parse_scope("work:images")};
  const core::Rights rights = token.rights();
  EXPECT_TRUE(rights.allow(set_of(core::Right::kEnqueue), "emails.fast"));
  EXPECT_FALSE(rights.allow(set_of(core::Right::kWork), "emails.fast"));
  EXPECT_TRUE(rights.allow(set_of(core::Right::kWork), "images"));
  EXPECT_FALSE(rights.allow(set_of(core::Right::kWork), "images2"));
}

}  // namespace
}  // namespace auth
