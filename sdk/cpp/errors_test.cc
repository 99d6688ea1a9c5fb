#include "dray/errors.h"

#include <gtest/gtest.h>

#include "base/error.h"

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

TEST(Errors, HelpersThrowWhatTheySay) {
  try {
    retry_in(std::chrono::seconds(3), "later");
    FAIL();
  } catch (const JobError& error) {
    EXPECT_EQ(error.failure().retry_in, std::chrono::milliseconds(3'000));
    EXPECT_FALSE(error.failure().permanent);
  }
  try {
    snooze(std::chrono::seconds(4));
    FAIL();
  } catch (const Snooze& snooze) {
    EXPECT_EQ(snooze.delay(), std::chrono::milliseconds(4'000));
  }
  EXPECT_TRUE(PermanentError("no").failure().permanent);
}

}  // namespace
}  // namespace dray
