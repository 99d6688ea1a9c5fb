#include <gtest/gtest.h>

#include "protocol/decode_fixture.h"

namespace protocol {
namespace {

constexpr std::string_view kBadId =
    "BADREQ field=id must be the 13 characters of a job's id, or key:<name>; got ";

void expect_lease(const core::JobRef& job, const core::TokenRef& token) {
  EXPECT_FALSE(job.by_key());
  EXPECT_EQ(core::job_id_text(job.id), kTestId);
  ASSERT_TRUE(token.valid);
  EXPECT_EQ(core::lease_token_text(token.token), kTestToken);
}

TEST(DecodeAck, ReadsLeaseAndResult) {
  const auto plain = body_of<core::Ack>("JOB.ACK $id $token");
  expect_lease(plain.item.job, plain.item.token);
  EXPECT_FALSE(plain.item.has_result);
  const auto full = body_of<core::Ack>("JOB.ACK $id $token result {\"a\":1}");
  EXPECT_TRUE(full.item.has_result);
  EXPECT_EQ(full.item.result, "{\"a\":1}");
  EXPECT_TRUE(body_of<core::Ack>("JOB.ACK $id $token RESULT ").item.has_result);
}

TEST(DecodeAck, AJobMayBeNamedByKey) {
  const auto ack = body_of<core::Ack>("JOB.ACK key:a:b $token");
  EXPECT_TRUE(ack.item.job.by_key());
  EXPECT_EQ(ack.item.job.key, "a:b");
}

// The engine answers LEASELOST, as for any token that names no lease.
TEST(DecodeAck, ATokenOfAnyOtherShapeNamesNoLease) {
  for (const std::string_view line :
       {"JOB.ACK $id x", "JOB.ACK $id ", "JOB.ACK $id $id",
        "JOB.ACK $id ZZZZZZZZZZZZZZZZZZZZZZZZZZ", "JOB.ACK $id 0000000C0000000000000000A!"}) {
    EXPECT_FALSE(body_of<core::Ack>(line).item.token.valid) << line;
  }
}

TEST(DecodeAckMany, ReadsItemsWithAndWithoutResult) {
  const auto many = body_of<core::AckMany>("JOB.MACK 2 $id $token 0 ignored key:k x 1 r");
  ASSERT_EQ(many.items.size(), 2U);
  expect_lease(many.items[0].job, many.items[0].token);
  EXPECT_FALSE(many.items[0].has_result);
  EXPECT_TRUE(many.items[0].result.empty());
  EXPECT_EQ(many.items[1].job.key, "k");
  EXPECT_FALSE(many.items[1].token.valid);
  EXPECT_TRUE(many.items[1].has_result);
  EXPECT_EQ(many.items[1].result, "r");
}

TEST(DecodeFail, ReadsClassMessageAndOptions) {
  const auto plain = body_of<core::Fail>("JOB.FAIL $id $token Net timed-out");
  expect_lease(plain.job, plain.token);
  EXPECT_EQ(plain.error_class, "Net");
  EXPECT_EQ(plain.message, "timed-out");
  EXPECT_FALSE(plain.retry_in_ms.has_value());
  EXPECT_FALSE(plain.no_retry);
  const auto later = body_of<core::Fail>("JOB.FAIL $id $token a b RETRYIN 5 TRACE t");
  EXPECT_EQ(later.retry_in_ms, 5);
  EXPECT_EQ(later.trace, "t");
  EXPECT_TRUE(body_of<core::Fail>("JOB.FAIL $id $token a b noretry").no_retry);
}

TEST(DecodeLease, ReadsReleaseExtendAndProgress) {
  const auto release = body_of<core::Release>("JOB.RELEASE $id $token");
  expect_lease(release.job, release.token);
  EXPECT_FALSE(release.delay_ms.has_value());
  EXPECT_EQ(body_of<core::Release>("JOB.RELEASE $id $token DELAY 9").delay_ms, 9);
  const auto extend = body_of<core::Extend>("JOB.EXTEND $id $token 30000");
  expect_lease(extend.job, extend.token);
  EXPECT_EQ(extend.lease_ms, 30000);
  const auto progress = body_of<core::Progress>("JOB.PROGRESS $id $token 50%");
  expect_lease(progress.job, progress.token);
  EXPECT_EQ(progress.data, "50%");
}

TEST(DecodeGet, ReadsIdOrKey) {
  EXPECT_EQ(core::job_id_text(body_of<core::Get>("JOB.GET $id").job.id), kTestId);
  EXPECT_EQ(body_of<core::Get>("JOB.GET $id").job.text, kTestId);
  EXPECT_EQ(body_of<core::Get>("JOB.GET key:x").job.key, "x");
  EXPECT_EQ(body_of<core::Get>("JOB.GET key:x").job.text, "key:x");
}

TEST(DecodeWait, ReadsJobsTimeAndWhetherAny) {
  const auto all = body_of<core::Wait>("JOB.WAIT 2 $id key:x BLOCK 100");
  ASSERT_EQ(all.jobs.size(), 2U);
  EXPECT_EQ(all.jobs[1].key, "x");
  EXPECT_EQ(all.block_ms, 100);
  EXPECT_FALSE(all.any);
  EXPECT_TRUE(body_of<core::Wait>("JOB.WAIT 1 $id any BLOCK 0").any);
  EXPECT_FALSE(body_of<core::Wait>("JOB.WAIT 1 $id BLOCK 0 ALL").any);
}

TEST(DecodeBulk, ReadsVerbAndIds) {
  const auto retry = body_of<core::Bulk>("JOB.RETRY IDS 2 $id key:x");
  EXPECT_EQ(retry.verb, core::BulkVerb::kRetry);
  EXPECT_EQ(retry.jobs.size(), 2U);
  const auto cancel = body_of<core::Bulk>("JOB.CANCEL FORCE IDS 1 $id");
  EXPECT_EQ(cancel.verb, core::BulkVerb::kCancel);
  EXPECT_TRUE(cancel.force);
  EXPECT_FALSE(body_of<core::Bulk>("JOB.CANCEL IDS 1 $id").force);
  EXPECT_EQ(body_of<core::Bulk>("JOB.DELETE IDS 1 $id").verb, core::BulkVerb::kDelete);
}

TEST(DecodeJob, WithAQueryAVerbIsAnOperation) {
  const auto retry =
      body_of<core::OperationStart>("JOB.RETRY WHERE state:dead LIMIT 5 RATE 1 DRYRUN");
  EXPECT_EQ(retry.verb, core::OperationVerb::kRetry);
  EXPECT_EQ(retry.query.text, "state:dead");
  EXPECT_EQ(retry.jobs_most, 5);
  EXPECT_EQ(retry.rate, 1);
  EXPECT_TRUE(retry.dry_run);
  const auto cancel = body_of<core::OperationStart>("JOB.CANCEL WHERE queue:a FORCE");
  EXPECT_EQ(cancel.verb, core::OperationVerb::kCancel);
  EXPECT_TRUE(cancel.force);
  EXPECT_EQ(body_of<core::OperationStart>("JOB.DELETE WHERE queue:a").verb,
            core::OperationVerb::kDelete);
  const auto purge = body_of<core::OperationStart>("QUEUE.PURGE q");
  EXPECT_EQ(purge.verb, core::OperationVerb::kPurge);
  EXPECT_EQ(purge.queue, "q");
  EXPECT_EQ(purge.query.terms.at(0).texts.at(0), "q");
  EXPECT_EQ(body_of<core::OperationStart>("QUEUE.DELETE q").verb,
            core::OperationVerb::kDeleteQueue);
}

TEST(DecodeJob, ReadsListsAndWaitsForOperations) {
  const auto list = body_of<core::ListJobs>("JOB.LIST WHERE queue:a CURSOR $id COUNT 7");
  EXPECT_EQ(list.cursor, core::JobId{7});
  EXPECT_EQ(list.count, 7);
  EXPECT_FALSE(body_of<core::ListJobs>("JOB.LIST").cursor.has_value());
  EXPECT_EQ(body_of<core::OperationWait>("OP.WAIT op-1 BLOCK 9").block_ms, 9);
  EXPECT_EQ(fault_of("OP.WAIT op-1 BLOCK x"), "BADREQ field=BLOCK must be a whole number, got 'x'");
  EXPECT_EQ(
      fault_of("JOB.LIST CURSOR x"),
      "BADREQ field=CURSOR is none that a list answered: leave it out to begin at the newest");
}

TEST(DecodeJob, ReadsLog) {
  const auto log = body_of<core::Log>("JOB.LOG $id $token WARN text");
  EXPECT_EQ(core::job_id_text(log.job.id), kTestId);
  EXPECT_TRUE(log.token.valid);
  EXPECT_EQ(log.level, core::LogLevel::kWarn);
  EXPECT_EQ(log.text, "text");
}

TEST(DecodeJob, NamesEveryFault) {
  const std::pair<std::string_view, std::string> cases[] = {
      {"JOB.GET x", std::string(kBadId) + "'x'"},
      {"JOB.GET ", std::string(kBadId) + "''"},
      {"JOB.GET key:", std::string(kBadId) + "'key:'"},
      {"JOB.GET ZZZZZZZZZZZZZ", std::string(kBadId) + "'ZZZZZZZZZZZZZ'"},
      {"JOB.GET 000000000000!", std::string(kBadId) + "'000000000000!'"},
      {"JOB.GET $id $id", "ERR wrong number of arguments for 'job.get' command"},
      {"JOB.ACK x $token", std::string(kBadId) + "'x'"},
      {"JOB.ACK $id $token RESULT", "BADREQ field=RESULT needs a value behind it"},
      {"JOB.ACK $id $token RESLT x",
       "BADREQ field=OPTION unknown option 'RESLT'; did you mean RESULT?"},
      {"JOB.ACK $id $token RESULT a RESULT b", "BADREQ field=RESULT stands there twice"},
      {"JOB.MACK 1 $id $token 2 x", "BADREQ field=flag must be 0 (no result) or 1 (item 1)"},
      {"JOB.MACK 2 $id $token 0 x y $token 0 x", std::string(kBadId) + "'y' (item 2)"},
      {"JOB.MACK 2 $id $token 0 x",
       "BADREQ field=n counts 2 items of 4 words, but only 4 words follow"},
      {"JOB.MACK 1 $id $token 0 x y",
       "BADREQ field=n counts fewer items than there are: 1 words are left over"},
      {"JOB.FAIL $id $token a", "ERR wrong number of arguments for 'job.fail' command"},
      {"JOB.FAIL $id $token a b NORETRY RETRYIN 5",
       "BADREQ field=NORETRY and RETRYIN exclude each other"},
      {"JOB.FAIL $id $token a b RETRYIN x", "BADREQ field=RETRYIN must be a whole number, got 'x'"},
      {"JOB.FAIL $id $token a b TRACE", "BADREQ field=TRACE needs a value behind it"},
      {"JOB.FAIL $id $token a b NORETRI",
       "BADREQ field=OPTION unknown option 'NORETRI'; did you mean NORETRY?"},
      {"JOB.RELEASE $id $token DELAY x", "BADREQ field=DELAY must be a whole number, got 'x'"},
      {"JOB.EXTEND $id $token x", "BADREQ field=ms must be a whole number, got 'x'"},
      {"JOB.EXTEND x $token 1", std::string(kBadId) + "'x'"},
      {"JOB.PROGRESS x $token 1", std::string(kBadId) + "'x'"},
      {"JOB.LOG $id $token loud x",
       "BADREQ field=level must be one of debug, info, warn, error; got 'loud'"},
      {"JOB.LOG $id $token info", "ERR wrong number of arguments for 'job.log' command"},
      {"JOB.WAIT 2 $id BLOCK 5", std::string(kBadId) + "'BLOCK'"},
      {"JOB.WAIT 1 $id ANY ANY", "BADREQ field=ANY stands there twice"},
      {"JOB.WAIT 1 $id ANY ALL", "BADREQ field=BLOCK is missing"},
      {"JOB.WAIT 1 $id ANY ALL BLOCK 1", "BADREQ field=ALL and ANY exclude each other"},
      {"JOB.WAIT 0 BLOCK 5 ANY", "BADREQ field=n must count 1 to 10000 items, got 0"},
      {"JOB.RETRY IDS", "ERR wrong number of arguments for 'job.retry' command"},
      {"JOB.RETRY IDS 0 x", "BADREQ field=IDS must count 1 to 10000 items, got 0"},
      {"JOB.RETRY IDS 2 $id",
       "BADREQ field=IDS counts 2 items of 1 words, but only 1 words follow"},
      {"JOB.RETRY IDS 1 x", std::string(kBadId) + "'x'"},
      {"JOB.RETRY FORCE IDS 1 $id",
       "BADREQ field=OPTION unknown option 'FORCE'; there are IDS, WHERE, LIMIT, RATE, DRYRUN"},
      {"JOB.RETRY LIMIT 5 DRYRUN", "BADREQ field=IDS is missing: give IDS or WHERE"},
      {"JOB.CANCEL IDS 1 $id LIMIT 5", "BADREQ field=LIMIT goes with WHERE, not with IDS"},
      {"JOB.CANCEL IDS 1 $id RATE 5", "BADREQ field=RATE goes with WHERE, not with IDS"},
      {"JOB.CANCEL IDS 1 $id DRYRUN", "BADREQ field=DRYRUN goes with WHERE, not with IDS"},
      {"JOB.CANCEL IDS 1 $id WHERE state:*", "BADREQ field=WHERE and IDS exclude each other"},
      {"JOB.CANCEL FORCE WHERE x",
       "BADREQ field=query term 'x' is no field:value; give for example state:dead queue:emails"},
      {"JOB.DELETE WHERE ", "BADREQ field=query is empty: to mean all jobs, give state:*"},
      {"JOB.DELETE WHERE", "ERR wrong number of arguments for 'job.delete' command"},
      {"JOB.DELETE WHERE state:* RATE", "BADREQ field=RATE needs a value behind it"},
  };
  for (const auto& [line, fault] : cases) EXPECT_EQ(fault_of(line), fault) << line;
}

}  // namespace
}  // namespace protocol
