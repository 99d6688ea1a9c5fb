#include "sdk/cpp/outcome.h"

#include <gtest/gtest.h>

namespace dray::detail {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;

class CardDeclined : public PermanentError {
  using PermanentError::PermanentError;
};

class NoOwner final : public HeldOwner {
 public:
  void report_progress(const std::shared_ptr<Held>&, std::string) override {}
  Client& client() override { throw Error(ErrorCode::kInternal, "there is none"); }
};

Outcome outcome_when(const Handler& handler) {
  NoOwner owner;
  const auto held = std::make_shared<Held>(LeasedJob{}, owner);
  return run_handler(handler, *held);
}

LeasedJob job() {
  LeasedJob made;
  made.id = "a";
  made.token = "t";
  return made;
}

TEST(Outcome, ReturnIsAnAckWithTheResult) {
  const Outcome outcome = outcome_when([](Context&) { return "done"; });
  EXPECT_EQ(outcome.kind, Kind::kAck);
  EXPECT_EQ(outcome_request(job(), outcome).bytes(),
            request({"JOB.ACK", "a", "t", "RESULT", "done"}));
}

TEST(Outcome, EmptyResultIsAResultAndNoneIsNone) {
  const Outcome empty = outcome_when([](Context&) { return std::string(); });
  EXPECT_EQ(outcome_request(job(), empty).bytes(), request({"JOB.ACK", "a", "t", "RESULT", ""}));
  const Outcome none = outcome_when([](Context&) { return std::nullopt; });
  EXPECT_EQ(outcome_request(job(), none).bytes(), request({"JOB.ACK", "a", "t"}));
}

TEST(Outcome, ExceptionIsAFailureNamedAfterItsType) {
  const Outcome outcome = outcome_when(
      [](Context&) -> std::optional<std::string> { throw std::out_of_range("no such user"); });
  EXPECT_EQ(outcome_request(job(), outcome).bytes(),
            request({"JOB.FAIL", "a", "t", "std::out_of_range", "no such user"}));
}

TEST(Outcome, PermanentErrorIsNotRunAgainAndHasItsOwnClass) {
  const Outcome outcome =
      outcome_when([](Context&) -> std::optional<std::string> { throw CardDeclined("card 4"); });
  ASSERT_EQ(outcome.kind, Kind::kFail);
  EXPECT_NE(outcome.failure.error_class.find("CardDeclined"), std::string::npos);
  EXPECT_TRUE(outcome.failure.permanent);
}

TEST(Outcome, FailureSaysAllItCan) {
  const Outcome outcome = outcome_when([](Context&) -> std::optional<std::string> {
    throw JobError({.error_class = "Http503", .message = "busy", .trace = "at x", .retry_in = 2s});
  });
  EXPECT_EQ(outcome_request(job(), outcome).bytes(),
            request({"JOB.FAIL", "a", "t", "Http503", "busy", "TRACE", "at x", "RETRYIN", "2000"}));
}

TEST(Outcome, SnoozeGivesBack) {
  const Outcome outcome = outcome_when([](Context&) -> std::optional<std::string> { snooze(90s); });
  EXPECT_EQ(outcome_request(job(), outcome).bytes(),
            request({"JOB.RELEASE", "a", "t", "DELAY", "90000"}));
}

TEST(Outcome, AnythingThrownIsCaught) {
  const Outcome outcome = outcome_when([](Context&) -> std::optional<std::string> { throw 7; });
  EXPECT_EQ(outcome.kind, Kind::kFail);
  EXPECT_EQ(outcome.failure.error_class, "unknown");
}

}  // namespace
}  // namespace dray::detail
