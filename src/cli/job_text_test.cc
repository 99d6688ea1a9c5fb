#include "cli/job_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/test_values.h"

namespace cli {
namespace {

using dray::Value;
using ::testing::HasSubstr;
using ::testing::Not;

dray::JobRecord failed_once() {
  dray::JobRecord job;
  job.id = "0000000000001";
  job.state = "ready";
  job.queue = "emails";
  job.type = "send_email";
  job.args = std::string(1'000, 'x');
  job.attempt = 1;
  job.max_attempts = 4;
  dray::AttemptRecord attempt;
  attempt.attempt = 1;
  attempt.outcome = "failed";
  attempt.error_class = "SmtpError";
  attempt.message = "first line\nsecond line";
  attempt.trace = "at main";
  attempt.ended = attempt.started + std::chrono::milliseconds(25);
  job.history = {attempt};
  const Value line = map({text("at_ms"), number(1'772'366'400'000), text("level"), text("warn"),
                          text("text"), text("slow\x1b[2J")});
  job.raw = map({text("history"),
                 array({map({text("log_dropped"), number(3), text("log"), array({line})})})});
  return job;
}

TEST(JobText, IsShortUnlessAllIsWanted) {
  const std::string brief = job_text(failed_once(), false, false);
  EXPECT_THAT(brief, HasSubstr("attempts  1 of 4\n"));
  EXPECT_THAT(brief, HasSubstr("SmtpError: first line\\x0asecond line\n"));
  EXPECT_THAT(brief, Not(HasSubstr(std::string(1'000, 'x'))));
  EXPECT_THAT(brief, Not(HasSubstr("at main")));
}

TEST(JobText, HasAllOfAnAttemptWhenItIs) {
  const std::string whole = job_text(failed_once(), false, true);
  EXPECT_THAT(whole, HasSubstr(std::string(1'000, 'x')));
  EXPECT_THAT(whole, HasSubstr("\nattempt 1: SmtpError\n    first line\n    second line\n"
                               "    at main\n    … 3 older lines made room\n"
                               "    2026-03-01T12:00:00.000Z  warn   slow\\x1b[2J\n"));
}

}  // namespace
}  // namespace cli
