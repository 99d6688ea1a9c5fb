#include "sdk/cpp/handlers.h"

#include <gtest/gtest.h>

#include "sdk/cpp/no_owner.h"

namespace dray::detail {
namespace {

using std::chrono_literals::operator""s;
using Kind = Outcome::Kind;

class CardDeclined : public PermanentError {
  using PermanentError::PermanentError;
};

Outcome run(const Handlers& handlers) {
  NoOwner owner;
  LeasedJob job;
  job.type = "t";
  const auto held = std::make_shared<Held>(std::move(job), owner);
  return handlers.run(*held).value();
}

Outcome outcome_when(const Handler& handler) {
  Handlers handlers;
  handlers.add("t", handler);
  return run(handlers);
}

LeasedJob leased_job() {
  LeasedJob made;
  made.id = "a";
  made.token = "t";
  return made;
}

TEST(Handlers, ReturnIsAnAckWithTheResult) {
  const Outcome outcome = outcome_when([](Context&) { return "done"; });
  EXPECT_EQ(outcome.kind, Kind::kAck);
  EXPECT_EQ(outcome_request(leased_job(), outcome).bytes(),
            request({"JOB.ACK", "a", "t", "RESULT", "done"}));
}

TEST(Handlers, EmptyResultIsAResultAndNoneIsNone) {
  const Outcome empty = outcome_when([](Context&) { return std::string(); });
  EXPECT_EQ(outcome_request(leased_job(), empty).bytes(),
            request({"JOB.ACK", "a", "t", "RESULT", ""}));
  const Outcome none = outcome_when([](Context&) { return std::nullopt; });
  EXPECT_EQ(outcome_request(leased_job(), none).bytes(), request({"JOB.ACK", "a", "t"}));
}

TEST(Handlers, ExceptionIsAFailureNamedAfterItsType) {
  const Outcome outcome = outcome_when(
      [](Context&) -> std::optional<std::string> { throw std::out_of_range("no such user"); });
  EXPECT_EQ(outcome_request(leased_job(), outcome).bytes(),
            request({"JOB.FAIL", "a", "t", "std::out_of_range", "no such user"}));
}

TEST(Handlers, PermanentErrorIsNotRunAgainAndHasItsOwnClass) {
  const Outcome outcome =
      outcome_when([](Context&) -> std::optional<std::string> { throw CardDeclined("card 4"); });
  ASSERT_EQ(outcome.kind, Kind::kFail);
  EXPECT_NE(outcome.failure.error_class.find("CardDeclined"), std::string::npos);
  EXPECT_TRUE(outcome.failure.permanent);
}

TEST(Handlers, FailureSaysAllItCan) {
  const Outcome outcome = outcome_when([](Context&) -> std::optional<std::string> {
    throw JobError({.error_class = "Http503", .message = "busy", .trace = "at x", .retry_in = 2s});
  });
  EXPECT_EQ(outcome_request(leased_job(), outcome).bytes(),
            request({"JOB.FAIL", "a", "t", "Http503", "busy", "TRACE", "at x", "RETRYIN", "2000"}));
}

TEST(Handlers, SnoozeGivesBack) {
  const Outcome outcome =
      outcome_when([](Context&) -> std::optional<std::string> { throw Snooze(90s); });
  EXPECT_EQ(outcome_request(leased_job(), outcome).bytes(),
            request({"JOB.RELEASE", "a", "t", "DELAY", "90000"}));
}

TEST(Handlers, AnythingThrownIsCaught) {
  const Outcome outcome = outcome_when([](Context&) -> std::optional<std::string> { throw 7; });
  EXPECT_EQ(outcome.kind, Kind::kFail);
  EXPECT_EQ(outcome.failure.error_class, "unknown");
}

TEST(Handlers, ClassesThatAreRegisteredArePermanent) {
  Handlers handlers;
  handlers.add("t", [](Context&) -> std::optional<std::string> { throw std::out_of_range("x"); });
  EXPECT_FALSE(run(handlers).failure.permanent);
  handlers.add_permanent([] {
    try {
      throw;
    } catch (const std::logic_error&) {
      return true;
    } catch (...) {
      return false;
    }
  });
  EXPECT_TRUE(run(handlers).failure.permanent) << "a class derived from it";
  EXPECT_EQ(run(handlers).failure.error_class, "std::out_of_range");
}

TEST(Handlers, MiddlewareStandsAroundTheHandlerInItsOrder) {
  Handlers handlers;
  std::string trail;
  handlers.add("t", [&](Context&) {
    trail += "h";
    return "r";
  });
  for (const char* name : {"1", "2"}) {
    handlers.use([&trail, name](Context&, const RunNext& next) {
      trail += name;
      const auto result = next();
      trail += name;
      return result.value_or("") + name;
    });
  }
  EXPECT_EQ(run(handlers).result, "r21");
  EXPECT_EQ(trail, "12h21");
}

TEST(Handlers, MiddlewareCanStopAJobAndFailIt) {
  Handlers handlers;
  handlers.add("t", [](Context&) -> std::optional<std::string> {
    ADD_FAILURE() << "the handler ran";
    return std::nullopt;
  });
  bool fails = false;
  handlers.use([&](Context&, const RunNext&) -> std::optional<std::string> {
    if (fails) throw std::runtime_error("not today");
    return "stopped";
  });
  EXPECT_EQ(run(handlers).result, "stopped");
  fails = true;
  EXPECT_EQ(run(handlers).failure.message, "not today");
}

TEST(Handlers, TypeWithoutAHandlerHasNoOutcome) {
  Handlers handlers;
  handlers.add("other", [](Context&) { return std::nullopt; });
  NoOwner owner;
  const auto held = std::make_shared<Held>(LeasedJob{}, owner);
  EXPECT_FALSE(handlers.run(*held).has_value());
  EXPECT_EQ(handlers.types(), std::vector<std::string>{"other"});
  handlers.add_any([](Context&) { return std::nullopt; });
  EXPECT_TRUE(handlers.types().empty()) << "then jobs of all types are taken";
}

}  // namespace
}  // namespace dray::detail
