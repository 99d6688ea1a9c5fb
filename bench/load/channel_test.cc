#include "bench/load/channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "bench/load/args.h"
#include "bench/load/dray_stub.h"

namespace load {
namespace {

struct Wire {
  std::string kind;
  std::string bytes;                 // Replies of push, fetch, fetch, ack.
  std::vector<std::string> outcome;  // What they must be taken for.
};

std::string dray_replies() {
  const auto driver = make_driver({.kind = "dray", .fetch_count = 2});
  DrayStub stub;
  std::string requests;
  for (uint64_t mark = 0; mark < 2; ++mark) driver->push(mark, requests);
  stub.receive(0, requests, 0);
  std::string replies = stub.take_output(0).substr(0, 20);  // One push of the two.
  requests.clear();
  driver->fetch(0, requests);
  driver->fetch(0, requests);
  stub.receive(0, requests, 0);
  return replies + stub.take_output(0) + "-LEASELOST gone\r\n";
}

std::vector<Wire> wires() {
  const std::string args = make_args(150);
  return {{.kind = "dray",
           .bytes = dray_replies(),
           .outcome = {"push",
                       "fetch 0000000000001 " + args + " 0000000000002 " + args.substr(0, 21) +
                           "1" + args.substr(22),
                       "fetch", "ack failed LEASELOST gone"}},
          {.kind = "redis",
           .bytes = ":1\r\n$150\r\n" + args + "\r\n$-1\r\n:1\r\n",
           .outcome = {"push", "fetch  " + args, "fetch", "ack"}},
          {.kind = "beanstalkd",
           .bytes = "INSERTED 1\r\nRESERVED 1 150\r\n" + args + "\r\nTIMED_OUT\r\nNOT_FOUND\r\n",
           .outcome = {"push", "fetch 1 " + args, "fetch", "ack failed NOT_FOUND"}}};
}

std::string text_of(OpKind op, const Reply& reply) {
  std::string text = op == OpKind::kPush ? "push" : op == OpKind::kFetch ? "fetch" : "ack";
  if (reply.failed) text.append(" failed ").append(reply.error);
  for (const Lease& lease : reply.leases) {
    text.append(" ").append(lease.id).append(" ").append(lease.args);
  }
  return text;
}

// Feeds the bytes in pieces that end at `cuts`.
std::vector<std::string> taken(const Wire& wire, const std::vector<size_t>& cuts) {
  const auto driver = make_driver({.kind = wire.kind});
  Channel channel(0, *driver);
  channel.push(1);
  channel.fetch();
  channel.fetch();
  channel.ack({.id = "1", .token = "t", .args = "{}"});
  std::vector<std::string> outcome;
  size_t begin = 0;
  for (const size_t cut : cuts) {
    const std::span<char> space = channel.input_space();
    std::copy_n(wire.bytes.data() + begin, cut - begin, space.begin());
    channel.input_filled(cut - begin);
    begin = cut;
    OpKind op = OpKind::kPush;
    Reply reply;
    while (channel.take(op, reply)) outcome.push_back(text_of(op, reply));
  }
  return outcome;
}

TEST(Channel, AnySplitInTwoGivesTheSameReplies) {
  for (const Wire& wire : wires()) {
    for (size_t cut = 0; cut <= wire.bytes.size(); ++cut) {
      ASSERT_EQ(taken(wire, {cut, wire.bytes.size()}), wire.outcome) << wire.kind << cut;
    }
  }
}

TEST(Channel, SingleBytesGiveTheSameReplies) {
  for (const Wire& wire : wires()) {
    std::vector<size_t> cuts(wire.bytes.size());
    for (size_t i = 0; i < cuts.size(); ++i) cuts[i] = i + 1;
    EXPECT_EQ(taken(wire, cuts), wire.outcome) << wire.kind;
  }
}

TEST(Channel, RandomPiecesGiveTheSameReplies) {
  std::mt19937 random(7);  // tidy: allow random because the seed is fixed
  for (const Wire& wire : wires()) {
    for (int round = 0; round < 500; ++round) {
      std::vector<size_t> cuts = {wire.bytes.size()};
      for (int i = 0; i < 5; ++i) cuts.push_back(random() % wire.bytes.size());
      std::sort(cuts.begin(), cuts.end());
      ASSERT_EQ(taken(wire, cuts), wire.outcome) << wire.kind;
    }
  }
}

TEST(Channel, RefusesAReplyThatNobodyAskedFor) {
  const auto driver = make_driver({.kind = "redis"});
  Channel channel(0, *driver);
  channel.input_space()[0] = ':';
  channel.input_filled(1);
  OpKind op = OpKind::kPush;
  Reply reply;
  EXPECT_THROW(channel.take(op, reply), ProtocolError);
}

TEST(Channel, TakesAReplyLargerThanItsFirstBuffer) {
  const auto driver = make_driver({.kind = "redis"});
  Channel channel(0, *driver);
  channel.fetch();
  const std::string payload(300'000, 'p');
  const std::string bytes = "$300000\r\n" + payload + "\r\n";
  OpKind op = OpKind::kPush;
  Reply reply;
  for (size_t begin = 0; begin < bytes.size();) {
    ASSERT_FALSE(channel.take(op, reply));
    const std::span<char> space = channel.input_space();
    const size_t count = std::min(space.size(), bytes.size() - begin);
    std::copy_n(bytes.data() + begin, count, space.begin());
    channel.input_filled(count);
    begin += count;
  }
  ASSERT_TRUE(channel.take(op, reply));
  ASSERT_EQ(reply.leases.size(), 1U);
  EXPECT_EQ(reply.leases[0].args, payload);
}

TEST(Channel, KeepsUnsentOutputInOrder) {
  const auto driver = make_driver({.kind = "beanstalkd"});
  Channel channel(0, *driver);
  channel.fetch();
  channel.output_sent(8);
  channel.ack({.id = "5", .token = {}, .args = {}});
  EXPECT_EQ(channel.output(), "with-timeout 0\r\ndelete 5\r\n");
  channel.output_sent(channel.output().size());
  EXPECT_EQ(channel.output(), "");
  EXPECT_EQ(channel.in_flight(), 2U);
}

}  // namespace
}  // namespace load
