#include "dray/errors.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "sdk/cpp/throw_error.h"

namespace dray {
namespace {

TEST(Errors, EveryCodeOfTheServerHasOneHere) {
  for (size_t i = 0; i < base::kErrorCodeCount; ++i) {
    const auto code = static_cast<base::ErrorCode>(i);
    if (code == base::ErrorCode::kIo) continue;  // Never leaves the server.
    const Error error(base::error_word(code), "x");
    EXPECT_NE(error.code(), ErrorCode::kOther) << base::error_word(code);
    EXPECT_EQ(error.word(), base::error_word(code));
  }
}

TEST(Errors, WordOfANewerServerIsKept) {
  const Error error("NOVELTY", "what is this");
  EXPECT_EQ(error.code(), ErrorCode::kOther);
  EXPECT_STREQ(error.what(), "NOVELTY what is this");
}

TEST(Errors, RetryAfterIsReadFromTheMessage) {
  EXPECT_EQ(Error(ErrorCode::kOverloaded, "retry_ms=250 limit=3").retry_after(),
            std::chrono::milliseconds(250));
  EXPECT_EQ(Error(ErrorCode::kOverloaded, "limit=3").retry_after(), std::nullopt);
  EXPECT_EQ(Error(ErrorCode::kOverloaded, "retry_ms=").retry_after(), std::nullopt);
}

TEST(Errors, WhatHandlersThrowSaysWhatItIs) {
  const RetryLater later(std::chrono::milliseconds(5), "slow down");
  EXPECT_EQ(later.failure().retry_in, std::chrono::milliseconds(5));
  EXPECT_STREQ(later.what(), "slow down");
  EXPECT_FALSE(later.failure().permanent);
  EXPECT_TRUE(BadArgs("no number").failure().permanent);
  EXPECT_EQ(Snooze(std::chrono::milliseconds(6)).delay(), std::chrono::milliseconds(6));
}

TEST(Errors, TheirClassSaysWhetherAnythingMayHaveHappened) {
  using detail::throw_error;
  EXPECT_THROW(throw_error("UNKNOWN", "x"), UnknownError);
  EXPECT_THROW(throw_error(ErrorCode::kInternal, "x"), UnknownError);
  EXPECT_THROW(throw_error(ErrorCode::kUnreachable, "x"), RejectedError);
  EXPECT_THROW(throw_error("LEASELOST", "x"), RejectedError);
  EXPECT_THROW(throw_error("NOVELTY", "x"), RejectedError) << "a server refuses by a word";
}

}  // namespace
}  // namespace dray
