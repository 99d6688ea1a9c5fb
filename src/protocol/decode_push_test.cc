#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/decode_fixture.h"

namespace protocol {
namespace {

using testing::ElementsAre;
using testing::Pair;

core::PushSpec push(std::string_view line) {
  return body_of<core::Push>(line).spec;
}

TEST(DecodePush, TakesQueueTypeAndArgs) {
  const core::PushSpec spec = push("job.push emails Send {}");
  EXPECT_EQ(spec.queue, "emails");
  EXPECT_EQ(spec.type, "Send");
  EXPECT_EQ(spec.args, "{}");
  EXPECT_EQ(spec.priority, core::limits::kPriorityDefault);
  EXPECT_FALSE(spec.delay_ms || spec.at_ms || spec.attempts || spec.crashes || spec.timeout_ms ||
               spec.soft_timeout_ms || spec.lease_ms || spec.expire_ms || spec.keep_ms ||
               spec.backoff || spec.has_key || spec.has_request || spec.has_producer);
  EXPECT_EQ(spec.on_duplicate, core::OnDuplicate::kReturn);
  EXPECT_TRUE(spec.not_built.empty());
  EXPECT_EQ(push("JOB.PUSH q t ").args, "");
}

TEST(DecodePush, ReadsEveryOption) {
  const core::PushSpec spec = push(
      "JOB.PUSH q t {} priority 9 DELAY 5000 Attempts 7 BACKOFF fixed:500~0 TIMEOUT 1 SOFTTIMEOUT "
      "2 "
      "LEASE 3 EXPIRE 4 CRASHES 5 KEY k ONDUP Report REQUEST r FOR 6 KEEP 8 META 2 a 1 b ");
  EXPECT_EQ(spec.priority, 9);
  EXPECT_EQ(spec.delay_ms, 5000);
  EXPECT_EQ(spec.attempts, 7);
  ASSERT_TRUE(spec.backoff.has_value());
  EXPECT_EQ(spec.backoff, core::parse_backoff("fixed:500~0").value());
  EXPECT_EQ(spec.timeout_ms, 1);
  EXPECT_EQ(spec.soft_timeout_ms, 2);
  EXPECT_EQ(spec.lease_ms, 3);
  EXPECT_EQ(spec.expire_ms, 4);
  EXPECT_EQ(spec.crashes, 5);
  EXPECT_TRUE(spec.has_key);
  EXPECT_EQ(spec.key, "k");
  EXPECT_EQ(spec.on_duplicate, core::OnDuplicate::kReport);
  EXPECT_TRUE(spec.has_request);
  EXPECT_EQ(spec.request, "r");
  EXPECT_EQ(spec.request_for_ms, 6);
  EXPECT_EQ(spec.keep_ms, 8);
  EXPECT_THAT(spec.meta, ElementsAre(Pair("a", "1"), Pair("b", "")));
}

TEST(DecodePush, ReadsTheOtherChoices) {
  EXPECT_EQ(push("JOB.PUSH q t a AT 1700000000000").at_ms, 1'700'000'000'000);
  const core::PushSpec sequenced = push("JOB.PUSH q t a REQSEQ p 18446744073709551615");
  EXPECT_TRUE(sequenced.has_producer);
  EXPECT_EQ(sequenced.producer, "p");
  EXPECT_EQ(sequenced.producer_seq, UINT64_MAX);
  EXPECT_FALSE(push("JOB.PUSH q t a REQUEST r").request_for_ms.has_value());
  EXPECT_EQ(push("JOB.PUSH q t a ONDUP return").on_duplicate, core::OnDuplicate::kReturn);
  EXPECT_EQ(push("JOB.PUSH q t a ONDUP error").on_duplicate, core::OnDuplicate::kError);
  EXPECT_EQ(push("JOB.PUSH q t a ONDUP replace").on_duplicate, core::OnDuplicate::kReplace);
  EXPECT_TRUE(push("JOB.PUSH q t a META 0").meta.empty());
  // Ranges are not judged here.
  EXPECT_EQ(push("JOB.PUSH q t a PRIORITY -10").priority, -10);
  // An empty key is not the same as none: the engine refuses it.
  EXPECT_TRUE(push("JOB.PUSH q t a KEY ").has_key);
}

TEST(DecodePush, NamesAnOptionThatIsNotBuilt) {
  EXPECT_EQ(push("JOB.PUSH q t a UNIQUE k").not_built, "UNIQUE");
  EXPECT_EQ(push("JOB.PUSH q t a UNIQUE k FOR 5").not_built, "UNIQUE");
  EXPECT_EQ(push("JOB.PUSH q t a unique k until Started DELAY 5").not_built, "UNIQUE");
  EXPECT_EQ(push("JOB.PUSH q t a LIMITS 2 x y DELAY 5").not_built, "LIMITS");
  EXPECT_EQ(push("JOB.PUSH q t a FAIR k LIMITS 1 x").not_built, "FAIR");
}

TEST(DecodePush, NamesEveryFault) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"JOB.PUSH q t", "ERR wrong number of arguments for 'job.push' command"},
      {"JOB.PUSH q t a DELYA 5", "BADREQ field=OPTION unknown option 'DELYA'; did you mean DELAY?"},
      {"JOB.PUSH q t a prioritty 5",
       "BADREQ field=OPTION unknown option 'prioritty'; did you mean PRIORITY?"},
      {"JOB.PUSH q t a XYZZYPLUGH",
       "BADREQ field=OPTION unknown option 'XYZZYPLUGH'; there are PRIORITY, DELAY, AT, ATTEMPTS, "
       "BACKOFF, TIMEOUT, SOFTTIMEOUT, LEASE, EXPIRE, CRASHES, KEY, UNIQUE, ONDUP, REQUEST, "
       "REQSEQ, LIMITS, FAIR, KEEP, META"},
      {"JOB.PUSH q t a DELAY", "BADREQ field=DELAY needs a value behind it"},
      {"JOB.PUSH q t a DELAY soon", "BADREQ field=DELAY must be a whole number, got 'soon'"},
      {"JOB.PUSH q t a DELAY 1.5", "BADREQ field=DELAY must be a whole number, got '1.5'"},
      {"JOB.PUSH q t a DELAY +1", "BADREQ field=DELAY must be a whole number, got '+1'"},
      {"JOB.PUSH q t a DELAY 01", "BADREQ field=DELAY must be a whole number, got '01'"},
      {"JOB.PUSH q t a DELAY -0", "BADREQ field=DELAY must be a whole number, got '-0'"},
      {"JOB.PUSH q t a DELAY ", "BADREQ field=DELAY must be a whole number, got ''"},
      {"JOB.PUSH q t a DELAY 9223372036854775808",
       "BADREQ field=DELAY must be a number of 64 bits, got '9223372036854775808'"},
      {"JOB.PUSH q t a DELAY 1 DELAY 1", "BADREQ field=DELAY stands there twice"},
      {"JOB.PUSH q t a DELAY 1 AT 1", "BADREQ field=AT and DELAY exclude each other"},
      {"JOB.PUSH q t a REQSEQ p 1 REQUEST r", "BADREQ field=REQSEQ and REQUEST exclude each other"},
      {"JOB.PUSH q t a REQSEQ p -1", "BADREQ field=REQSEQ must be a whole number, got '-1'"},
      {"JOB.PUSH q t a REQSEQ p", "BADREQ field=REQSEQ needs a value behind it"},
      {"JOB.PUSH q t a ONDUP x",
       "BADREQ field=ONDUP must be one of RETURN, REPORT, ERROR, REPLACE; got 'x'"},
      {"JOB.PUSH q t a UNIQUE k UNTIL x",
       "BADREQ field=UNTIL must be one of STARTED, FINISHED; got 'x'"},
      {"JOB.PUSH q t a UNIQUE k UNTIL", "BADREQ field=UNTIL needs a value behind it"},
      {"JOB.PUSH q t a UNIQUE k FOR", "BADREQ field=FOR needs a value behind it"},
      {"JOB.PUSH q t a FOR 5",
       "BADREQ field=FOR must stand right behind its option: REQUEST token FOR ms, UNIQUE key FOR "
       "ms, UNIQUE key UNTIL started"},
      {"JOB.PUSH q t a LIMITS 3 x y",
       "BADREQ field=LIMITS counts 3 items of 1 words, but only 2 words follow"},
      {"JOB.PUSH q t a META 2 a 1 b",
       "BADREQ field=META counts 2 items of 2 words, but only 3 words follow"},
      {"JOB.PUSH q t a META -1", "BADREQ field=META must count 0 to 8192 items, got -1"},
      {"JOB.PUSH q t a META 9223372036854775807",
       "BADREQ field=META must count 0 to 8192 items, got 9223372036854775807"},
      {"JOB.PUSH q t a LIMITS 0", "BADREQ field=LIMITS must count 1 to 10000 items, got 0"},
  };
  for (const auto& [line, fault] : kCases) EXPECT_EQ(fault_of(line), fault) << line;
  EXPECT_EQ(fault_of("JOB.PUSH q t a BACKOFF nonsense").substr(0, 20), "BADREQ field=BACKOFF");
  EXPECT_EQ(fault_of("JOB.PUSH q t a FAIR"), "BADREQ field=FAIR needs a value behind it");
}

TEST(DecodePushMany, ReadsItemsWithTheirOptions) {
  const auto many = body_of<core::PushMany>(
      "JOB.MPUSH 3 q1 t1 a1 0 q2 t2 a2 4 DELAY 5 PRIORITY 9 q3 t3 a3 4 META 1 k v");
  ASSERT_EQ(many.items.size(), 3U);
  EXPECT_EQ(many.items[0].queue, "q1");
  EXPECT_FALSE(many.items[0].delay_ms.has_value());
  EXPECT_EQ(many.items[1].type, "t2");
  EXPECT_EQ(many.items[1].delay_ms, 5);
  EXPECT_EQ(many.items[1].priority, 9);
  EXPECT_EQ(many.items[2].args, "a3");
  EXPECT_THAT(many.items[2].meta, ElementsAre(Pair("k", "v")));
}

TEST(DecodePushMany, NamesEveryFaultAndItsItem) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"JOB.MPUSH 1 q t a", "ERR wrong number of arguments for 'job.mpush' command"},
      {"JOB.MPUSH 0 q t a 0", "BADREQ field=n must count 1 to 10000 items, got 0"},
      {"JOB.MPUSH 10001 q t a 0", "BADREQ field=n must count 1 to 10000 items, got 10001"},
      {"JOB.MPUSH x q t a 0", "BADREQ field=n must be a whole number, got 'x'"},
      {"JOB.MPUSH 2 q t a 0", "BADREQ field=n counts 2 items of 4 words, but only 4 words follow"},
      {"JOB.MPUSH 2 q t a 2 DELAY 5 q t",
       "BADREQ field=n counts more items than there are: 2 words are left (item 2)"},
      {"JOB.MPUSH 1 q t a 0 x",
       "BADREQ field=n counts fewer items than there are: 1 words are left over"},
      {"JOB.MPUSH 1 q t a -1", "BADREQ field=optc must count 0 to 10000 items, got -1 (item 1)"},
      {"JOB.MPUSH 1 q t a 3 DELAY 5",
       "BADREQ field=optc counts 3 items of 1 words, but only 2 words follow (item 1)"},
      {"JOB.MPUSH 2 q t a 0 q t a 1 DELAY", "BADREQ field=DELAY needs a value behind it (item 2)"},
      // Options do not reach into the next item.
      {"JOB.MPUSH 2 q t a 1 DELAY 5 t a 0", "BADREQ field=DELAY needs a value behind it (item 1)"},
  };
  for (const auto& [line, fault] : kCases) EXPECT_EQ(fault_of(line), fault) << line;
}

}  // namespace
}  // namespace protocol
