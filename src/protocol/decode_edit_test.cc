#include <gtest/gtest.h>

#include "protocol/decode_fixture.h"

namespace protocol {
namespace {

TEST(DecodeEdit, ReadsEveryOption) {
  const auto edit = body_of<core::Edit>(
      "JOB.EDIT $id QUEUE q TYPE t ARGS {} PRIORITY 1 DELAY 2 ATTEMPTS 3 BACKOFF fixed:4 TIMEOUT 5 "
      "SOFTTIMEOUT 6 LEASE 7 EXPIRE 8 CRASHES 9 KEEP 10");
  EXPECT_EQ(core::job_id_text(edit.job.id), kTestId);
  EXPECT_EQ(edit.queue, "q");
  EXPECT_EQ(edit.type, "t");
  EXPECT_EQ(edit.args, "{}");
  EXPECT_EQ(edit.priority, 1);
  EXPECT_EQ(edit.options.delay_ms, 2);
  EXPECT_EQ(edit.options.at_ms, std::nullopt);
  EXPECT_EQ(edit.options.attempts, 3);
  EXPECT_EQ(core::backoff_text(edit.options.backoff.value()), "fixed:4");
  EXPECT_EQ(edit.options.timeout_ms, 5);
  EXPECT_EQ(edit.options.soft_timeout_ms, 6);
  EXPECT_EQ(edit.options.lease_ms, 7);
  EXPECT_EQ(edit.options.expire_ms, 8);
  EXPECT_EQ(edit.options.crashes, 9);
  EXPECT_EQ(edit.options.keep_ms, 10);
  EXPECT_EQ(body_of<core::Edit>("JOB.EDIT key:k AT 5").options.at_ms, 5);
  EXPECT_EQ(body_of<core::Edit>("JOB.EDIT key:k AT 5").job.key, "k");
}

TEST(DecodeEdit, WithAQueryItIsAnOperation) {
  const auto edit = body_of<core::OperationStart>(
      "JOB.EDIT queue q AT 5 BACKOFF fixed:4 where state:ready LIMIT 6 PRIORITY 1 RATE 7 DRYRUN");
  EXPECT_EQ(edit.verb, core::OperationVerb::kEdit);
  EXPECT_EQ(edit.queue, "") << "that is of a purge";
  EXPECT_EQ(edit.query.text, "state:ready");
  EXPECT_EQ(edit.changes.queue, "q");
  EXPECT_EQ(edit.changes.priority, 1);
  EXPECT_EQ(edit.changes.options.at_ms, 5);
  EXPECT_TRUE(edit.changes.options.backoff.has_value());
  EXPECT_EQ(edit.jobs_most, 6);
  EXPECT_EQ(edit.rate, 7);
  EXPECT_TRUE(edit.dry_run);
  EXPECT_FALSE(body_of<core::OperationStart>("JOB.EDIT WHERE queue:q TYPE t").dry_run);
}

TEST(DecodeEdit, NamesEveryFault) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"JOB.EDIT", "ERR wrong number of arguments for 'job.edit' command"},
      {"JOB.EDIT $id PRIORTY 1",
       "BADREQ field=OPTION unknown option 'PRIORTY'; did you mean PRIORITY?"},
      {"JOB.EDIT $id PRIORITY x", "BADREQ field=PRIORITY must be a whole number, got 'x'"},
      {"JOB.EDIT $id DELAY 1 AT 1", "BADREQ field=AT and DELAY exclude each other"},
      {"JOB.EDIT $id ARGS", "BADREQ field=ARGS needs a value behind it"},
      {"JOB.EDIT $id ARGS 1 ARGS 2", "BADREQ field=ARGS stands there twice"},
      {"JOB.EDIT PRIORITY 1", "BADREQ field=id is missing: give an id, or WHERE"},
      {"JOB.EDIT $id PRIORITY 1 WHERE queue:q", "BADREQ field=WHERE and an id exclude each other"},
      {"JOB.EDIT $id PRIORITY 1 LIMIT 1", "BADREQ field=LIMIT goes with WHERE, not with an id"},
      {"JOB.EDIT $id DRYRUN", "BADREQ field=DRYRUN goes with WHERE, not with an id"},
      {"JOB.EDIT DELAY 1 WHERE queue:q AT 1", "BADREQ field=AT and DELAY exclude each other"},
      {"JOB.EDIT WHERE queue:q RATE x", "BADREQ field=RATE must be a whole number, got 'x'"},
      {"JOB.EDIT PRIORITY 1 WHERE", "BADREQ field=WHERE needs a value behind it"},
  };
  for (const auto& [line, fault] : kCases) EXPECT_EQ(fault_of(line), fault) << line;
}

TEST(DecodeQueueSet, ReadsNumbersAndTheWordDefault) {
  const auto set = body_of<core::QueueSet>(
      "QUEUE.SET q MAXLEN 1 ATTEMPTS default LEASE 3 TIMEOUT 0 KEEP DEFAULT CRASHES 6 ALERT 7 "
      "AGE 8");
  using enum core::QueueNumber;
  const std::vector<std::pair<core::QueueNumber, std::optional<int64_t>>> wanted = {
      {kMaxlen, 1},  {kAttempts, std::nullopt},
      {kLeaseMs, 3}, {kTimeoutMs, 0},
      {kKeepMs, {}}, {kCrashes, 6},
      {kAlertMs, 7}, {kAgeMs, 8}};
  EXPECT_EQ(set.queue, "q");
  EXPECT_EQ(set.numbers, wanted);
  EXPECT_FALSE(set.backoff.has_value());
  const auto backoff = body_of<core::QueueSet>("QUEUE.SET q BACKOFF celery").backoff;
  EXPECT_EQ(core::backoff_text(backoff.value().value()), "celery:1000");
  const auto none = body_of<core::QueueSet>("QUEUE.SET q BACKOFF default").backoff;
  EXPECT_TRUE(none.has_value() && !none->has_value());
}

TEST(DecodeQueueSet, NamesEveryFault) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"QUEUE.SET", "ERR wrong number of arguments for 'queue.set' command"},
      {"QUEUE.SET q MAXLEN x", "BADREQ field=MAXLEN must be a whole number, got 'x'"},
      {"QUEUE.SET q MAXLEN", "BADREQ field=MAXLEN needs a value behind it"},
      {"QUEUE.SET q MAXLEN 1 MAXLEN 2", "BADREQ field=MAXLEN stands there twice"},
      {"QUEUE.SET q AGE x", "BADREQ field=AGE must be a whole number, got 'x'"},
  };
  for (const auto& [line, fault] : kCases) EXPECT_EQ(fault_of(line), fault) << line;
  EXPECT_TRUE(fault_of("QUEUE.SET q BACKOFF never").starts_with("BADREQ"));
}

}  // namespace
}  // namespace protocol
