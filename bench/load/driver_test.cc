#include "bench/load/driver.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bench/load/args.h"

namespace load {
namespace {

std::string args_with(uint64_t mark) {
  std::string args = make_args(kArgsBytesMin);
  write_mark(mark, args.data() + kMarkOffset);
  return args;
}

std::unique_ptr<Driver> driver_of(std::string kind, uint32_t fetch_count, bool blocks) {
  return make_driver({.kind = std::move(kind),
                      .args_bytes = kArgsBytesMin,
                      .channel_count = 2,
                      .fetch_count = fetch_count,
                      .fetch_blocks = blocks});
}

std::string fetch_text(Driver& driver) {
  std::string out;
  driver.fetch(1, out);
  return out;
}

TEST(DrayDriver, WritesTheCommandsOfTheReference) {
  const auto driver = driver_of("dray", 16, true);
  std::string out;
  driver->push(0xabc, out);
  EXPECT_EQ(out, "*4\r\n$8\r\nJOB.PUSH\r\n$5\r\nbench\r\n$9\r\nbench_job\r\n$40\r\n" +
                     args_with(0xabc) + "\r\n");
  out.clear();
  driver->push_delayed(7, 1500, out);
  EXPECT_EQ(out, "*6\r\n$8\r\nJOB.PUSH\r\n$5\r\nbench\r\n$9\r\nbench_job\r\n$40\r\n" +
                     args_with(7) + "\r\n$5\r\nDELAY\r\n$4\r\n1500\r\n");
  EXPECT_EQ(fetch_text(*driver),
            "*9\r\n$9\r\nJOB.FETCH\r\n$7\r\nbench:1\r\n$5\r\nCOUNT\r\n$2\r\n16\r\n"
            "$5\r\nBLOCK\r\n$5\r\n30000\r\n$6\r\nQUEUES\r\n$1\r\n1\r\n$5\r\nbench\r\n");
  out.clear();
  driver->ack(1, {.id = "0000000000001", .token = "t-1", .args = {}}, out);
  EXPECT_EQ(out, "*3\r\n$7\r\nJOB.ACK\r\n$13\r\n0000000000001\r\n$3\r\nt-1\r\n");
}

TEST(DrayDriver, FindsIdTokenAndArgsWhereverTheyStand) {
  const auto driver = driver_of("dray", 1, false);
  const std::string_view input =
      "*1\r\n*10\r\n$4\r\nmeta\r\n*2\r\n$5\r\ntoken\r\n$1\r\nx\r\n$4\r\nargs\r\n$2\r\n{}\r\n"
      "$5\r\ntoken\r\n$3\r\nt-1\r\n$3\r\nnew\r\n:1\r\n$2\r\nid\r\n$2\r\n01\r\n";
  Reply reply;
  ASSERT_EQ(driver->take(OpKind::kFetch, input, reply), input.size());
  ASSERT_EQ(reply.leases.size(), 1U);
  EXPECT_EQ(reply.leases[0].id, "01");
  EXPECT_EQ(reply.leases[0].token, "t-1");
  EXPECT_EQ(reply.leases[0].args, "{}");
}

TEST(DrayDriver, RefusesRepliesOfAnotherShape) {
  const auto driver = driver_of("dray", 1, false);
  Reply reply;
  EXPECT_THROW(driver->take(OpKind::kPush, "+OK\r\n", reply), ProtocolError);
  EXPECT_THROW(driver->take(OpKind::kAck, ":1\r\n", reply), ProtocolError);
  EXPECT_THROW(driver->take(OpKind::kFetch, "$-1\r\n", reply), ProtocolError);
  EXPECT_THROW(driver->take(OpKind::kFetch, "*1\r\n:1\r\n", reply), ProtocolError);
  EXPECT_THROW(driver->take(OpKind::kFetch, "*1\r\n*2\r\n$2\r\nid\r\n$1\r\n1\r\n", reply),
               ProtocolError);
  EXPECT_THROW(driver->take(OpKind::kFetch, "*1\r\n*2\r\n$2\r\nid\r\n:1\r\n", reply),
               ProtocolError);
}

TEST(DrayDriver, KeepsTheServersOwnErrorText) {
  const auto driver = driver_of("dray", 1, false);
  Reply reply;
  ASSERT_NE(driver->take(OpKind::kPush, "-OVERLOADED memory 256MB\r\n", reply), 0U);
  EXPECT_TRUE(reply.failed);
  EXPECT_EQ(reply.error, "OVERLOADED memory 256MB");
}

TEST(RedisDriver, MovesJobsThroughAListPerChannel) {
  const auto driver = driver_of("redis", 1, false);
  std::string out;
  driver->push(1, out);
  EXPECT_EQ(out, "*3\r\n$5\r\nLPUSH\r\n$11\r\nbench:queue\r\n$40\r\n" + args_with(1) + "\r\n");
  EXPECT_EQ(fetch_text(*driver),
            "*5\r\n$5\r\nLMOVE\r\n$11\r\nbench:queue\r\n$13\r\nbench:taken:1\r\n"
            "$5\r\nRIGHT\r\n$4\r\nLEFT\r\n");
  out.clear();
  driver->ack(1, {.id = {}, .token = {}, .args = "{}"}, out);
  EXPECT_EQ(out, "*4\r\n$4\r\nLREM\r\n$13\r\nbench:taken:1\r\n$2\r\n-1\r\n$2\r\n{}\r\n");
  EXPECT_EQ(fetch_text(*driver_of("redis", 1, true)),
            "*6\r\n$6\r\nBLMOVE\r\n$11\r\nbench:queue\r\n$13\r\nbench:taken:1\r\n"
            "$5\r\nRIGHT\r\n$4\r\nLEFT\r\n$1\r\n0\r\n");
}

TEST(RedisDriver, TakesAnAckThatRemovedNothingAsFailed) {
  const auto driver = driver_of("redis", 1, false);
  Reply reply;
  ASSERT_EQ(driver->take(OpKind::kAck, ":1\r\n", reply), 4U);
  EXPECT_FALSE(reply.failed);
  ASSERT_EQ(driver->take(OpKind::kAck, ":0\r\n", reply), 4U);
  EXPECT_TRUE(reply.failed);
  ASSERT_EQ(driver->take(OpKind::kFetch, "$-1\r\n", reply), 5U);
  EXPECT_FALSE(reply.failed);
  EXPECT_TRUE(reply.leases.empty());
}

TEST(BeanstalkDriver, WritesPutReserveAndDelete) {
  const auto driver = driver_of("beanstalkd", 1, false);
  std::string out;
  driver->push(1, out);
  EXPECT_EQ(out, "put 1024 0 3600 40\r\n" + args_with(1) + "\r\n");
  EXPECT_EQ(fetch_text(*driver), "reserve-with-timeout 0\r\n");
  EXPECT_EQ(fetch_text(*driver_of("beanstalkd", 1, true)), "reserve\r\n");
  out.clear();
  driver->ack(1, {.id = "17", .token = {}, .args = {}}, out);
  EXPECT_EQ(out, "delete 17\r\n");
}

TEST(BeanstalkDriver, TellsNothingThereFromFailure) {
  const auto driver = driver_of("beanstalkd", 1, false);
  Reply reply;
  ASSERT_NE(driver->take(OpKind::kFetch, "TIMED_OUT\r\n", reply), 0U);
  EXPECT_FALSE(reply.failed);
  for (const std::string_view answer : {"DEADLINE_SOON\r\n", "INTERNAL_ERROR\r\n", "DELETED\r\n"}) {
    ASSERT_NE(driver->take(OpKind::kFetch, answer, reply), 0U);
    EXPECT_TRUE(reply.failed) << answer;
  }
  ASSERT_NE(driver->take(OpKind::kPush, "BURIED 1\r\n", reply), 0U);
  EXPECT_TRUE(reply.failed);
}

TEST(MakeDriver, RefusesWhatTheServerCannotDo) {
  EXPECT_THROW(driver_of("redis", 2, false), std::invalid_argument);
  EXPECT_THROW(driver_of("beanstalkd", 2, false), std::invalid_argument);
  EXPECT_THROW(driver_of("other", 1, false), std::invalid_argument);
  std::string out;
  EXPECT_THROW(driver_of("redis", 1, false)->push_delayed(1, 1, out), std::logic_error);
}

}  // namespace
}  // namespace load
