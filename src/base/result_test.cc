#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace base {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorCode::kBadReq, "{} is odd", n);
  return n / 2;
}

Result<std::string> quarter_text(int n) {
  const int quarter = TRY(half(TRY(half(n))));
  return std::to_string(quarter);
}

Status check(int n) {
  TRY(half(n));
  return {};
}

Status check_both(int a, int b) {
  TRY(check(a));
  TRY(check(b));
  return {};
}

Result<std::unique_ptr<int>> owned(int n) {
  auto value = std::make_unique<int>(TRY(half(n)));
  return value;
}

Result<int> pointee(int n) {
  const std::unique_ptr<int> value = TRY(owned(n));
  return *value;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(half(4).value(), 2);
  const Result<int> odd = half(3);
  ASSERT_FALSE(odd.has_value());
  EXPECT_EQ(odd.error(), (Error{ErrorCode::kBadReq, "3 is odd"}));
}

TEST(Result, TryGivesTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter_text(12).value(), "3");
  EXPECT_EQ(quarter_text(6).error().message, "3 is odd");
  EXPECT_EQ(quarter_text(5).error().message, "5 is odd");
}

TEST(Result, TryWorksWithoutAValue) {
  EXPECT_TRUE(check_both(2, 4).has_value());
  EXPECT_EQ(check_both(2, 5).error().message, "5 is odd");
  EXPECT_EQ(check_both(1, 5).error().message, "1 is odd");
}

TEST(Result, TryMovesWhatCannotBeCopied) {
  EXPECT_EQ(pointee(8).value(), 4);
  EXPECT_EQ(pointee(7).error().code, ErrorCode::kBadReq);
}

TEST(Result, ContextStandsBeforeTheMessageAndKeepsTheCode) {
  const Result<int> result = with_context(half(3), "read page 7");
  EXPECT_EQ(result.error(), (Error{ErrorCode::kBadReq, "read page 7: 3 is odd"}));
  EXPECT_EQ(with_context(half(2), "read page 7").value(), 1);
}

TEST(Result, IsBuiltFromAnErrorAndFromAMappedValue) {
  const Result<int> from_error = Error{ErrorCode::kIo, "disk"};
  EXPECT_EQ(from_error.error().code, ErrorCode::kIo);
  const Result<std::string> mapped = half(12).map([](int n) { return std::to_string(n); });
  EXPECT_EQ(mapped.value(), "6");
}

TEST(Result, CanBeIgnoredWithAReason) {
  ignore(half(3), "the test only shows that this compiles");
}

}  // namespace
}  // namespace base
