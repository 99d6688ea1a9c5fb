#include "server/doorman.h"

#include <gtest/gtest.h>

#include <set>

namespace server {
namespace {

using boost::asio::ip::make_address;
using std::chrono::seconds;

class DoormanTest : public testing::Test {
 protected:
  std::optional<Refusal> refusal(const char* address, Doorman::Scene scene = {.logs_in = true}) {
    return doorman_.refusal(make_address(address), scene);
  }

  ConnectionLimits limits_{.connections_max = 100,
                           .strangers_max = 6,
                           .strangers_of_address_max = 3,
                           .failed_logins_max = 2};
  Doorman doorman_{limits_};
  base::MonoTime now_{1'000'000'000'000};
};

TEST_F(DoormanTest, TheLastConnectionsAreForThisMachine) {
  const size_t open = limits_.connections_max - kConnectionsReserved;
  EXPECT_EQ(refusal("192.0.2.1", {.connections = open - 1}), std::nullopt);
  EXPECT_EQ(refusal("192.0.2.1", {.connections = open}), Refusal::kConnections);
  EXPECT_EQ(refusal("127.0.0.1", {.connections = open}), std::nullopt);
  EXPECT_EQ(refusal("::1", {.connections = limits_.connections_max - 1}), std::nullopt);
  EXPECT_EQ(refusal("::1", {.connections = limits_.connections_max}), Refusal::kConnections);
}

TEST_F(DoormanTest, StrangersAreBoundedByAddressAndInAll) {
  const auto here = make_address("192.0.2.1");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(refusal("192.0.2.1"), std::nullopt);
    doorman_.stranger_came(here);
  }
  EXPECT_EQ(refusal("192.0.2.1"), Refusal::kStrangersOfAddress);
  EXPECT_EQ(refusal("::ffff:192.0.2.1"), Refusal::kStrangersOfAddress);
  EXPECT_EQ(refusal("192.0.2.1", {.logs_in = false}), std::nullopt);
  for (const char* other : {"192.0.2.2", "192.0.2.3", "192.0.2.4"}) {
    EXPECT_EQ(refusal(other), std::nullopt);
    doorman_.stranger_came(make_address(other));
  }
  EXPECT_EQ(refusal("192.0.2.5"), Refusal::kStrangers);
  doorman_.stranger_left(here);
  EXPECT_EQ(refusal("192.0.2.5"), std::nullopt);
  EXPECT_EQ(doorman_.strangers(), 5U);
}

TEST_F(DoormanTest, ANetworkOfIPv6IsOneAddress) {
  for (const char* address : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) {
    doorman_.stranger_came(make_address(address));
  }
  EXPECT_EQ(refusal("2001:db8::4"), Refusal::kStrangersOfAddress);
  EXPECT_EQ(refusal("2001:db8:0:1::4"), std::nullopt);
}

TEST_F(DoormanTest, NewStrangersAreNotWelcomeUnderPressure) {
  EXPECT_EQ(refusal("127.0.0.1", {.logs_in = true, .pressed = true}), Refusal::kOverloaded);
  EXPECT_EQ(refusal("127.0.0.1", {.logs_in = false, .pressed = true}), std::nullopt);
}

TEST_F(DoormanTest, AnAddressThatFailsTooOftenIsBarredForTheRestOfItsMinute) {
  const auto here = make_address("192.0.2.1");
  doorman_.login_failed(here, now_);
  EXPECT_EQ(doorman_.barred_for(here, now_), std::nullopt);
  doorman_.login_failed(here, now_ + seconds(20));
  EXPECT_EQ(doorman_.barred_for(here, now_ + seconds(20)), seconds(40));
  EXPECT_EQ(doorman_.barred_for(make_address("192.0.2.2"), now_ + seconds(20)), std::nullopt);
  doorman_.next_second(now_ + seconds(59));
  EXPECT_EQ(doorman_.barred_for(here, now_ + seconds(59)), seconds(1));
  EXPECT_EQ(doorman_.barred_for(here, now_ + seconds(60)), std::nullopt);
  doorman_.login_failed(here, now_ + seconds(61));
  EXPECT_EQ(doorman_.barred_for(here, now_ + seconds(61)), std::nullopt);
}

TEST_F(DoormanTest, CountsByReasonAndEachReasonHasItsWord) {
  doorman_.count(Refusal::kStrangers);
  doorman_.count(Closure::kTls);
  doorman_.count(Closure::kTls);
  EXPECT_EQ(doorman_.refused(Refusal::kStrangers), 1U);
  EXPECT_EQ(doorman_.refused(Refusal::kConnections), 0U);
  EXPECT_EQ(doorman_.closed(Closure::kTls), 2U);
  std::set<std::string_view> words;
  for (size_t i = 0; i < kRefusalCount; ++i) words.insert(refusal_word(static_cast<Refusal>(i)));
  EXPECT_EQ(words.size(), kRefusalCount);
  words.clear();
  for (size_t i = 0; i < kClosureCount; ++i) words.insert(closure_word(static_cast<Closure>(i)));
  EXPECT_EQ(words.size(), kClosureCount);
  EXPECT_FALSE(words.contains(""));
}

TEST_F(DoormanTest, TheLogGetsAFewLinesASecondAndHowManyMoreThereWere) {
  int lines = 0;
  for (int i = 0; i < 100; ++i) lines += doorman_.may_log(Doorman::Topic::kClosure) ? 1 : 0;
  EXPECT_GT(lines, 0);
  EXPECT_TRUE(doorman_.may_log(Doorman::Topic::kLogin)) << "the others do not drown it";
  EXPECT_EQ(doorman_.next_second(now_), static_cast<uint64_t>(100 - lines));
  EXPECT_TRUE(doorman_.may_log(Doorman::Topic::kClosure));
  EXPECT_EQ(doorman_.next_second(now_), 0U);
}

}  // namespace
}  // namespace server
