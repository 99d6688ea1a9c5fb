#include "server/subscriptions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/resp_encoder.h"

namespace server {
namespace {

using protocol::CommandId;
using Names = std::deque<std::string>;

class SubscriptionsTest : public testing::Test {
 protected:
  std::string change(CommandId command, const Names& names) {
    core::Reply reply;
    subscriptions.change(command, names, reply);
    return wire(reply);
  }
  std::string messages(std::string_view channel) {
    core::Reply reply;
    EXPECT_EQ(subscriptions.write_messages(channel, "{}", SIZE_MAX, reply), 0U);
    return wire(reply);
  }
  // In one line, each line of the protocol behind a space.
  static std::string wire(const core::Reply& reply) {
    std::string bytes;
    protocol::encode_reply(reply.tape(), protocol::RespVersion::kResp3, bytes);
    std::string text;
    for (const char c : bytes) {
      if (c == '\n') continue;
      text += c == '\r' ? ' ' : c;
    }
    return text;
  }

  Subscriptions subscriptions;
};

TEST_F(SubscriptionsTest, EachNameIsConfirmedWithTheirNumber) {
  EXPECT_EQ(change(CommandId::kSubscribe, {"a", "b", "a"}),
            ">3 $9 subscribe $1 a :1 >3 $9 subscribe $1 b :2 >3 $9 subscribe $1 a :2 ");
  EXPECT_EQ(change(CommandId::kPsubscribe, {"*"}), ">3 $10 psubscribe $1 * :3 ");
  EXPECT_EQ(change(CommandId::kUnsubscribe, {"b", "z"}),
            ">3 $11 unsubscribe $1 b :2 >3 $11 unsubscribe $1 z :2 ");
}

TEST_F(SubscriptionsTest, WithoutNamesAllOfTheKindEnd) {
  change(CommandId::kSubscribe, {"a", "b"});
  change(CommandId::kPsubscribe, {"a*"});
  EXPECT_EQ(change(CommandId::kUnsubscribe, {}),
            ">3 $11 unsubscribe $1 a :2 >3 $11 unsubscribe $1 b :1 ");
  EXPECT_EQ(change(CommandId::kUnsubscribe, {}), ">3 $11 unsubscribe _ :1 ");
  EXPECT_EQ(change(CommandId::kPunsubscribe, {}), ">3 $12 punsubscribe $2 a* :0 ");
  EXPECT_EQ(subscriptions.memory_bytes(), 0U);
}

TEST_F(SubscriptionsTest, AnEventComesOnceForEachThatFits) {
  change(CommandId::kSubscribe, {"job.dead.q"});
  change(CommandId::kPsubscribe, {"job.*.q", "job.[df]*", "worker.*"});
  EXPECT_EQ(messages("job.dead.q"),
            ">3 $7 message $10 job.dead.q $2 {} >4 $8 pmessage $7 job.*.q $10 job.dead.q $2 {} "
            ">4 $8 pmessage $9 job.[df]* $10 job.dead.q $2 {} ");
  EXPECT_EQ(messages("job.pushed.r"), "");
}

TEST_F(SubscriptionsTest, WhatDoesNotFitIsCounted) {
  change(CommandId::kPsubscribe, {"a*", "ab*", "b*"});
  core::Reply reply;
  EXPECT_EQ(subscriptions.write_messages("abc", std::string(100, 'x'), 300, reply), 1U);
  EXPECT_THAT(wire(reply), testing::StartsWith(">4 $8 pmessage $2 a* $3 abc $100 xx"));
  EXPECT_EQ(subscriptions.write_messages("abc", std::string(400, 'x'), 300, reply), 2U);
}

TEST_F(SubscriptionsTest, PatternsThatTakeTooLongAreCounted) {
  std::string slow;
  for (int i = 0; i < 120; ++i) slow += "*a";
  change(CommandId::kPsubscribe, {slow + "b", slow + "c", slow + "d", slow + "e"});
  core::Reply reply;
  EXPECT_EQ(subscriptions.write_messages(std::string(20'000, 'a'), "{}", SIZE_MAX, reply), 1U);
}

TEST_F(SubscriptionsTest, ANoticeComesUnderTheFirstName) {
  core::Reply reply;
  change(CommandId::kPsubscribe, {"p*"});
  subscriptions.write_notice("{}", reply);
  EXPECT_EQ(wire(reply), ">4 $8 pmessage $2 p* $2 p* $2 {} ");
  change(CommandId::kSubscribe, {"c"});
  reply.clear();
  subscriptions.write_notice("{}", reply);
  EXPECT_EQ(wire(reply), ">3 $7 message $1 c $2 {} ");
}

TEST_F(SubscriptionsTest, TooManyAndTooLongAreRefused) {
  const auto refusal = [&](CommandId command, const Names& names) {
    const base::Status fits = subscriptions.check(command, names);
    return fits ? std::string("none") : fits.error().message;
  };
  EXPECT_EQ(refusal(CommandId::kSubscribe, Names(kChannelsMax, "a")), "none");
  EXPECT_EQ(refusal(CommandId::kSubscribe, Names(kChannelsMax + 1, "a")),
            "limit=1000 channels of one connection: a pattern stands for many (PSUBSCRIBE)");
  EXPECT_EQ(refusal(CommandId::kPsubscribe, Names(kPatternsMax + 1, "a")),
            "limit=64 patterns of one connection: each event is held against each");
  EXPECT_EQ(refusal(CommandId::kPsubscribe, {std::string(kSubscriptionBytesMax + 1, 'a')}),
            "limit=256 bytes of a channel or pattern, got 257");
  EXPECT_EQ(refusal(CommandId::kUnsubscribe, Names(kChannelsMax, "a")), "none");
  EXPECT_EQ(refusal(CommandId::kUnsubscribe, Names(kChannelsMax + 1, "a")),
            "limit=1000 got=1001 names: without any, all are ended");
}

}  // namespace
}  // namespace server
